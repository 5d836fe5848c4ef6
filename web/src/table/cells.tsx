/** One row of the table. */

import type { Cell as Value, ColumnInfo, Row } from "../api";
import { visible } from "../detail/spans";
import type { Points } from "../wire";
import { present } from "../wire";
import { digits, isShare, worded } from "./columns";

interface Line {
  readonly row: number;
  /** Place in the list, from 0. */
  readonly at: number;
  /** Pixels from the top of the spacer; null: out of sight, kept for the focus. */
  readonly top: number | null;
  readonly found: Row | undefined;
  readonly points: Points;
  readonly columns: readonly ColumnInfo[];
  readonly ticked: boolean;
  readonly primary: boolean;
  /** Column that Tab reaches, 0 is the checkbox; -1: none in this row. */
  readonly stop: number;
}

export function Line({ row, at, top, found, points, columns, ticked, primary, stop }: Line) {
  const tab = (column: number): 0 | -1 => (column === stop ? 0 : -1);
  return (
    <div
      class={`line${top === null ? " parked" : ""}`}
      role="row"
      aria-rowindex={at + 2}
      aria-selected={ticked}
      aria-current={primary ? "true" : undefined}
      data-at={at}
      style={{ transform: `translateY(${top ?? 0}px)` }}
    >
      <span role="gridcell" aria-colindex={1} class="tick">
        <input type="checkbox" data-column={0} tabIndex={tab(0)} checked={ticked} aria-label={`Select ${found?.id ?? `row ${row + 1}`}`} />
      </span>
      {columns.map((info, index) => (
        <span key={info.name} role="gridcell" aria-colindex={index + 2} data-column={index + 1} tabIndex={tab(index + 1)} class={`datum of-${info.kind}`}>
          <Shown info={info} value={value(info, points, row, found)} wrong={info.name === "predicted" && mistaken(points, row, found)} />
        </span>
      ))}
    </div>
  );
}

/** A value from the columns that are there, else from the row; undefined while the row has not come. */
function value(info: ColumnInfo, points: Points, row: number, found: Row | undefined): Value | undefined {
  const values = points.values.get(info.name);
  if (!values) return found && (found.values[info.name] ?? null);
  if (!present(values, row)) return null;
  const stored = values[row]!;
  return info.kind === "category" ? (info.categories[stored] ?? null) : info.kind === "flag" ? stored === 1 : stored;
}

/** Whether the prediction is wrong: names differ from the label; texts are judged by the task. */
function mistaken(points: Points, row: number, found: Row | undefined): boolean {
  const info = (name: string): ColumnInfo | undefined => points.run.columns.find((one) => one.name === name);
  const [label, predicted, correct] = [info("label"), info("predicted"), info("correct")];
  if (label?.kind === "category" && predicted?.kind === "category") {
    const gold = value(label, points, row, found);
    const said = value(predicted, points, row, found);
    return !!gold && !!said && gold !== said;
  }
  const right = correct && value(correct, points, row, found);
  return right === false || (typeof right === "number" && right < 0.5);
}

function Shown({ info, value, wrong }: { readonly info: ColumnInfo; readonly value: Value | undefined; readonly wrong: boolean }) {
  if (value === undefined) return <span class="wait"><span class="sr">loading</span></span>;
  if (value === null) return <span class="muted">–</span>;
  if (info.kind === "number" && typeof value === "number") return <Amount info={info} value={value} />;
  if (wrong) {
    return (
      <strong class="wrong clamp" dir="auto">
        <span aria-hidden="true">≠</span> <span class="sr">not the label:</span>
        {visible(worded(value))}
      </strong>
    );
  }
  const alarm = info.kind === "flag" && info.direction === "bad" && value === true;
  return (
    <span class={`clamp${alarm ? " alarm" : ""}`} dir="auto">
      {visible(worded(value))}
    </span>
  );
}

function Amount({ info, value }: { readonly info: ColumnInfo; readonly value: number }) {
  return (
    <>
      <span class="digits">{digits(info, value)}</span>
      {isShare(info) && (
        <span class={`share ${info.direction}`} aria-hidden="true">
          <span style={{ width: `${100 * Math.max(0, Math.min(1, value))}%` }} />
        </span>
      )}
    </>
  );
}
