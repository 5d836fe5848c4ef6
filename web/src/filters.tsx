/** Filters: every column as a histogram or a list of categories, each counted over what the others let through. */

import { useSignal } from "@preact/signals";

import type { ColumnInfo } from "./api";
import { Chips } from "./filtering/chips";
import { Column } from "./filtering/column";
import { groups, matches } from "./filtering/groups";
import "./filters.css";
import { busy, filters, opened, points, run, shown } from "./state";

export function Filters() {
  const wanted = useSignal("");
  const info = run.value;
  if (!info) return <p class="muted">{busy.value ? "Opening …" : "No run is open."}</p>;
  const query = wanted.value.trim();
  const columns = query ? info.columns.filter((one) => matches(one, query)) : info.columns;
  const found = groups(columns);
  return (
    <div class="filters">
      <Total />
      <Chips />
      <input
        type="search"
        class="find"
        aria-label="Find a column"
        placeholder={`Find one of ${info.columns.filter((one) => one.kind !== "text").length} columns`}
        value={wanted.value}
        onInput={(event) => (wanted.value = event.currentTarget.value)}
      />
      {found.map((group) => (
        <Group key={`${info.id} ${group.title}`} title={group.title} columns={group.columns} wanted={!!query} />
      ))}
      {!found.length && <p class="muted small">No column says “{query}”.</p>}
    </div>
  );
}

function Total() {
  const rows = points.value?.rows ?? 0;
  const bits = shown.value;
  let passing = 0;
  for (let row = 0; row < bits.length; row++) passing += bits[row]!;
  return (
    <p class="total" role="status">
      <strong class="number">{passing.toLocaleString("en")}</strong>{" "}
      <span class="muted">{passing === rows ? "examples, all shown" : `of ${rows.toLocaleString("en")} shown`}</span>
    </p>
  );
}

interface Grouped {
  readonly title: string;
  readonly columns: readonly ColumnInfo[];
  /** The columns are what a reader looked for. */
  readonly wanted: boolean;
}

/** A group is open where one of its columns is, until the reader says otherwise. */
function Group({ title, columns, wanted }: Grouped) {
  const said = useSignal<boolean | null>(null);
  const inUse = columns.filter((one) => filters.value.has(one.name)).length;
  const open = wanted || (said.value ?? columns.some((one) => opened.value.has(one.name)));
  return (
    <section class="group">
      <h2>
        <button type="button" aria-expanded={open} onClick={() => (said.value = !open)}>
          <span class="arrow" aria-hidden="true" />
          {title} <span class="muted small number">{columns.length}</span>
          {inUse > 0 && (
            <span class="used small" title="filters in use">
              {inUse}
              <span class="sr"> in use</span>
            </span>
          )}
        </button>
      </h2>
      {open && columns.map((one) => <Column key={one.name} info={one} />)}
    </section>
  );
}
