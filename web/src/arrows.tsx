/** From where a row lies in the open run to where it lies in the second one. */

import { computed } from "@preact/signals";

import type { Seen } from "./overlay";
import { decimal } from "./parts";
import { hasAxes, here, isOwnMap, place, type Places, there } from "./plane";
import { pixel } from "./render/camera";
import { shortly } from "./runs";
import { second, selection, shown } from "./state";

/** Arrows beyond this number hide each other. */
const MOST = 60;
const SHORTEST = 0.02; // moves below this are rounding and chance

/** Distance between the two places of a row; NaN where it lacks one. */
const distance = (from: Places, to: Places, row: number): number => Math.hypot(to.x[row]! - from.x[row]!, to.y[row]! - from.y[row]!);

/** Rows of `candidates` that moved at least `shortest`, the farthest `most` of them, farthest first. */
export function movers(from: Places, to: Places, candidates: Iterable<number>, { most = MOST, shortest = SHORTEST } = {}): number[] {
  const far = new Map<number, number>();
  for (const row of candidates) {
    const length = distance(from, to, row);
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

/** The selected rows, or all, that pass the filters. */
function candidates(): Iterable<number> {
  const bits = shown.value;
  const { rows } = selection.value;
  return rows.length ? rows.filter((row) => bits[row]! & 1) : visible(bits);
}

/** The rows that arrows are drawn for. */
const moved = computed<readonly number[]>(() => (here.value && there.value ? movers(here.value, there.value, candidates()) : []));

/** The longest move of these rows; null: none of them has a place in both runs. */
export function farthest(from: Places, to: Places, rows: Iterable<number>): number | null {
  let most: number | null = null;
  for (const row of rows) {
    const length = distance(from, to, row);
    if (length >= (most ?? 0)) most = length;
  }
  return most;
}

/** What the arrows are, or why there are none. */
export function Movers() {
  const other = second.value;
  if (!other || !here.value) return null;
  const name = shortly(other.run.id);
  return <span class="movers muted">{moved.value.length ? drawn(moved.value.length, name) : `No arrows to ${name}: ${reason(here.value)}`}</span>;
}

const drawn = (arrows: number, name: string): string => (arrows === 1 ? `Arrow: the largest move to ${name}` : `Arrows: the ${arrows} largest moves to ${name}`);

function reason(from: Places): string {
  if (!hasAxes.value) return "the axes of a projection differ from run to run";
  if (!there.value) return isOwnMap.value ? "no training dynamics were recorded for it" : `it has no positions on ${place.value?.title ?? "this map"}`;
  const most = farthest(from, there.value, candidates());
  const of = selection.value.rows.length ? "selected row" : "visible row";
  return most === null ? `no ${of} is in both runs` : `no ${of} moved by ${SHORTEST} or more, the largest move is ${decimal(most)}`;
}

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
