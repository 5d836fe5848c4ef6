/** Rows as a file: those selected, those that pass the filters, or all; here, and by a command that takes the same. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { Command, Confirm, count, Part } from "../parts";
import { editable, keepOnly, readOnly } from "../pending";
import { save } from "../save";
import { identify } from "../seen";
import { rowsCommand, rule } from "../shell";
import { api, during, filters, listed, panel, points, query, run, selection } from "../state";

type Format = "csv" | "jsonl" | "parquet";

const FORMATS: readonly (readonly [Format, string])[] = [
  ["csv", "CSV"],
  ["jsonl", "JSON Lines"],
  ["parquet", "Parquet"],
];
/** Formats that the page writes itself, when it is a file. */
const WRITTEN = FORMATS.slice(0, 2);

/** Rows that a command names one by one. */
const NAMED = 20;

/** What the rows are: the selection, what passes the filters, or all. */
function which(): string {
  const all = points.value?.rows ?? 0;
  if (selection.value.rows.length) return "selected";
  return listed.value.length < all ? "shown" : "all";
}

export function Rows({ name }: { readonly name: string }) {
  const format = useSignal<Format>("csv");
  const busy = useSignal(false);
  const rows = listed.value;
  const download = async (): Promise<void> => {
    busy.value = true;
    const file = await during(() => api().export(name, [...rows], format.value));
    if (file) save(file.blob, file.name);
    busy.value = false;
  };
  return (
    <Part title={`Rows: ${which() === "all" ? "all " : ""}${rows.length.toLocaleString("en")}${which() === "all" ? "" : ` ${which()}`}`}>
      <p class="muted small">
        Every column of the run, one line per row. Select rows or set filters to take fewer.{readOnly.value && " Numbers have six digits here."}
      </p>
      <div class="row">
        <label class="row">
          <span class="sr">Format</span>
          <select value={format.value} onChange={(event) => (format.value = event.currentTarget.value as Format)}>
            {(readOnly.value ? WRITTEN : FORMATS).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="main" disabled={!rows.length || busy.value} onClick={() => void download()}>
          {busy.value ? "Writing…" : `Save ${count(rows.length, "row")}`}
        </button>
      </div>
      {editable.value && <Keep />}
      {!readOnly.value && (which() === "selected" ? <Chosen name={name} out={`rows.${format.value}`} /> : <Passing name={name} out={`rows.${format.value}`} />)}
    </Part>
  );
}

/** A version of the data with these training rows only: an edit, which is committed like any other. */
function Keep() {
  const asks = useSignal(false);
  const rows = listed.value;
  const keep = async (): Promise<void> => {
    asks.value = false;
    const done = await during(async () => keepOnly(await identify([...rows]), "exported selection"));
    if (done) panel.value = "curate";
  };
  if (run.value?.kind === "production") return null;
  return asks.value ? (
    <Confirm
      question={`Keep ${count(rows.length, "row")} of the training split and leave the rest out of the next version? Other splits stay whole.`}
      yes="Add to the pending edits"
      onYes={() => void keep()}
      onNo={() => (asks.value = false)}
    />
  ) : (
    <button type="button" disabled={!selection.value.rows.length} onClick={() => (asks.value = true)}>
      As a dataset version…
    </button>
  );
}

interface Typed {
  readonly name: string;
  readonly out: string;
}

/** The rows that pass the filters and the search, in a shell. */
function Passing({ name, out }: Typed) {
  const sql = rule(run.value?.columns ?? [], filters.value);
  return <Command text={rowsCommand({ run: name, search: query.value.trim(), rule: sql, out })} label="The same rows in a shell" />;
}

/** The selected rows by their ids. */
function Chosen({ name, out }: Typed) {
  const rows = listed.value;
  const ids = useSignal<readonly string[]>([]);
  useEffect(() => {
    let late = false;
    if (rows.length <= NAMED) void during(async () => identify([...rows])).then((found) => late || (ids.value = found ?? []));
    return () => {
      late = true;
    };
  }, [name, rows]);
  if (rows.length > NAMED)
    return <p class="muted small">A shell takes rows by their ids or by filters: more than {NAMED} that were selected by hand are saved here.</p>;
  return rows.length && ids.value.length === rows.length ? <Command text={rowsCommand({ run: name, ids: ids.value, out })} label="The same rows in a shell" /> : null;
}
