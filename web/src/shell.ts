/** What the page shows, as conditions of the shell: filters in SQL, rows by their ids. */

import type { ColumnInfo } from "./api";
import type { Filter } from "./filter";

/** A word as a shell reads it: quoted only where it must be.
 *
 * quoted("loss > 2") is '"loss > 2"' */
export function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`;
}

/** The shortest number that is the same in 32 bits: what is filtered here are such numbers, and on disk are longer ones. */
function short(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === Math.fround(value)) return String(shorter);
  }
  return String(value);
}

/** A column in SQL. Names of the dataset may be words of SQL, those that are explained here are none. */
const column = (info: ColumnInfo): string => (info.meaning && /^[a-z_]\w*$/.test(info.name) ? info.name : `"${info.name.replaceAll('"', '""')}"`);

/** Values of a column of categories or flags that pass, in SQL. */
function literals(info: ColumnInfo, filter: Filter): readonly string[] {
  const all = info.kind === "flag" ? ["false", "true"] : info.categories.map((name) => `'${name.replaceAll("'", "''")}'`);
  return all.filter((_, code) => (filter.by === "codes" ? filter.codes.has(code) : code >= filter.low && code <= filter.high));
}

function ranged(name: string, filter: Filter): readonly string[] {
  if (filter.by === "codes") return [];
  const low = Number.isFinite(filter.low) ? [`${name} >= ${short(filter.low)}`] : [];
  const high = Number.isFinite(filter.high) ? [`${name} <= ${short(filter.high)}`] : [];
  return low.length + high.length ? [[...low, ...high].join(" AND ")] : [`${name} IS NOT NULL`];
}

function named(info: ColumnInfo, name: string, filter: Filter): readonly string[] {
  const values = literals(info, filter);
  return values.length > 1 ? [`${name} IN (${values.join(", ")})`] : values.map((value) => `${name} = ${value}`);
}

/** The rows that pass a filter, in SQL.
 *
 * condition(loss, { by: "range", low: 2, high: Infinity, missing: true }) is "(loss >= 2 OR loss IS NULL)" */
export function condition(info: ColumnInfo, filter: Filter): string {
  const name = column(info);
  const passing = info.kind === "number" ? ranged(name, filter) : named(info, name, filter);
  const any = [...passing, ...(filter.missing ? [`${name} IS NULL`] : [])];
  return any.length > 1 ? `(${any.join(" OR ")})` : (any[0] ?? "false");
}

/** Filters that must all pass, in SQL; empty without any. Those on columns that the run lacks hide nothing. */
export function rule(columns: readonly ColumnInfo[], filters: ReadonlyMap<string, Filter>): string {
  return columns.flatMap((info) => (filters.has(info.name) ? condition(info, filters.get(info.name)!) : [])).join(" AND ");
}

export interface Wanted {
  readonly run: string;
  /** Of rows; empty: whichever fulfil the rest. */
  readonly ids?: readonly string[];
  readonly search?: string;
  readonly rule?: string;
  /** File that is written. */
  readonly out: string;
}

/** The command that writes these rows. */
export function rowsCommand({ run, ids = [], search = "", rule: sql = "", out }: Wanted): string {
  const chosen = ids.map((id) => ` --id ${quoted(id)}`).join("");
  const words = search ? ` --search ${quoted(search)}` : "";
  return `tunewright rows ${quoted(run)}${chosen}${words}${sql ? ` --rule ${quoted(sql)}` : ""} --out ${out}`;
}
