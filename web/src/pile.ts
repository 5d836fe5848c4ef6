/** Where on the data map points pile up. Pure. */

import { DATA_MAP, placed, type Places } from "./plane";
import type { Bounds } from "./render/camera";

/** The part is this share of the map in both directions, and worth magnifying with this share of the points. */
const PART = 1 / 16;
const CROWDED = 0.25;
const LEAST = 300; // rows below which a pile can be seen through
/** Columns and rows of the grid in whose cells points are counted, and those of the part. */
const GRID = 64;
const SPAN = GRID * PART;
const SIDE = GRID + 1;

export interface Pile {
  readonly box: Bounds;
  /** Visible rows in it, and in all. */
  readonly rows: number;
  readonly of: number;
}

/** The part of the data map, wherever it lies, that holds the most visible points, where these are more than a quarter of all. */
export function pile(places: Places, bits: Uint8Array): Pile | null {
  const of = placed(places.x, bits);
  if (of < LEAST) return null;
  const box = centred(gathered(places, bits, fullest(counted(places, bits))));
  const { rows } = gathered(places, bits, box);
  return rows < CROWDED * of ? null : { box, rows, of };
}

const cell = (value: number, end: number): number => Math.max(0, Math.min(GRID - 1, Math.floor((value / end) * GRID)));

/** Visible points to the left of and below each corner of the grid, [SIDE] × [SIDE]. */
function counted({ x, y }: Places, bits: Uint8Array): Float64Array {
  const sums = new Float64Array(SIDE * SIDE);
  for (let row = 0; row < x.length; row++) {
    if (!(bits[row]! & 1) || Number.isNaN(x[row]!)) continue;
    const at = (cell(y[row]!, DATA_MAP.high) + 1) * SIDE + cell(x[row]!, DATA_MAP.right) + 1;
    sums[at] = sums[at]! + 1;
  }
  for (let at = SIDE + 1; at < sums.length; at++) {
    if (at % SIDE) sums[at] = sums[at]! + sums[at - 1]! + sums[at - SIDE]! - sums[at - SIDE - 1]!;
  }
  return sums;
}

/** Bounds of the window of `SPAN` cells with the most points. */
function fullest(sums: Float64Array): Bounds {
  let most = -1;
  let best = 0;
  for (let low = 0; low + SPAN <= GRID; low++) {
    for (let left = 0; left + SPAN <= GRID; left++) {
      const at = low * SIDE + left;
      const rows = sums[at + SPAN * SIDE + SPAN]! - sums[at + SPAN * SIDE]! - sums[at + SPAN]! + sums[at]!;
      if (rows > most) [most, best] = [rows, at];
    }
  }
  return part(((best % SIDE) / GRID) * DATA_MAP.right, (Math.floor(best / SIDE) / GRID) * DATA_MAP.high);
}

interface Gathered {
  readonly rows: number;
  /** Their mean. */
  readonly x: number;
  readonly y: number;
}

/** The visible points within bounds. */
function gathered({ x, y }: Places, bits: Uint8Array, { left, right, low, high }: Bounds): Gathered {
  const sum = { rows: 0, x: 0, y: 0 };
  for (let row = 0; row < x.length; row++) {
    const [u, v] = [x[row]!, y[row]!];
    if (!(bits[row]! & 1) || !(u >= left && u <= right && v >= low && v <= high)) continue;
    sum.rows++;
    sum.x += u;
    sum.y += v;
  }
  return { rows: sum.rows, x: sum.x / sum.rows, y: sum.y / sum.rows };
}

/** The part around the middle of points, within the map. */
function centred({ x, y }: Gathered): Bounds {
  const within = (value: number, end: number): number => Math.max(0, Math.min(end * (1 - PART), value - (end * PART) / 2));
  return part(within(x, DATA_MAP.right), within(y, DATA_MAP.high));
}

const part = (left: number, low: number): Bounds => ({ left, right: left + PART * DATA_MAP.right, low, high: low + PART * DATA_MAP.high });
