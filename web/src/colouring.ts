/** Colours of the points from a column, and the legend that says what they mean. */

import type { ColumnInfo } from "./api";
import type { Palette } from "./render/renderer";
import { SHAPES } from "./render/shapes";
import { missing, number, type Values } from "./wire";

/** Okabe & Ito (2008): colours that people with any colour vision tell apart. Yellow is darkened for a light ground. */
const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800"] as const;
const ON_DARK = ["#3f9fdc", "#e69f00", "#00b585", "#e08fbd", "#8fd0f5", "#f0712c", "#f0e442"] as const;
const LAST_OF = { light: "#1f2328", dark: "#f2f2f2" } as const;
/** plasma (Smith & van der Walt 2015), without the end that the ground would swallow. */
const PLASMA = [
  "#0d0887", "#41049d", "#6a00a8", "#8f0da4", "#b12a90", "#cc4778", "#e16462", "#f2844b", "#fca636", "#fcce25", "#f0f921",
] as const;
const NEUTRAL = { light: "#8b919b", dark: "#8a919d" } as const;
const BLUE = 0;
const GREEN = 2;
const VERMILLION = 5;
const RING = SHAPES.indexOf("ring");
const BAR = SHAPES.indexOf("bar");
/** Names whose colour and shape are the same in every run. */
const USUAL: ReadonlyMap<string, { readonly colour: number; readonly shape: number }> = new Map([
  ["easy", { colour: GREEN, shape: SHAPES.indexOf("square") }],
  ["ambiguous", { colour: BLUE, shape: SHAPES.indexOf("circle") }],
  ["hard", { colour: VERMILLION, shape: SHAPES.indexOf("diamond") }],
]);
const NAMED = 20;
const LAST = 255;

export interface Entry {
  readonly name: string;
  /** CSS colour, and index into `SHAPES`. */
  readonly colour: string;
  readonly shape: number;
  /** Codes of the column that this entry stands for; empty: it stands for missing values. */
  readonly codes: readonly number[];
  /** Index into the palette. */
  readonly index: number;
  readonly count: number;
}

export interface Colouring {
  readonly column: string;
  /** Index into the palette, [rows]. */
  readonly codes: Uint8Array;
  readonly palette: Palette;
  readonly entries: readonly Entry[];
  /** Of numbers: the ends of the ramp, and its colours in order. */
  readonly ramp: { readonly low: number; readonly high: number; readonly colours: readonly string[] } | null;
}

type Ground = "light" | "dark";

/** Colours for a column of categories, flags or numbers. Categories beyond the 20th share one colour. */
export function colouring(info: ColumnInfo, values: Values, dark = false): Colouring {
  const ground = dark ? "dark" : "light";
  return info.kind === "number" ? ramped(info, values, ground) : named(info, values, ground);
}

function named(info: ColumnInfo, values: Values, ground: Ground): Colouring {
  const names = info.kind === "flag" ? ["no", "yes"] : info.categories;
  const { codes, counts, absent } = coded(values, names.length);
  const entries = names.slice(0, NAMED).map((name, code): Entry => ({ name, ...look(info, name, code, ground), codes: [code], index: code, count: counts[code]! }));
  const rest = names.slice(NAMED).map((_, at) => at + NAMED);
  const others = { colour: NEUTRAL[ground], index: NAMED, codes: rest, count: rest.reduce((sum, code) => sum + counts[code]!, 0) };
  if (rest.length) entries.push({ name: `${rest.length} more`, shape: 0, ...others });
  if (absent) entries.push(nothing(absent, ground));
  return { column: info.name, codes, palette: palette(entries, ground), entries, ramp: null };
}

function coded(values: Values, names: number): { codes: Uint8Array; counts: Float64Array; absent: number } {
  const none = missing(values);
  const counts = new Float64Array(names);
  const codes = new Uint8Array(values.length);
  let absent = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value === none) absent++;
    else counts[value] = counts[value]! + 1;
    codes[row] = value === none ? LAST : Math.min(value, NAMED);
  }
  return { codes, counts, absent };
}

