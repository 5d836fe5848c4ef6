/** One column among the filters: its name, and when it is open its histogram or categories. */

import { useEffect } from "preact/hooks";

import type { ColumnInfo } from "../api";
import { during, filter, filters, need, opened, points, unfolded } from "../state";
import { Categories } from "./categories";
import { described, varies } from "./groups";
import { Histogram } from "./histogram";

export function Column({ info }: { readonly info: ColumnInfo }) {
  const open = opened.value.has(info.name);
  const used = filters.value.has(info.name);
  const meaning = described(info);
  return (
    <div class="column" data-column={info.name}>
      <h3>
        <button type="button" class="name" aria-expanded={open} title={meaning} aria-description={meaning} onClick={() => fold(info.name, open)}>
          <span class="arrow" aria-hidden="true" />
          {info.name}
          {used && <span class="dot" aria-label="in use" role="img" />}
        </button>
        {used && (
          <button type="button" class="quiet" aria-label={`Clear the filter on ${info.name}`} title="Clear" onClick={() => filter(info.name, null)}>
            ×
          </button>
        )}
      </h3>
      {open && <Body info={info} />}
    </div>
  );
}

function fold(name: string, open: boolean): void {
  const next = new Set(opened.value);
  if (open) next.delete(name);
  else next.add(name);
  unfolded.value = next;
}

/** Values of a column that did not come with the points are asked for when it opens. */
function Body({ info }: { readonly info: ColumnInfo }) {
  const values = points.value?.values.get(info.name);
  useEffect(() => {
    if (!values) void during(() => need(info.name));
  }, [info.name, !values]);
  if (!values) return <p class="muted small body">Reading …</p>;
  if (info.missing === points.value?.rows) return <p class="muted small body">No example has a value.</p>;
  if (!varies(info) && !info.missing && !filters.value.has(info.name)) return <p class="muted small body">All examples have the same value{same(info)}.</p>;
  return info.kind === "number" ? <Histogram info={info} values={values} /> : <Categories info={info} values={values} />;
}

function same(info: ColumnInfo): string {
  if (info.kind === "category") return info.categories.length ? `, ${info.categories[0]}` : "";
  if (info.kind === "flag") return info.min === null ? "" : info.min ? ", yes" : ", no";
  return info.min === null ? "" : `, ${info.min}`;
}
