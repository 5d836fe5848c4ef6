/** Filters over columns, and what passes them. Pure: typed arrays in, typed arrays out. */

import { type Points, present, type Values } from "./wire";

/** `range` is inclusive at both ends; `codes` are those that pass. Rows with a missing value pass only where `missing` is true. */
export type Filter =
  | { readonly by: "range"; readonly low: number; readonly high: number; readonly missing?: boolean }
  | { readonly by: "codes"; readonly codes: ReadonlySet<number>; readonly missing?: boolean };

/** Whether a row passes one filter. */
export function passes(filter: Filter, values: Values, row: number): boolean {
  if (!present(values, row)) return filter.missing ?? false;
  const value = values[row]!;
  return filter.by === "range" ? value >= filter.low && value <= filter.high : filter.codes.has(value);
}

/** 1 per row that passes every filter and the search, [rows]. Filters on columns that are not loaded let all pass. */
export function visible(points: Points, filters: ReadonlyMap<string, Filter>, found: Uint32Array | null): Uint8Array {
  const bits = new Uint8Array(points.rows);
  if (found) for (const row of found) bits[row] = 1;
  else bits.fill(1);
  for (const [name, filter] of filters) {
    const values = points.values.get(name);
    if (values) keep(bits, filter, values);
  }
  return bits;
}

function keep(bits: Uint8Array, filter: Filter, values: Values): void {
  if (filter.by === "range" && values instanceof Float32Array && !filter.missing) {
    const { low, high } = filter;
    for (let row = 0; row < bits.length; row++) if (!(values[row]! >= low && values[row]! <= high)) bits[row] = 0;
    return;
  }
  for (let row = 0; row < bits.length; row++) if (bits[row] && !passes(filter, values, row)) bits[row] = 0;
}