/** Each of the first 20 categories has a pair of colour and shape of its own. */
function look(info: ColumnInfo, name: string, code: number, ground: Ground): Pick<Entry, "colour" | "shape"> {
  const colours = [...(ground === "dark" ? ON_DARK : OKABE_ITO), LAST_OF[ground]];
  if (name === "") return { colour: NEUTRAL[ground], shape: BAR };
  const usual = info.kind === "flag" ? { colour: flagged(info, code), shape: code } : info.name === "region" ? USUAL.get(name) : undefined;
  if (usual !== undefined) return { colour: colours[usual.colour]!, shape: usual.shape };
  return { colour: colours[code % colours.length]!, shape: (code + 3 * Math.floor(code / colours.length)) % SHAPES.length };
}

/** The value of a flag that asks for attention is vermillion: a wrong one of what should be, a present one of the rest. */
const flagged = ({ direction }: ColumnInfo, code: number): number => ((direction === "good") === (code === 0) ? VERMILLION : BLUE);

const nothing = (count: number, ground: Ground): Entry => ({
  name: "no value",
  colour: NEUTRAL[ground],
  shape: RING,
  codes: [],
  index: LAST,
  count,
});

function palette(entries: readonly Entry[], ground: Ground): Palette {
  const colours = new Uint8Array(1024);
  const shapes = new Uint8Array(256).fill(RING);
  for (let code = 0; code < 256; code++) paint(colours, code, NEUTRAL[ground]);
  for (const { index, colour, shape } of entries) {
    paint(colours, index, colour);
    shapes[index] = shape;
  }
  return { colours, shapes };
}

function ramped(info: ColumnInfo, values: Values, ground: Ground): Colouring {
  const steps = ground === "dark" ? PLASMA.slice(3) : PLASMA.slice(0, 8);
  const { low, high } = ends(info);
  const scale = (LAST - 1) / (high - low || 1);
  const codes = new Uint8Array(values.length);
  let absent = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (Number.isNaN(value)) absent++;
    codes[row] = Number.isNaN(value) ? LAST : Math.max(0, Math.min(LAST - 1, Math.round((value - low) * scale)));
  }
  const colours = new Uint8Array(1024);
  for (let code = 0; code < LAST; code++) paint(colours, code, between(steps, code / (LAST - 1)));
  const shapes = new Uint8Array(256);
  paint(colours, LAST, NEUTRAL[ground]);
  shapes[LAST] = RING;
  const entries = absent ? [nothing(absent, ground)] : [];
  return { column: info.name, codes, palette: { colours, shapes }, entries, ramp: { low, high, colours: steps } };
}

/** Ends of a ramp: those of the definition where both are known, else of the values. */
function ends({ low, high, min, max }: ColumnInfo): { low: number; high: number } {
  return low !== null && high !== null ? { low, high } : { low: min ?? 0, high: max ?? 1 };
}

/** Colour of a ramp at a share of its length, `#rrggbb`. */
export function between(steps: readonly string[], share: number): string {
  const at = share * (steps.length - 1);
  const from = Math.min(steps.length - 2, Math.floor(at));
  const to = rgb(steps[from + 1]!);
  const mixed = rgb(steps[from]!).map((value, k) => Math.round(value + (to[k]! - value) * (at - from)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

const rgb = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

function paint(colours: Uint8Array, code: number, hex: string): void {
  colours.set([...rgb(hex), 255], 4 * code);
}

/** Diameters from a column, CSS pixels, [rows]: the area grows with the value up to its 99th percentile, beyond which all are
 * the largest. Rows without a value are the smallest. */
export function sizes(values: Values, smallest: number, largest: number): Float32Array {
  const [low, high] = middle(values);
  const found = new Float32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const share = (values[row]! - low) / (high - low || 1);
    found[row] = share > 0 ? Math.sqrt(smallest ** 2 + (largest ** 2 - smallest ** 2) * Math.min(1, share)) : smallest;
  }
  return found;
}

const SAMPLE = 20_000;

/** Smallest value and 99th percentile, of at most 20,000 rows evenly taken. */
function middle(values: Values): readonly [number, number] {
  const step = Math.max(1, Math.floor(values.length / SAMPLE));
  const taken = Float32Array.from({ length: Math.floor(values.length / step) }, (_, k) => values[k * step]!)
    .filter(Number.isFinite)
    .sort();
  return taken.length ? [taken[0]!, taken[Math.floor(0.99 * (taken.length - 1))]!] : [0, 1];
}

/** How a value reads at the end of a ramp. */
export const end = (value: number): string => number(value);
