/** Take something away: rows as a file or a version, the page as pictures, the run as one page. */

import { useSignal } from "@preact/signals";

import "./export.css";
import { Pictures } from "./export/pictures";
import { Rows } from "./export/rows";
import { Command, count, Part } from "./parts";
import { readOnly } from "./pending";
import { save } from "./save";
import { api, during, points, run } from "./state";

/** Rows that a page in one file may hold. */
const PAGE = 50_000;

export function Export() {
  const now = run.value;
  if (!now) return <p class="muted">No run is open.</p>;
  return (
    <>
      <Rows name={now.id} />
      <Pictures name={now.id} />
      {!readOnly.value && <Page name={now.id} />}
    </>
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
