/** Arrow streams to typed arrays, without a copy where the stream has one batch. */

import { tableFromIPC } from "@uwdata/flechette";

import type { ColumnInfo, RunInfo } from "./api";

export type Values = Float32Array | Uint8Array | Uint16Array | Uint32Array;

/** Columns of one run, row by row: `row` means the same in all of them and in every route of that run. */
export interface Points {
  readonly run: RunInfo;
  readonly rows: number;
  readonly values: ReadonlyMap<string, Values>;
}

/** Columns of an Arrow stream by name. Columns are of numbers and hold no nulls (missing values have their own code). */
export function columns(bytes: ArrayBuffer): Map<string, Values> {
  const table = tableFromIPC(new Uint8Array(bytes), { useBigInt: false });
  const found = new Map<string, Values>();
  table.schema.fields.forEach((field, index) => {
    found.set(field.name, table.getChildAt(index).toArray() as Values);
  });
  return found;
}

/** The code that stands for a missing value in a column of codes. */
export function missing(values: Values): number {
  return values instanceof Uint8Array ? 0xff : values instanceof Uint16Array ? 0xffff : 0xffffffff;
}

/** Whether row `row` has a value. */
export function present(values: Values, row: number): boolean {
  const value = values[row]!;
  return values instanceof Float32Array ? !Number.isNaN(value) : value !== missing(values);
}

/** A category as a reader sees it: rows that lie in no region of the data map lie between them. */
export function named(column: string, category: string): string {
  return category || (column === "region" ? "in between" : "(empty)");
}

/** A value as a reader sees it: the category's name, yes or no, a short number; a dash where there is none. */
export function shown(info: ColumnInfo, values: Values, row: number): string {
  if (!present(values, row)) return "–";
  const value = values[row]!;
  switch (info.kind) {
    case "category":
      return info.categories[value] ?? "–";
    case "flag":
      return value ? "yes" : "no";
    default:
      return number(value);
  }
}

/** A message of the server as a sentence of the page.
 *
 * sentence("run r has no embeddings") is "Run r has no embeddings." */
export function sentence(text: string): string {
  return text && `${text[0]!.toUpperCase()}${text.slice(1)}${/[.!?:)]$/.test(text) ? "" : "."}`;
}

/** Three significant digits, whole numbers whole. */
export function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}
