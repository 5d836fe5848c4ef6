/** What the task's lens and the user's visualisers show of an example. */

import type { Block, Cell } from "../api";
import { worded } from "../table/columns";
import { number } from "../wire";
import { Bar } from "./bar";
import { Marked } from "./marked";

export function Blocks({ blocks, of }: { readonly blocks: readonly Block[]; readonly of: string }) {
  return (
    <>
      {blocks.map((block, at) => (
        <div key={`${of} ${at}`} class="block">
          <One block={block} />
        </div>
      ))}
    </>
  );
}

function One({ block }: { readonly block: Block }) {
  switch (block.type) {
    case "text":
      return <Marked title={block.title} text={block.text} spans={block.spans} rtl={block.rtl ?? false} />;
    case "bars":
      return <Bars title={block.title} bars={block.bars} />;
    case "table":
      return <Table title={block.title} columns={block.columns} rows={block.rows} />;
  }
}

function Bars({ title, bars }: Pick<Extract<Block, { type: "bars" }>, "title" | "bars">) {
  const most = Math.max(...bars.map((bar) => Math.abs(bar.value)), Number.MIN_VALUE);
  return (
    <>
      <h3>{title}</h3>
      <ul class="bars plain">
        {bars.map((bar) => (
          <Bar key={bar.name} name={bar.name} share={Math.abs(bar.value) / most} said={number(bar.value)} negative={bar.value < 0} />
        ))}
      </ul>
    </>
  );
}

/** Whether the numbers of a column are shares: the same number of digits then lets them be compared. */
const isShare = (values: readonly Cell[]): boolean => values.every((one) => typeof one === "number" && one >= 0 && one <= 1) && values.some((one) => !Number.isInteger(one));

function Table({ title, columns, rows }: Pick<Extract<Block, { type: "table" }>, "title" | "columns" | "rows">) {
  const shares = columns.map((_, at) => isShare(rows.map((row) => row[at] ?? null)));
  return (
    <>
      <h3>{title}</h3>
      <div class="wide" role="group" aria-label={title} tabIndex={0}>
        <table class="numbers">
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {row.map((value, column) => (
                  <td key={column} class={typeof value === "number" ? "number" : ""} dir="auto">
                    {shares[column] ? (value as number).toFixed(3) : worded(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
