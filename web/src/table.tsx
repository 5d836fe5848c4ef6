/** The table: the listed rows, however many, in columns that the reader chooses and orders. */

import { count } from "./parts";
import { points, run, selection, sort } from "./state";
import "./table.css";
import { Chooser } from "./table/chooser";
import { Grid } from "./table/grid";
import { alone, clear, list, rows } from "./table/listing";

export function Table() {
  if (!run.value) return <p class="muted empty">No run is open.</p>;
  return (
    <div class="table">
      <Tools />
      {rows.value.length ? <Grid /> : <p class="muted empty">No example passes the filters.</p>}
    </div>
  );
}

function Tools() {
  const selected = selection.value.rows.length;
  return (
    <div class="tools" role="toolbar" aria-label="Table">
      <span class="count" role="status">
        {count(rows.value.length, "example")}
        {rows.value.length < (points.value?.rows ?? 0) && <span class="muted"> of {points.value!.rows.toLocaleString("en")}</span>}
        {selected > 0 && <span>, {selected.toLocaleString("en")} selected</span>}
      </span>
      {selected > 0 && (
        <>
          <label class="check">
            <input type="checkbox" checked={alone.value} onChange={(event) => list(event.currentTarget.checked)} /> selected only
          </label>
          <button type="button" onClick={clear}>
            Clear
          </button>
        </>
      )}
      {sort.value && (
        <button type="button" title="List the rows as they come" onClick={() => (sort.value = null)}>
          {sort.value.descending ? "↓" : "↑"} {sort.value.name} ×
        </button>
      )}
      <Chooser />
    </div>
  );
}
