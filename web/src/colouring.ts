/** Colours of the points from a column, and the legend that says what they mean. */

import type { ColumnInfo } from "./api";
import type { Palette } from "./render/renderer";
import { missing, number, type Values } from "./wire";

/** Okabe & Ito (2008): eight colours that people with any colour vision tell apart; black is left to the text. */
const CATEGORIES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c", "#b8a800"] as const;
/** Cividis (Nuñez, Anderton & Renslow 2018), eleven steps. */
const RAMP = [
  "#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838", "#fff27a",
] as const;
const NEUTRAL = "#9a9fa8";
const NAMED = 20;
const LAST = 255;

export interface Entry {
  readonly name: string;
  /** CSS colour, and index into `SHAPES`. */
  readonly colour: string;
  readonly shape: number;
  /** Codes of the column that this entry stands for; empty for a ramp. */
  readonly codes: readonly number[];
  readonly count: number;
}

export interface Colouring {
  readonly column: string;
  /** Index into the palette, [rows]. */
  readonly codes: Uint8Array;
  readonly palette: Palette;
  readonly entries: readonly Entry[];
  /** Of numbers: the ends of the ramp. */
  readonly ramp: { readonly low: number; readonly high: number; readonly colours: readonly string[] } | null;
}

/** Colours for a column of categories, flags or numbers. Categories beyond the 20th share one colour. */
export function colouring(info: ColumnInfo, values: Values): Colouring {
  return info.kind === "number" ? ramped(info, values) : named(info, values);
}

function names(info: ColumnInfo): readonly string[] {
  return info.kind === "flag" ? ["no", "yes"] : info.categories;
}

function named(info: ColumnInfo, values: Values): Colouring {
  const all = names(info);
  const none = missing(values);
  const counts = new Float64Array(all.length + 1);
  const codes = new Uint8Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    counts[value === none ? all.length : value]!++;
    codes[row] = value === none ? LAST : Math.min(value, NAMED);
  }
  const few = all.slice(0, NAMED).map((name, code): Entry => ({
    name,
    colour: CATEGORIES[code % CATEGORIES.length]!,
    shape: Math.floor(code / CATEGORIES.length) * 3 + (code % CATEGORIES.length),
    codes: [code],
    count: counts[code]!,
  }));
  const rest = all.slice(NAMED).map((_, at) => at + NAMED);
  const entries = few.map((entry) => ({ ...entry, shape: entry.shape % 8 }));
  if (rest.length) entries.push(other(`${rest.length} more`, rest, rest.reduce((sum, code) => sum + counts[code]!, 0)));
  if (counts[all.length]) entries.push(other("no value", [none], counts[all.length]!));
  return { column: info.name, codes, palette: palette(entries, all.length > NAMED), entries, ramp: null };
}

const other = (name: string, codes: readonly number[], count: number): Entry => ({ name, colour: NEUTRAL, shape: 6, codes, count });

function palette(entries: readonly Entry[], cut: boolean): Palette {
  const colours = new Uint8Array(1024);
  const shapes = new Uint8Array(256);
  for (let code = 0; code < 256; code++) paint(colours, code, NEUTRAL);
  shapes.fill(6);
  entries.forEach((entry, at) => {
    const code = entry.name === "no value" ? LAST : cut && at === NAMED ? NAMED : at;
    paint(colours, code, entry.colour);
    shapes[code] = entry.shape;
  });
  return { colours, shapes };
}

function ramped(info: ColumnInfo, values: Values): Colouring {
  const low = info.low ?? info.min ?? 0;
  const high = info.high ?? info.max ?? 1;
  const span = high - low || 1;
  const codes = new Uint8Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    codes[row] = Number.isNaN(value) ? LAST : Math.max(0, Math.min(LAST - 1, Math.round(((value - low) / span) * (LAST - 1))));
  }
  const colours = new Uint8Array(1024);
  for (let code = 0; code < LAST; code++) paint(colours, code, between(code / (LAST - 1)));
  paint(colours, LAST, NEUTRAL);
  const entries = info.missing ? [other("no value", [], info.missing)] : [];
  return { column: info.name, codes, palette: { colours, shapes: new Uint8Array(256) }, entries, ramp: { low, high, colours: RAMP } };
}

/** Colour of the ramp at a share of its length, `#rrggbb`. */
export function between(share: number): string {
  const at = share * (RAMP.length - 1);
  const from = Math.min(RAMP.length - 2, Math.floor(at));
  const mixed = rgb(RAMP[from]!).map((value, k) => Math.round(value + (rgb(RAMP[from + 1]!)[k]! - value) * (at - from)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

const rgb = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

function paint(colours: Uint8Array, code: number, hex: string): void {
  colours.set([...rgb(hex), 255], 4 * code);
}

/** Diameters from a column, CSS pixels, [rows]: area grows with the value between its 1st and 99th percentile of the range. */
export function sizes(info: ColumnInfo, values: Values, smallest: number, largest: number): Float32Array {
  const low = info.min ?? 0;
  const span = (info.max ?? 1) - low || 1;
  const found = new Float32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const share = (values[row]! - low) / span;
    found[row] = share >= 0 ? Math.sqrt(smallest ** 2 + (largest ** 2 - smallest ** 2) * Math.min(1, share)) : smallest;
  }
  return found;
}

/** How a ramp's end reads. */
export const end = (value: number): string => number(value);
