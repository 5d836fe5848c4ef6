/** What the map draws, derived from the page's state: positions, colours, sizes, the camera. No canvas here. */

import { batch, computed, effect, signal } from "@preact/signals";

import type { ColumnInfo, Layout } from "./api";
import { type Colouring, colouring, sizes } from "./colouring";
import { type Dynamics, dynamics, type MapAt, mapAt } from "./epochs";
import { dark } from "./ground";
import { inside, type Point } from "./lasso";
import { lying } from "./reference";
import { bounds, type Bounds, type Camera, joined } from "./render/camera";
import { order } from "./render/order";
import type { Palette, Scene } from "./render/renderer";
import { api, colour, density, during, epoch, flags, layout, need, points, second, select, selection, shown, size } from "./state";
import { columns, type Points, type Values } from "./wire";

export type Tool = "move" | "lasso" | "box";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Positions of all rows, in coordinates of a layout; NaN where a row has none. */
export interface Places {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Rows above which the map shows how many rather than which, unless told otherwise. */
const CROWD = 200_000;
/** Area of a canvas (CSS pixels) on which points have their full size. */
const ROOMY = 440_000;
/** Largest cell of the density, CSS pixels. */
const COARSE = 24;
const DATA_MAPS: ReadonlySet<string> = new Set(["map", "across"]);
/** Confidence lies in [0, 1]; the deviation of such numbers is at most 0.5. */
export const DATA_MAP: Bounds = { left: 0, right: 0.5, low: 0, high: 1 };
/** Rows of all epochs together whose bounds are soon found. */
const SOON = 3_000_000;
/** Extent below which the points of a data map are taken for one. */
const LEAST = 0.02;
const PROJECTIONS: ReadonlySet<string> = new Set(["umap", "pca"]);

export const tool = signal<Tool>("lasso");
export const camera = signal<Camera | null>(null);
/** Of the canvas, CSS pixels. */
export const extent = signal<Size>({ width: 0, height: 0 });
/** Recorded dynamics of the open run, once they were asked for. */
const recorded = signal<{ readonly run: string; readonly dynamics: Dynamics } | null>(null);

/** Ask for the recorded dynamics of the open run, once. */
export async function replayed(): Promise<void> {
  const now = points.value;
  if (!now || recorded.value?.run === now.run.id) return;
  const bytes = await during(() => api().epochs(now.run.id));
  if (bytes) recorded.value = { run: now.run.id, dynamics: dynamics(columns(bytes)) };
}

export const place = computed<Layout | null>(
  () => points.value?.run.layouts.find((one) => one.name === layout.value) ?? points.value?.run.layouts[0] ?? null,
);

/** Whether it is a data map: of this run, or the means of several. */
export const isDataMap = computed(() => place.value !== null && DATA_MAPS.has(place.value.name));

/** Whether it is the map that this run drew, which the epochs replay. */
export const isOwnMap = computed(() => place.value?.name === "map");

/** Whether the axes mean something: those of a projection do not. */
export const hasAxes = computed(() => place.value !== null && !PROJECTIONS.has(place.value.name));

export function info(name: string | null): ColumnInfo | null {
  return points.value?.run.columns.find((one) => one.name === name) ?? null;
}

/** The data map as it was at the chosen epoch; null: as it is. */
const earlier = computed<MapAt | null>(() => {
  const found = recorded.value;
  return epoch.value !== null && found?.run === points.value?.run.id && found ? mapAt(found.dynamics, epoch.value) : null;
});

/** Values of a column, at the chosen epoch where it is one of the data map. */
function valuesOf(name: string): Values | undefined {
  const then = earlier.value;
  if (then && (name === "confidence" || name === "variability" || name === "correctness")) return then[name];
  return points.value?.values.get(name);
}

function placesIn(now: Points, at: Layout | null): Places | null {
  const x = at && now.values.get(at.x);
  const y = at && now.values.get(at.y);
  return x instanceof Float32Array && y instanceof Float32Array ? { x, y } : null;
}

/** Where the rows lie now; null: the run has no such positions, or they are on their way. */
export const here = computed<Places | null>(() => {
  const then = earlier.value;
  if (then && isOwnMap.value) return { x: then.variability, y: then.confidence };
  return points.value && placesIn(points.value, place.value);
});

/** Where the same rows lie in the second run, on axes that mean the same in every run. */
export const there = computed<Places | null>(() => (second.value && hasAxes.value ? placesIn(second.value, place.value) : null));

const colourValues = computed(() => valuesOf(colour.value));

export const colours = computed<Colouring | null>(() => {
  const of = info(colour.value);
  return of && colourValues.value ? colouring(of, colourValues.value, dark.value) : null;
});

const GREY: Palette = { colours: new Uint8Array(1024).fill(140), shapes: new Uint8Array(256) };

/** What points look like, before their colours are known too. */
export const palette = (): Palette => colours.peek()?.palette ?? GREY;

const sizeValues = computed(() => (size.value === null ? undefined : points.value?.values.get(size.value)));

const sized = computed<Float32Array | null>(() =>
  sizeValues.value ? sizes(sizeValues.value, usual.value * 0.75, usual.value * 2) : null,
);

/** Diameter of a point, CSS pixels: smaller in a crowd, and on a small canvas. */
export const usual = computed(() => {
  const rows = points.value?.rows ?? 0;
  const room = Math.min(1, Math.sqrt((extent.value.width * extent.value.height) / ROOMY) || 1);
  return Math.max(2, room * roughly(rows));
});

/** Visible rows that have a place, by the coordinates of one axis. */
export function placed(x: Float32Array, bits: Uint8Array): number {
  let rows = 0;
  for (let row = 0; row < x.length; row++) if (bits[row]! & 1 && !Number.isNaN(x[row]!)) rows++;
  return rows;
}

/** Side of a cell of the density, CSS pixels: the fewer rows are visible, the larger, else each would be a speck of its own. */
export const cell = computed(() => {
  const { width, height } = extent.value;
  const rows = here.value ? placed(here.value.x, shown.value) : 0;
  const apart = Math.sqrt((width * height) / (rows || 1));
  return Math.max(1, Math.min(COARSE, Math.round(apart / 2)));
});

/** Diameter by the number of rows. */
const roughly = (rows: number): number =>
  rows > 100_000 ? 2 : rows > 20_000 ? 3.2 : rows > 4_000 ? 5 : 6.5;

export const crowded = computed(() =>
  density.value === "auto" ? (points.value?.rows ?? 0) > CROWD : density.value === "on",
);

/** None in a crowd, where rows that lie apart in memory cost eight times as much to draw: density shows all colours there. */
const stacked = computed<Uint32Array | null>(() => {
  const now = colours.value;
  return now && !crowded.value && now.codes.length <= CROWD ? order(now.codes, !now.ramp) : null;
});

export const chosen = computed(() => selection.value.rows.length > 0);

/** Columns that the map needs and the page does not have yet. */
const wanted = computed(() => {
  const names = [colour.value, size.value, place.value?.x, place.value?.y, hasAxes.value ? null : "cluster_name"];
  return names.filter((name) => name && info(name) && info(name)!.kind !== "text" && !points.value?.values.has(name)).join("\n");
});

effect(() => {
  const names = wanted.value.split("\n").filter(Boolean);
  queueMicrotask(() => names.forEach((name) => void during(() => need(name))));
});

/** What to draw now: layout a is where points come from, layout b where they go. */
export function scene(from: Places, to: Places): Scene {
  return {
    ax: from.x,
    ay: from.y,
    bx: to.x,
    by: to.y,
    colour: colours.value?.codes ?? new Uint8Array(to.x.length).fill(255),
    size: sized.value,
    flags: flags.value,
    order: stacked.value,
  };
}

/** Bounds of the data map that leave less of it empty, where its points lie in a small part of it. */
export function filled({ left, right, low, high }: Bounds): Bounds {
  const from = left < right - left ? 0 : left; // the axis begins at none where that leaves half of the map to the points
  if (right - from >= DATA_MAP.right / 2 || high - low >= DATA_MAP.high / 2) return DATA_MAP;
  const room = Math.max(high - low, 2 * (right - from), LEAST) / 10;
  return {
    left: Math.max(0, from - room / 2),
    right: Math.min(DATA_MAP.right, right + room / 2),
    low: Math.max(0, low - room),
    high: Math.min(DATA_MAP.high, high + room),
  };
}

const boundsOf = ({ x, y }: Places): Bounds => bounds(x, y);

/** Bounds of the data map over all epochs, once these were asked for, so that no epoch moves the axes; null: they are not known. */
export const overEpochs = computed<Bounds | null>(() => {
  const found = recorded.value;
  if (!isOwnMap.value || found?.run !== points.value?.run.id || !found) return null;
  const { probability } = found.dynamics;
  if (probability.length * (points.value?.rows ?? 0) > SOON) return DATA_MAP;
  const each = probability.map((_, at) => mapAt(found.dynamics, at + 1));
  return each.map(({ variability: x, confidence: y }) => boundsOf({ x, y })).reduce(joined);
});

/** Bounds that show a layout whole: every epoch of the data map, a second run beside this one, the reference of production. */
export function whole(): Bounds {
  if (!here.value) return DATA_MAP;
  const beside = isDataMap.value ? [overEpochs.value, there.value && boundsOf(there.value)] : [lying.value?.x.length ? boundsOf(lying.value) : null];
  const all = beside.reduce<Bounds>((sum, one) => (one ? joined(sum, one) : sum), boundsOf(here.value));
  return isDataMap.value ? filled(all) : all;
}

/** Select what a polygon in coordinates of the layout encloses; with `adds`, beside what was selected. */
export function enclose(polygon: readonly Point[], adds = false): void {
  const now = here.value;
  if (!now) return;
  const rows = inside(polygon, now.x, now.y, shown.value);
  if (!adds) return select(rows, { by: "lasso", layout: place.value?.name ?? "", polygon });
  batch(() => select(Uint32Array.from(new Set([...selection.value.rows, ...rows])).sort()));
}
