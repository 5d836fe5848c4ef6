/** Take something away: rows as a file or a version, the map as a picture, the run as one page. */

import { useSignal } from "@preact/signals";

import "./export.css";
import { Rows } from "./export/rows";
import { Command, count, Part } from "./parts";
import { readOnly } from "./pending";
import { picture, raster } from "./mapfile";
import { save } from "./save";
import { api, centre, during, layout, points, run } from "./state";

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
      <Drawn name={name} />
    </Part>
  );
}

/** The command that draws the map, where there is one for this kind of run. */
function Drawn({ name }: { readonly name: string }) {
  const now = run.value;
  if (readOnly.value || !now) return null;
  if (now.kind === "production") return <Command text={`tunewright monitor report --name ${name} --map map.png`} label="Production on its reference in a shell" />;
  const dynamics = now.kind === "train" && now.layouts.some((one) => one.name === "map");
  return dynamics ? <Command text={`tunewright map ${name}`} label="The data map in a shell" /> : null;
}
