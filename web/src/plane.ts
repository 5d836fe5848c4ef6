/** What the map draws, derived from the page's state: positions, colours, sizes. No canvas here. */

import { computed, signal } from "@preact/signals";

import type { ColumnInfo, Layout } from "./api";
import { type Colouring, colouring, sizes } from "./colouring";
import { type Dynamics, dynamics, mapAt } from "./epochs";
import { api, colour, density, during, epoch, flags, layout, need, points, second, selection, size } from "./state";
import { columns, type Points } from "./wire";
import type { Scene } from "./render/renderer";

/** Rows above which the map shows how many rather than which, unless told otherwise. */
const CROWD = 200_000;

/** Recorded dynamics of the open run, once they were asked for. */
export const recorded = signal<{ readonly run: string; readonly dynamics: Dynamics } | null>(null);

export async function replayed(): Promise<void> {
  const now = points.value;
  if (!now || recorded.value?.run === now.run.id) return;
  const bytes = await during(() => api().epochs(now.run.id));
  if (bytes) recorded.value = { run: now.run.id, dynamics: dynamics(columns(bytes)) };
}

export const place = computed<Layout | null>(
  () => points.value?.run.layouts.find((one) => one.name === layout.value) ?? points.value?.run.layouts[0] ?? null,
);

export function info(name: string | null): ColumnInfo | null {
  return points.value?.run.columns.find((one) => one.name === name) ?? null;
}

/** Horizontal and vertical position of each row in a layout, at the chosen epoch. */
export function positions(now: Points, at: Layout | null): { readonly x: Float32Array; readonly y: Float32Array } {
  const dynamic = recorded.value;
  if (at?.name === "map" && epoch.value !== null && dynamic?.run === now.run.id) {
    const map = mapAt(dynamic.dynamics, epoch.value);
    return { x: map.variability, y: map.confidence };
  }
  return { x: floats(now, at?.x), y: floats(now, at?.y) };
}

function floats(now: Points, name: string | undefined): Float32Array {
  const values = name === undefined ? undefined : now.values.get(name);
  return values instanceof Float32Array ? values : new Float32Array(now.rows).fill(Number.NaN);
}

export const here = computed(() => (points.value ? positions(points.value, place.value) : null));

const coloured = computed<Colouring | null>(() => {
  const now = points.value;
  const of = info(colour.value);
  const values = now?.values.get(colour.value);
  if (of && !values) void need(of.name);
  return of && values ? colouring(of, values) : null;
});
export { coloured as colours };

const sized = computed<Float32Array | null>(() => {
  const of = info(size.value);
  const values = of && points.value?.values.get(of.name);
  if (of && !values) void need(of.name);
  return of && values ? sizes(of, values, usual.value * 0.7, usual.value * 2.2) : null;
});

/** Diameter of a point, CSS pixels: smaller in a crowd. */
export const usual = computed(() => {
  const rows = points.value?.rows ?? 0;
  return rows > 100_000 ? 2 : rows > 20_000 ? 3 : rows > 4_000 ? 4.5 : 6;
});

export const crowded = computed(() =>
  density.value === "auto" ? (points.value?.rows ?? 0) > CROWD : density.value === "on",
);

export const dimmed = computed(() => selection.value.rows.length > 0);

/** Positions of the same rows in the second run; null where there is none. */
export const there = computed(() => (second.value ? positions(second.value, place.value) : null));

/** What to draw now: layout a is where points come from, layout b where they go. */
export function scene(from: { x: Float32Array; y: Float32Array }, to: { x: Float32Array; y: Float32Array }): Scene | null {
  const found = coloured.value;
  const now = points.value;
  if (!now) return null;
  return {
    ax: from.x,
    ay: from.y,
    bx: to.x,
    by: to.y,
    colour: found?.codes ?? new Uint8Array(now.rows),
    size: sized.value,
    flags: flags.value,
  };
}
