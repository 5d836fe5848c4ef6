/** The map: every example as a point, in the data map or the latent map, and one morphs into the other. */

import { useEffect, useRef } from "preact/hooks";

import { Movers } from "./arrows";
import { Legend } from "./legend";
import "./map.css";
import { place, type Tool, tool } from "./plane";
import { Replay } from "./replay";
import { Sheet } from "./sheet";
import { colour, density, type Density, layout, listed, points, run, selection, size } from "./state";

export function Plane() {
  const held = useRef<HTMLDivElement>(null);
  useEffect(() => held.current?.querySelector("canvas")?.focus({ preventScroll: true }), []);
  if (!run.value) return <p class="muted empty">No run is open.</p>;
  return (
    <div class="map" ref={held}>
      <Tools />
      <Sheet />
      <Count />
      <div class="below">
        <Replay />
        <Movers />
        <Legend />
      </div>
    </div>
  );
}

const TOOLS: readonly (readonly [Tool, string, string])[] = [
  ["move", "Move", "v"],
  ["lasso", "Lasso", "l"],
  ["box", "Box", "b"],
];

function Tools() {
  const all = run.value?.columns.filter((one) => one.kind !== "text") ?? [];
  const numbers = all.filter((one) => one.kind === "number");
  return (
    <div class="tools" role="toolbar" aria-label="Map">
      <span class="segments" role="group" aria-label="Pointer">
        {TOOLS.map(([name, title, key]) => (
          <button key={name} type="button" data-tool={name} aria-pressed={tool.value === name} title={`${title} (${key})`} onClick={() => (tool.value = name)}>
            {title}
          </button>
        ))}
      </span>
      <span class="segments" role="group" aria-label="Layout">
        {run.value?.layouts.map((one) => (
          <button key={one.name} type="button" aria-pressed={place.value?.name === one.name} onClick={() => (layout.value = one.name)}>
            {one.title}
          </button>
        ))}
      </span>
      <span class="looks">
        <Choice title="Colour" value={colour.value} options={all.map((one) => one.name)} onPick={(name) => (colour.value = name)} />
        <Choice title="Size" value={size.value ?? ""} options={["", ...numbers.map((one) => one.name)]} none="all alike" onPick={(name) => (size.value = name || null)} />
        <Choice title="Density" value={density.value} options={["auto", "on", "off"]} onPick={(name) => (density.value = name as Density)} />
      </span>
    </div>
  );
}

/** How many are selected, above the map: a selection moves nothing else. */
function Count() {
  const picked = selection.value.rows.length ? `${listed.value.length.toLocaleString("en")} selected of ${points.value?.rows.toLocaleString("en")} examples` : "";
  return (
    <span class="count" aria-live="polite">
      {picked}
    </span>
  );
}

interface Choosing {
  readonly title: string;
  readonly value: string;
  readonly options: readonly string[];
  readonly none?: string;
  readonly onPick: (name: string) => void;
}

function Choice({ title, value, options, none, onPick }: Choosing) {
  return (
    <label>
      {title}
      <select value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {options.map((name) => (
          <option key={name} value={name}>
            {name || none}
          </option>
        ))}
      </select>
    </label>
  );
}
