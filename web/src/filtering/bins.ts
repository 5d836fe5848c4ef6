/** Which bar of a column's histogram each row belongs to: worked out once per column, then only counted. */

import type { ColumnInfo } from "../api";
import { present, type Values } from "../wire";

export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** Bars of a column. Categories and flags are their own codes; numbers fall into `edges`. */
export interface Bins {
  /** Bar of each row, [rows]; a code of `count` or above has no value. */
  readonly codes: Codes;
  readonly count: number;
  /** Of numbers: `count + 1` ends, evenly spaced; empty for categories. */
  readonly edges: Float64Array;
  /** All values are whole numbers: a bar ends before the next whole number. */
  readonly whole: boolean;
  /** The last bar also holds what lies above its end: a few values far away do not squash the rest. */
  readonly clipped: boolean;
}

/** Bars that a range is cut into, about. */
const BARS = 24;
const SAMPLE = 4096;
/** A tail beyond this many times the range of 99 % of the rows goes into the last bar. */
const FAR = 3;
const NONE = 0xff;

const cache = new WeakMap<Values, Bins>();

/** Bars of a column, worked out the first time they are asked for. */
export function bins(info: ColumnInfo, values: Values): Bins {
  const known = cache.get(values);
  if (known) return known;
  const made = values instanceof Float32Array ? ofNumbers(info, values) : ofCodes(info, values);
  cache.set(values, made);
  return made;
}

function ofCodes(info: ColumnInfo, codes: Codes): Bins {
  const count = info.kind === "flag" ? 2 : info.categories.length;
  return { codes, count, edges: new Float64Array(0), whole: false, clipped: false };
}

function ofNumbers(info: ColumnInfo, values: Float32Array): Bins {
  const low = info.min ?? 0;
  const high = info.max ?? low;
  const whole = values.every((value) => Number.isNaN(value) || Number.isInteger(value));
  const most = quantile(values, 0.99);
  const clipped = high - low > FAR * (most - low) && most > low;
  const { start, step, count } = steps(low, clipped ? most : high, whole);
  const codes = new Uint8Array(values.length);
  const scale = 1 / step;
  for (let row = 0; row < values.length; row++) {
    const at = Math.floor((values[row]! - start) * scale + 1e-6);
    codes[row] = at >= count ? count - 1 : at >= 0 ? at : present(values, row) ? 0 : NONE;
  }
  const edges = Float64Array.from({ length: count + 1 }, (_, k) => tidy(start + k * step));
  return { codes, count, edges, whole, clipped };
}

const tidy = (value: number): number => Number(value.toPrecision(10));

/** Even steps of 1, 2, 2.5 or 5 times a power of ten that cover a range.
 *
 * steps(0, 1, false) is { start: 0, step: 0.05, count: 20 } */
export function steps(low: number, high: number, whole: boolean): { start: number; step: number; count: number } {
  const rough = (high - low + (whole ? 1 : 0)) / BARS || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const units = whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10];
  const step = Math.max(whole ? 1 : 0, (units.find((unit) => unit * power >= rough * 0.999) ?? 10) * power);
  const start = Math.floor(low / step + 1e-9) * step;
  const span = (whole ? high + 1 : high) - start;
  return { start, step, count: Math.max(1, Math.ceil(span / step - 1e-6)) };
}

/** About the value that a share of the rows do not exceed, from an even sample; NaN where no row has a value. */
export function quantile(values: Float32Array, share: number): number {
  const stride = Math.max(1, Math.floor(values.length / SAMPLE));
  const sample = new Float32Array(Math.ceil(values.length / stride));
  let count = 0;
  for (let row = 0; row < values.length; row += stride) if (!Number.isNaN(values[row]!)) sample[count++] = values[row]!;
  const sorted = sample.subarray(0, count).sort();
  return sorted[Math.min(count - 1, Math.floor(share * count))] ?? Number.NaN;
}

/** The range that bars `from` (inclusive) to `to` (exclusive) stand for; open where they reach an end.
 * Bounds are inclusive, so that of whole numbers is one below the next bar. */
export function range(of: Bins, from: number, to: number): { readonly low: number; readonly high: number } {
  const low = from <= 0 ? -Infinity : of.edges[from]!;
  const high = to >= of.count ? Infinity : of.edges[to]! - (of.whole ? 1 : 0);
  return { low, high };
}

/** Where a range lies among the bars, in bars from the left, fractions included. */
export function extent(of: Bins, low: number, high: number): { readonly from: number; readonly to: number } {
  const start = of.edges[0]!;
  const step = of.edges[1]! - start;
  const place = (value: number): number => Math.max(0, Math.min(of.count, Number(((value - start) / step).toFixed(6))));
  return { from: place(low), to: high === Infinity ? of.count : place(high + (of.whole ? 1 : 0)) };
}
