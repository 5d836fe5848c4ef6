/** Which filter hides a row, and how many rows each bar has then. One pass over typed arrays per filter and per open column. */

import type { Filter } from "../filter";
import { missing, type Points, type Values } from "../wire";
import type { Bins } from "./bins";

/** Passes everything. */
export const PASSES = 0;
/** Fails the search alone. */
export const SEARCH = 254;
/** Fails more than one filter. */
export const SEVERAL = 255;

/** What hides each row, [rows]: `PASSES`; the place of the one filter that it fails, from 1; `SEARCH`; or `SEVERAL`.
 * Filters on columns that are not loaded let all pass. */
export function blamed(points: Points, filters: ReadonlyMap<string, Filter>, found: Uint32Array | null): Uint8Array {
  const blame = new Uint8Array(points.rows);
  if (found) {
    blame.fill(SEARCH);
    for (const row of found) blame[row] = PASSES;
  }
  let place = 1;
  for (const [name, filter] of filters) {
    const values = points.values.get(name);
    if (values) accuse(blame, place, filter, values);
    place++;
  }
  return blame;
}

function accuse(blame: Uint8Array, place: number, filter: Filter, values: Values): void {
  if (!(values instanceof Float32Array)) return accuseCodes(blame, place, filter, values);
  const low = filter.by === "range" ? Math.fround(filter.low) : Infinity;
  const high = filter.by === "range" ? Math.fround(filter.high) : -Infinity;
  const bare = filter.missing ?? false;
  for (let row = 0; row < blame.length; row++) {
    const value = values[row]!;
    const passes = (value >= low && value <= high) || (bare && value !== value);
    if (!passes) blame[row] = blame[row] ? SEVERAL : place;
  }
}

function accuseCodes(blame: Uint8Array, place: number, filter: Filter, values: Uint8Array | Uint16Array | Uint32Array): void {
  const largest = values instanceof Uint32Array ? beyond(values) : missing(values);
  const lets = new Uint8Array(largest + 1);
  if (filter.by === "codes") for (const code of filter.codes) lets[code] = 1;
  else for (let code = Math.max(0, Math.ceil(filter.low)); code < largest && code <= filter.high; code++) lets[code] = 1;
  lets[largest] = filter.missing ? 1 : 0;
  for (let row = 0; row < blame.length; row++) {
    if (!lets[Math.min(values[row]!, largest)]) blame[row] = blame[row] ? SEVERAL : place;
  }
}

/** One more than the largest code that is not a missing value's. */
function beyond(codes: Uint32Array): number {
  const none = missing(codes);
  return codes.reduce((most, code) => (code !== none && code >= most ? code + 1 : most), 0);
}

/** 1 per row that passes everything, [rows]. */
export function passing(blame: Uint8Array): Uint8Array {
  const bits = new Uint8Array(blame.length);
  for (let row = 0; row < bits.length; row++) bits[row] = blame[row] === PASSES ? 1 : 0;
  return bits;
}

export interface Counts {
  /** Rows per bar, [bars + 1]; the last is of rows without a value. */
  readonly all: Uint32Array;
  /** Those that pass all *other* filters and the search: what this column's own filter would let through. */
  readonly passing: Uint32Array;
}

/** Rows per bar. `own` is the place of the column's own filter among the filters, from 1; 0: it has none. */
export function counted(of: Bins, blame: Uint8Array, own: number): Counts {
  const { codes, count } = of;
  const width = codes instanceof Uint8Array ? 256 : codes instanceof Uint16Array ? 65_536 : count + 1;
  const hides = new Uint32Array(256).fill(width);
  hides[PASSES] = 0;
  if (own) hides[own] = 0;
  const sums = new Uint32Array(2 * width);
  if (codes instanceof Uint32Array) for (let row = 0; row < codes.length; row++) sums[Math.min(codes[row]!, count) + hides[blame[row]!]!]!++;
  else for (let row = 0; row < codes.length; row++) sums[codes[row]! + hides[blame[row]!]!]!++;
  return { all: folded(sums, count, width, true), passing: folded(sums, count, width, false) };
}

/** The first `count` sums, and the last of `width` as the one of missing values. */
function folded(sums: Uint32Array, count: number, width: number, hidden: boolean): Uint32Array {
  const at = (code: number): number => sums[code]! + (hidden ? sums[code + width]! : 0);
  return Uint32Array.from({ length: count + 1 }, (_, bar) => at(bar < count ? bar : width - 1));
}

/** Rows of a list per bar, [bars + 1]. */
export function countedIn(of: Bins, rows: Uint32Array): Uint32Array {
  const sums = new Uint32Array(of.count + 1);
  for (const row of rows) sums[Math.min(of.codes[row]!, of.count)]!++;
  return sums;
}
