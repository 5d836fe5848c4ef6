/** From where a row lies in the open run to where it lies in the second one. */

import { computed } from "@preact/signals";

import type { Seen } from "./overlay";
import { here, type Places, there } from "./plane";
import { pixel } from "./render/camera";
import { selection, shown } from "./state";

/** Arrows beyond this number hide each other. */
const MOST = 60;
const SHORTEST = 0.02; // moves below this are rounding and chance

/** Rows of `candidates` that moved at least `shortest`, the farthest `most` of them, farthest first. */
export function movers(from: Places, to: Places, candidates: Iterable<number>, { most = MOST, shortest = SHORTEST } = {}): number[] {
  const far = new Map<number, number>();
  for (const row of candidates) {
    const length = Math.hypot(to.x[row]! - from.x[row]!, to.y[row]! - from.y[row]!);
    if (length >= shortest) far.set(row, length);
  }
  const enough = far.size > most ? Float64Array.from(far.values()).sort()[far.size - most]! : shortest;
  return [...far]
    .filter(([, length]) => length >= enough)
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([row]) => row);
}

function* visible(bits: Uint8Array): Iterable<number> {
  for (let row = 0; row < bits.length; row++) if (bits[row]! & 1) yield row;
}

/** The rows that arrows are drawn for: of the selected ones, or of all that pass the filters. */
export const moved = computed<readonly number[]>(() => {
  const bits = shown.value;
  const { rows } = selection.value;
  if (!here.value || !there.value) return [];
  return movers(here.value, there.value, rows.length ? rows.filter((row) => bits[row]! & 1) : visible(bits));
});

export function Arrows({ size, camera }: Seen) {
  const at = (places: Places, row: number) => pixel(camera, { x: places.x[row]!, y: places.y[row]! }, size.width, size.height);
  return (
    <g class="arrows">
      <marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" markerHeight="5" orient="auto">
        <path d="M0 0L6 3L0 6z" />
      </marker>
      {moved.value.map((row) => {
        const from = at(here.value!, row);
        const to = at(there.value!, row);
        return <line key={row} x1={from.x} y1={from.y} x2={to.x} y2={to.y} marker-end="url(#head)" />;
      })}
    </g>
  );
}
