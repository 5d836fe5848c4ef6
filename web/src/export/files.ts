/** Rows as text files, for a page that no service helps: the same that the service writes. */

import type { Json } from "../api";

export type Cells = Readonly<Record<string, Json>>;

/** What a spreadsheet would take for a formula gets an apostrophe; NUL, at which readers of CSV stop, its picture. */
const guarded = (text: string): string => text.replaceAll("\0", "␀").replace(/^(?= *[=+\-@\t\r])/, "'");

function plain(value: Json): string {
  if (typeof value === "string") return guarded(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cell(value: Json): string {
  const text = plain(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const line = (values: readonly Json[]): string => `${values.map(cell).join(",")}\r\n`;

/** For people and their spreadsheets; lists are JSON. */
export function csv(names: readonly string[], rows: readonly Cells[]): string {
  return [line(names), ...rows.map((row) => line(names.map((name) => row[name] ?? null)))].join("");
}

/** Every value as it is, one object per line. */
export function jsonl(names: readonly string[], rows: readonly Cells[]): string {
  return rows.map((row) => `${JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name] ?? null])))}\n`).join("");
}
