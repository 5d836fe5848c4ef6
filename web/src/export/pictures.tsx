/** What is on the page as a picture: the map, or a column among the filters. */

import { useSignal } from "@preact/signals";

import { picture as map } from "../mapfile";
import { Command, Part } from "../parts";
import { readOnly } from "../pending";
import { filed, type Picture, pictured } from "../picture";
import { save } from "../save";
import { centre, during, layout, opened, run } from "../state";

const MAP = "";

/** A column among the filters, as it is seen; it is not where it is folded. */
function column(name: string): Picture | null {
  const seen = document.querySelector<HTMLElement>(`[data-column="${CSS.escape(name)}"]`);
  return seen && pictured(seen);
}

export function Pictures({ name }: { readonly name: string }) {
  const wanted = useSignal(MAP);
  const columns = (run.value?.columns ?? []).filter((one) => one.kind !== "text" && opened.value.has(one.name)).map((one) => one.name);
  const what = columns.includes(wanted.value) ? wanted.value : MAP;
  const there = what !== MAP || centre.value === "map";
  const take = (kind: "png" | "svg"): Promise<unknown> =>
    during(async () => {
      const seen = what === MAP ? map() : column(what);
      if (!seen) throw new Error("it is not on the page now");
      save(await filed(seen, kind), `${name}-${what || layout.value}.${kind}`);
    });
  return (
    <Part title="Pictures">
      <p class="muted small">
        As it is seen now, colours and selection too. Loss curves{!readOnly.value && ", confusion matrices and heatmaps"} have buttons of their own.
      </p>
      <select aria-label="Picture of" value={what} onChange={(event) => (wanted.value = event.currentTarget.value)}>
        <option value={MAP}>The map</option>
        {columns.map((one) => (
          <option key={one} value={one}>
            Values of {one}
          </option>
        ))}
      </select>
      <div class="row">
        <button type="button" disabled={!there} onClick={() => void take("png")}>
          Save as PNG
        </button>
        <button type="button" disabled={!there} onClick={() => void take("svg")}>
          Save as SVG
        </button>
      </div>
      {!there && <p class="muted small">Show the map to save it (m). A table is no picture: save its rows above.</p>}
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
