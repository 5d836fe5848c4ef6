import { describe, expect, test } from "vitest";

import type { ColumnInfo } from "../src/api";
import { between, colouring, sizes } from "../src/colouring";

const column = (more: Partial<ColumnInfo>): ColumnInfo => ({
  name: "label",
  kind: "category",
  meaning: "",
  unit: "",
  low: null,
  high: null,
  direction: "",
  categories: [],
  min: null,
  max: null,
  missing: 0,
  base: true,
  ...more,
});

const names = (count: number): string[] => Array.from({ length: count }, (_, k) => `class ${k}`);

describe("categories", () => {
  test("have a colour and shape of their own, with counts; what is missing is told apart", () => {
    const found = colouring(column({ categories: names(3), missing: 1 }), Uint8Array.of(0, 1, 1, 255));
    expect(found.entries.map(({ name, count }) => [name, count])).toEqual([["class 0", 1], ["class 1", 2], ["class 2", 0], ["no value", 1]]);
    expect([...found.codes]).toEqual([0, 1, 1, 255]);
    expect(found.entries.at(-1)!.codes).toEqual([]);
  });

  test("twenty have twenty different looks; the rest share one", () => {
    const found = colouring(column({ categories: names(30) }), Uint16Array.of(0, 19, 20, 29, 0xffff));
    const looks = found.entries.slice(0, 20).map(({ colour, shape }) => `${colour} ${shape}`);
    expect(new Set(looks).size).toBe(20);
    expect(found.entries[20]).toMatchObject({ name: "10 more", count: 2 });
    expect([...found.codes]).toEqual([0, 19, 20, 20, 255]);
    expect(found.entries[20]!.codes).toHaveLength(10);
  });

  test("the palette paints what the legend shows", () => {
    const { palette, entries } = colouring(column({ categories: names(25) }), Uint8Array.of(24, 255));
    for (const { index, colour, shape } of entries) {
      const hex = [...palette.colours.slice(4 * index, 4 * index + 3)].map((value) => value.toString(16).padStart(2, "0")).join("");
      expect(`#${hex}`).toBe(colour);
      expect(palette.shapes[index]).toBe(shape);
    }
  });

  test("regions look the same in every run, whatever their order", () => {
    const look = (categories: string[]) => {
      const { entries } = colouring(column({ name: "region", categories }), new Uint8Array(0));
      return Object.fromEntries(entries.map(({ name, colour }) => [name, colour]));
    };
    expect(look(["hard", "easy", "ambiguous"])).toEqual(look(["easy", "ambiguous", "hard"]));
  });

  test("of a flag, the value that asks for attention stands out", () => {
    const right = colouring(column({ kind: "flag", direction: "good" }), Uint8Array.of(0, 1));
    const suspect = colouring(column({ kind: "flag", direction: "bad" }), Uint8Array.of(0, 1));
    expect(right.entries[0]!.colour).toBe(suspect.entries[1]!.colour);
    expect(right.entries.map(({ name }) => name)).toEqual(["no", "yes"]);
  });
});

describe("numbers", () => {
  const ramp = column({ name: "confidence", kind: "number", low: 0, high: 1, min: 0.2, max: 0.9 });

  test("are coded from end to end of their definition, and cut there", () => {
    const found = colouring(ramp, Float32Array.of(0, 0.5, 1, 2, -1, Number.NaN));
    expect([...found.codes]).toEqual([0, 127, 254, 254, 0, 255]);
    expect(found.ramp).toMatchObject({ low: 0, high: 1 });
    expect(found.entries.map(({ name, count }) => [name, count])).toEqual([["no value", 1]]);
  });

  test("without both ends the values give them", () => {
    expect(colouring(column({ kind: "number", low: 0, min: 0.5, max: 8 }), Float32Array.of(1)).ramp).toMatchObject({ low: 0.5, high: 8 });
  });

  test("all alike, or none at all, are no error", () => {
    expect([...colouring(column({ kind: "number", min: 3, max: 3 }), Float32Array.of(3, 3)).codes]).toEqual([0, 0]);
    expect(colouring(column({ kind: "number" }), Float32Array.of(Number.NaN)).codes[0]).toBe(255);
  });

  test("no colour of the ramp sinks into its ground", () => {
    for (const dark of [false, true]) {
      const ground = dark ? 0.0086 : 1;
      for (const colour of colouring(ramp, new Float32Array(0), dark).ramp!.colours) expect(contrast(luminance(colour), ground)).toBeGreaterThan(2);
    }
  });
});

test("every colour of categories is seen on its ground", () => {
  for (const dark of [false, true]) {
    const { entries } = colouring(column({ categories: names(8) }), Uint8Array.of(255), dark);
    for (const { colour } of entries) expect(contrast(luminance(colour), dark ? 0.0086 : 1)).toBeGreaterThan(2.1);
  }
});

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const contrast = (a: number, b: number): number => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

describe("sizes", () => {
  test("grow with the value in area, and what is missing is small", () => {
    const found = sizes(Float32Array.of(0, 1, Number.NaN, ...new Float32Array(300).map((_, k) => k / 300)), 2, 6);
    expect(found[0]).toBe(2);
    expect(found[1]).toBe(6);
    expect(found[2]).toBe(2);
    expect(found[153]! ** 2).toBeCloseTo((4 + 36) / 2, 0);
  });

  test("a few huge values do not make the rest alike", () => {
    const found = sizes(Float32Array.from({ length: 1000 }, (_, k) => (k > 995 ? 1e6 : k / 1000)), 2, 6);
    expect(found[900]).toBeGreaterThan(5);
  });

  test("of no values are the smallest", () => {
    expect([...sizes(Float32Array.of(Number.NaN, Number.NaN), 2, 6)]).toEqual([2, 2]);
  });
});

test("between two steps of a ramp lies their mean", () => {
  expect(between(["#000000", "#ffffff"], 0.5)).toBe("#808080");
  expect(between(["#000000", "#102030", "#ffffff"], 1)).toBe("#ffffff");
});
