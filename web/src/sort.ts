/** Orders of rows by a column: stable, in linear time, missing values last either way. Pure. */

import type { ColumnInfo } from "./api";
import { missing, type Values } from "./wire";

const BITS = 11;
const BUCKETS = 1 << BITS;
/** Key of a missing value: after all others. */
const LAST = 0xffffffff;

/** A column to order by. */
export interface Sort {
  readonly name: string;
  readonly descending: boolean;
}

const known = new WeakMap<Values, Map<boolean, Uint32Array>>();

/** The same as `order`, found once per column and direction. */
export function ordering(info: ColumnInfo, values: Values, descending: boolean): Uint32Array {
  const ways = known.get(values) ?? new Map<boolean, Uint32Array>();
  known.set(values, ways);
  const found = ways.get(descending) ?? order(info, values, descending);
  ways.set(descending, found);
  return found;
}

/** All rows in the order of a column, [rows]. Names are ordered as a reader expects, numbers and flags by size. */
export function order(info: ColumnInfo, values: Values, descending: boolean): Uint32Array {
  return sorted(keys(info, values, descending));
}

/** The rows of an order that are in `rows`, without sorting again: `of` is the number of all rows. */
export function among(all: Uint32Array, rows: Uint32Array, of: number): Uint32Array {
  const there = new Uint8Array(of);
  for (const row of rows) there[row] = 1;
  const kept = new Uint32Array(rows.length);
  let count = 0;
  for (let at = 0; at < all.length; at++) if (there[all[at]!]) kept[count++] = all[at]!;
  return kept.subarray(0, count);
}

function keys(info: ColumnInfo, values: Values, descending: boolean): Uint32Array {
  const found = values instanceof Float32Array ? floatKeys(values) : codeKeys(values, info.kind === "category" ? ranks(info.categories) : null);
  if (descending) for (let row = 0; row < found.length; row++) if (found[row] !== LAST) found[row] = LAST - 1 - found[row]!;
  return found;
}

/** Bits of a float, turned so that they order like the number. -0 and 0 are one number. */
function floatKeys(values: Float32Array): Uint32Array {
  const exact = new Float32Array(values.length);
  for (let row = 0; row < values.length; row++) exact[row] = values[row]! + 0;
  const found = new Uint32Array(exact.buffer);
  for (let row = 0; row < found.length; row++) {
    const bits = found[row]!;
    if ((bits & 0x7fffffff) > 0x7f800000) found[row] = LAST;
    else found[row] = bits & 0x80000000 ? ~bits : bits | 0x80000000;
  }
  return found;
}

function codeKeys(values: Values, rank: Uint32Array | null): Uint32Array {
  const none = missing(values);
  const found = new Uint32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const code = values[row]!;
    found[row] = code === none ? LAST : rank ? (rank[code] ?? LAST) : code;
  }
  return found;
}

/** Place of each category among the sorted names: `2` before `10`, whatever the case. */
function ranks(names: readonly string[]): Uint32Array {
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const at = names.map((_, code) => code).sort((a, b) => compare(names[a]!, names[b]!));
  const rank = new Uint32Array(names.length);
  at.forEach((code, place) => (rank[code] = place));
  return rank;
}

/** Rows by ascending key, equal keys in the order of rows: a radix sort, 11 bits at a time, that carries the keys along. */
function sorted(first: Uint32Array): Uint32Array {
  let key = first;
  let rows: Uint32Array = new Uint32Array(key.length);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  let key2: Uint32Array = new Uint32Array(key.length);
  let rows2: Uint32Array = new Uint32Array(key.length);
  for (let shift = 0; shift < 32; shift += BITS) {
    const starts = counted(key, shift);
    if (!starts) continue;
    for (let at = 0; at < key.length; at++) {
      const to = starts[(key[at]! >>> shift) & (BUCKETS - 1)]!++;
      key2[to] = key[at]!;
      rows2[to] = rows[at]!;
    }
    [key, key2] = [key2, key];
    [rows, rows2] = [rows2, rows];
  }
  return rows;
}

/** Where each bucket begins; null if one bucket holds all, as with a column of few codes. */
function counted(key: Uint32Array, shift: number): Uint32Array | null {
  const counts = new Uint32Array(BUCKETS);
  for (let at = 0; at < key.length; at++) counts[(key[at]! >>> shift) & (BUCKETS - 1)]!++;
  let start = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const count = counts[bucket]!;
    if (count && count === key.length) return null;
    counts[bucket] = start;
    start += count;
  }
  return counts;
}
