/** Which columns the table shows, in which order, how wide, and how a value reads. */

import { computed, signal } from "@preact/signals";

import type { Cell, ColumnInfo, RunInfo } from "../api";
import { run } from "../state";
import { number } from "../wire";

/** Columns of numbers and names that a reader wants first, where a run has them. */
const WANTED = [
  "label", "predicted", "confidence", "variability", "suspicion", "probability", "f1", "rougeL", "loss", "region", "split",
] as const;
/** Beside the texts. */
const MOST = 7;

/** Columns that the reader chose; null: the usual ones. */
export const chosen = signal<readonly string[] | null>(null);

/** Columns of the table, in order: those chosen that the open run has. */
export const columns = computed<readonly ColumnInfo[]>(() => {
  const now = run.value;
  if (!now) return [];
  const all = new Map(now.columns.map((one) => [one.name, one]));
  return (chosen.value ?? usual(now)).flatMap((name) => all.get(name) ?? []);
});

/** Texts first, then what says most about a row. */
export function usual(now: RunInfo): readonly string[] {
  const there = new Set(now.columns.filter((one) => one.missing < now.examples).map((one) => one.name));
  const fields = now.fields.filter((name) => there.has(name));
  return [...fields, ...WANTED.filter((name) => there.has(name)).slice(0, MOST)];
}

/** A list with one of its items moved by one place. */
export function moved(names: readonly string[], name: string, by: 1 | -1): readonly string[] {
  const at = names.indexOf(name);
  const to = at + by;
  if (at < 0 || to < 0 || to >= names.length) return names;
  const next = [...names];
  [next[at], next[to]] = [next[to]!, next[at]!];
  return next;
}

/** What the model reads needs most room, an id least. */
function texts(name: string): { readonly least: number; readonly share: number } {
  if (name === "id") return { least: 120, share: 0.5 };
  return run.value?.fields.includes(name) ? { least: 170, share: 3 } : { least: 130, share: 2 };
}

/** Width of a column: least, CSS pixels, and its share of what is left. */
export function width(info: ColumnInfo): { readonly least: number; readonly share: number } {
  if (info.kind === "text") return texts(info.name);
  const head = 40 + 7.2 * info.name.length;
  if (info.kind !== "category") return { least: Math.max(64, head), share: 0 };
  const longest = info.categories.slice(0, 50).reduce((most, name) => Math.max(most, name.length), 0);
  return { least: Math.min(180, Math.max(72, head, 26 + 7 * longest)), share: 0.2 };
}

/** Whether values lie in [0, 1]: a small bar then says more than digits. */
export const isShare = (info: ColumnInfo): boolean => info.kind === "number" && info.low === 0 && info.high === 1;

/** A number with as many digits as its column needs, so that the points stand below each other. */
export function digits(info: ColumnInfo, value: number): string {
  if (isShare(info)) return value.toFixed(3);
  const most = Math.max(Math.abs(info.min ?? 0), Math.abs(info.max ?? 0));
  const whole = Number.isInteger(info.min) && Number.isInteger(info.max);
  if (whole || !Number.isFinite(value) || most >= 1000) return number(value).replace("-", "−");
  return value.toFixed(most < 10 ? 3 : 2).replace("-", "−");
}

/** Any value as text; a dash where there is none. */
export function worded(value: Cell | undefined): string {
  if (value === null || value === undefined || value === "") return "–";
  switch (typeof value) {
    case "number":
      return number(value);
    case "boolean":
      return value ? "yes" : "no";
    case "string":
      return value;
    default:
      return Array.isArray(value) ? value.map(worded).join(", ") : JSON.stringify(value);
  }
}
