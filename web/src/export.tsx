/** Take something away: rows as a file or a version, the map as a picture, the run as one page. */

import { useSignal } from "@preact/signals";

import "./export.css";
import { Command, Confirm, count, Part } from "./parts";
import { keepOnly, readOnly } from "./pending";
import { picture, raster } from "./mapfile";
import { save } from "./save";
import { identify } from "./seen";
import { api, centre, during, layout, listed, panel, points, run, selection } from "./state";

/** Rows that a page in one file may hold. */
const PAGE = 50_000;

const FORMATS = [
  ["csv", "CSV"],
  ["jsonl", "JSON Lines"],
  ["parquet", "Parquet"],
] as const;

export function Export() {
  const now = run.value;
  if (!now) return <p class="muted">No run is open.</p>;
  return (
    <>
      {!readOnly.value && <Rows name={now.id} />}
      <Pictures name={now.id} />
      {!readOnly.value && <Page name={now.id} />}
    </>
  );
}

/** What the rows are: the selection, what passes the filters, or all. */
function which(): string {
  const all = points.value?.rows ?? 0;
  if (selection.value.rows.length) return "selected";
  return listed.value.length < all ? "shown" : "all";
}

function Rows({ name }: { readonly name: string }) {
  const format = useSignal<"csv" | "jsonl" | "parquet">("csv");
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
      <p class="muted small">Every column of the run, one line per row. Select rows or set filters to take fewer.</p>
      <div class="row">
        <label class="row">
          <span class="sr">Format</span>
          <select value={format.value} onChange={(event) => (format.value = event.currentTarget.value as "csv")}>
            {FORMATS.map(([value, title]) => (
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
      <Keep />
      <Command text={`tunewright export ${name} --format ${format.value} --out rows.${format.value}`} label="The whole run in a shell" />
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

function Page({ name }: { readonly name: string }) {
  const busy = useSignal(false);
  const rows = points.value?.rows ?? 0;
  const download = async (): Promise<void> => {
    busy.value = true;
    const file = await during(() => api().page(name));
    if (file) save(file.blob, file.name);
    busy.value = false;
  };
  return (
    <Part title="The run as one page">
      <p class="muted small">
        One HTML file with this page and all rows, which opens without a server and can change nothing. It holds the texts: share it as you would the data.
      </p>
      {rows > PAGE ? (
        <p class="guard">This run has {count(rows, "row")}; a page holds up to {PAGE.toLocaleString("en")}.</p>
      ) : (
        <button type="button" disabled={busy.value} onClick={() => void download()}>
          {busy.value ? "Writing…" : "Save as HTML"}
        </button>
      )}
      <Command text={`tunewright explore ${name} --save ${name}.html`} />
    </Part>
  );
}

function Pictures({ name }: { readonly name: string }) {
  const there = centre.value === "map";
  const take = (kind: "png" | "svg"): Promise<unknown> =>
    during(async () => {
      const seen = picture();
      if (!seen) throw new Error("no map is shown");
      const blob = kind === "png" ? await raster(seen) : new Blob([seen.svg], { type: "image/svg+xml" });
      save(blob, `${name}-${layout.value}.${kind}`);
    });
  return (
    <Part title="The map as a picture">
      <p class="muted small">As it is seen now: layout, colours, selection, legend.</p>
      <div class="row">
        <button type="button" disabled={!there} onClick={() => void take("png")}>
          Save as PNG
        </button>
        <button type="button" disabled={!there} onClick={() => void take("svg")}>
          Save as SVG
        </button>
        {!there && <span class="muted small">Show the map first.</span>}
      </div>
      <Command text={`tunewright map ${name}`} label="The data map in a shell" />
    </Part>
  );
}
