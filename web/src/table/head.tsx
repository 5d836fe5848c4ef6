/** Names of the columns; a click orders by one. */

import type { ColumnInfo } from "../api";
import { sort } from "../state";
import { orderBy, rows, tick, tickedHere } from "./listing";

export function Head({ columns, stop }: { readonly columns: readonly ColumnInfo[]; readonly stop: number }) {
  return (
    <div class="line head" role="row" aria-rowindex={1} data-at={-1}>
      <span role="columnheader" aria-colindex={1} class="tick">
        <All stop={stop === 0} />
      </span>
      {columns.map((info, index) => (
        <Name key={info.name} info={info} column={index + 1} stop={stop === index + 1} />
      ))}
    </div>
  );
}

function All({ stop }: { readonly stop: boolean }) {
  const chosen = tickedHere.value;
  const all = chosen === rows.value.length;
  return (
    <input
      type="checkbox"
      data-column={0}
      tabIndex={stop ? 0 : -1}
      checked={all}
      indeterminate={chosen > 0 && !all}
      aria-label="Select all listed examples"
      onChange={() => tick(rows.value, !all)}
    />
  );
}

const WAYS = { true: "descending", false: "ascending" } as const;

function Name({ info, column, stop }: { readonly info: ColumnInfo; readonly column: number; readonly stop: boolean }) {
  const now = sort.value?.name === info.name ? WAYS[`${sort.value.descending}`] : "none";
  const meaning = `${info.meaning}${info.unit ? ` (${info.unit})` : ""}`;
  if (info.kind === "text") {
    return (
      <span role="columnheader" aria-colindex={column + 1} class="of-text" title={meaning} data-column={column} tabIndex={stop ? 0 : -1}>
        {info.name}
      </span>
    );
  }
  return (
    <span role="columnheader" aria-colindex={column + 1} aria-sort={now} class={`of-${info.kind}`}>
      <button type="button" data-column={column} tabIndex={stop ? 0 : -1} title={meaning} onClick={() => orderBy(info.name)}>
        <span>{info.name}</span>
        <span class="way" aria-hidden="true">
          {now === "none" ? "" : now === "ascending" ? "↑" : "↓"}
        </span>
      </button>
    </span>
  );
}
