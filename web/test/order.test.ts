/** Which point lies on top, and which one the pointer means. */

import { describe, expect, test } from "vitest";

import { type Aim, nearest } from "../src/render/nearest";
import { order } from "../src/render/order";
import { placed, points } from "../src/render/raster";
import type { Frame, Palette, Scene } from "../src/render/renderer";

const LAST = 255;
const SIDE = 60;
const camera = { x: 0, y: 0, sx: 1, sy: 1 };
const aim: Aim = { at: { x: 0, y: 0 }, camera, size: 8, reach: 9 };

/** Each code has a colour of its own: its number. */
function palette(shape = 0): Palette {
  const colours = new Uint8Array(1024).map((_, k) => (k % 4 === 3 ? 255 : k % 4 === 0 ? k / 4 : 0));
  return { colours, shapes: new Uint8Array(256).fill(shape) };
}

function scene(rows: readonly { x: number; y: number; flag?: number }[], drawnIn: Uint32Array | null = null): Scene {
  const x = Float32Array.from(rows, (row) => row.x);
  const y = Float32Array.from(rows, (row) => row.y);
  const flags = Uint8Array.from(rows, (row) => row.flag ?? 1);
  return { ax: x, ay: y, bx: x, by: y, colour: Uint8Array.from(rows, (_, row) => row), size: null, flags, order: drawnIn };
}

/** Row that was drawn last at the middle of each point. */
function seen(what: Scene, shape: number): number[] {
  const raster = { width: SIDE, height: SIDE, ratio: 1, pixels: new Uint32Array(SIDE * SIDE) };
  const [x, y] = [new Float32Array(what.flags.length), new Float32Array(what.flags.length)];
  const frame: Frame = { a: camera, b: camera, mix: 1, size: aim.size, density: false, cell: 2, dim: false, dark: false };
  placed(what, frame, raster, x, y);
  points(raster, what, palette(shape), frame, x, y);
  return Array.from(x, (u, row) => raster.pixels[Math.floor(y[row]!) * SIDE + Math.floor(u)]! & 255);
}

/** Whole numbers from -8 to 8 that look drawn at random, the same everywhere. */
const scattered = (row: number, seed: number): number => (((row + 1) * 7919 * seed) % 17) - 8;
/** So many rows are drawn with hard edges: a pixel has the colour of one row. */
const MANY = 60_001;

describe("the order", () => {
  const codes = Uint8Array.from({ length: 20_000 }, (_, row) => (row % 100 === 0 ? 1 : row % 1000 === 1 ? LAST : 0));

  test("has every row once, and is the same every time", () => {
    const rows = order(codes, true);
    expect([...rows].sort((a, b) => a - b)).toEqual([...codes.keys()]);
    expect(order(codes, true)).toEqual(rows);
    expect(order(new Uint8Array(0), true)).toEqual(new Uint32Array(0));
  });

  test("in piles of a hundred, a code that one row in a hundred has is on top in about half", () => {
    const heights = new Uint32Array(codes.length);
    order(codes, true).forEach((row, height) => (heights[row] = height));
    let rare = 0;
    for (let from = 0; from < codes.length; from += 100) {
      const pile = heights.subarray(from, from + 100);
      if (codes[from + pile.indexOf(Math.max(...pile))] === 1) rare++;
    }
    expect(rare / 200).toBeGreaterThan(0.4);
    expect(rare / 200).toBeLessThan(0.6);
  });

  test("rows without a value lie below all others", () => {
    const lowest = order(codes, true).subarray(0, 20);
    expect([...lowest].every((row) => codes[row] === LAST)).toBe(true);
  });

  test("of numbers, none rises: the topmost tenth has its share of every code", () => {
    const topmost = order(codes, false).subarray(18_000);
    const rare = topmost.filter((row) => codes[row] === 1).length;
    expect(Math.abs(rare - 20)).toBeLessThan(14);
  });
});

describe("the row under the pointer", () => {
  const line = [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 40, y: 0 }];

  test("is the one drawn last of those that cover it", () => {
    expect(nearest(scene(line), palette(), aim)).toBe(1);
    expect(nearest(scene(line, Uint32Array.of(1, 0, 2)), palette(), aim)).toBe(0);
  });

  test("is a selected one where one covers it", () => {
    expect(nearest(scene([{ x: 0, y: 0, flag: 3 }, ...line.slice(1)]), palette(), aim)).toBe(0);
  });

  test("is the nearest visible one where none covers it, within reach", () => {
    const at = { x: 8, y: 0 };
    expect(nearest(scene(line), palette(), { ...aim, at })).toBe(1);
    expect(nearest(scene([line[0]!, { x: 1, y: 0, flag: 0 }]), palette(), { ...aim, at })).toBe(0);
    expect(nearest(scene(line), palette(), { ...aim, at: { x: 20, y: 0 } })).toBe(-1);
    expect(nearest(scene([{ x: Number.NaN, y: 0 }]), palette(), aim)).toBe(-1);
  });

  test.each([0, 1, 3])("is the one that is seen there, for marks of shape %i", (shape) => {
    const rows = Array.from({ length: MANY }, (_, row) => ({ x: 3 * scattered(row, 1) + 0.5, y: 3 * scattered(row, 13) - 0.5, flag: row < 60 ? 1 : 0 }));
    const what = scene(rows, order(new Uint8Array(MANY), false));
    const meant = rows.slice(0, 60).map((at) => nearest(what, palette(shape), { ...aim, at }));
    expect(meant).toEqual(seen(what, shape).slice(0, 60));
  });
});
