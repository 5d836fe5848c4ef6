import { describe, expect, it } from "vitest";

import type { ColumnInfo, RunInfo } from "../src/api";
import type { Filter } from "../src/filter";
import { bins, extent, range, steps } from "../src/filtering/bins";
import { blamed, counted, countedIn, passing, SEARCH, SEVERAL } from "../src/filtering/crossed";
import type { Points, Values } from "../src/wire";

function column(name: string, kind: ColumnInfo["kind"], more: Partial<ColumnInfo> = {}): ColumnInfo {
  return { name, kind, meaning: "", unit: "", low: null, high: null, direction: "", categories: [], min: 0, max: 1, missing: 0, base: true, ...more };
}

function points(values: Record<string, Values>): Points {
  const rows = Object.values(values)[0]!.length;
  return { run: {} as RunInfo, rows, values: new Map(Object.entries(values)) };
}

const filters = (given: Record<string, Filter>): Map<string, Filter> => new Map(Object.entries(given));

describe("bins", () => {
  it("cuts a range into round steps", () => {
    expect(steps(0, 1, false)).toEqual({ start: 0, step: 0.05, count: 20 });
    expect(steps(0, 4, true)).toEqual({ start: 0, step: 1, count: 5 });
    expect(steps(3, 3, false).count).toBe(1);
  });

  it("puts each number in its bar and leaves out what is missing", () => {
    const of = bins(column("a", "number"), Float32Array.of(0, 0.05, 0.99, 1, Number.NaN));
    expect([...of.codes]).toEqual([0, 1, 19, 19, 255]);
    expect(of.whole).toBe(false);
  });

  it("gives whole numbers bars of whole numbers", () => {
    const of = bins(column("a", "number", { max: 4 }), Float32Array.of(0, 1, 4, 2));
    expect(of).toMatchObject({ count: 5, whole: true });
    expect([...of.codes]).toEqual([0, 1, 4, 2]);
    expect(range(of, 1, 3)).toEqual({ low: 1, high: 2 });
    expect(extent(of, 1, 2)).toEqual({ from: 1, to: 3 });
  });

  it("holds a long tail in the last bar", () => {
    const values = Float32Array.from({ length: 1000 }, (_, row) => (row === 7 ? 1e6 : row / 1000));
    const of = bins(column("a", "number", { max: 1e6 }), values);
    expect(of.clipped).toBe(true);
    expect(of.codes[7]).toBe(of.count - 1);
    expect(of.edges.at(-1)).toBeLessThan(2);
  });

  it("leaves a range open where it reaches an end", () => {
    const of = bins(column("a", "number"), Float32Array.of(0, 0.5, 1));
    expect(range(of, 0, of.count)).toEqual({ low: -Infinity, high: Infinity });
    expect(extent(of, -Infinity, Infinity)).toEqual({ from: 0, to: of.count });
    expect(range(of, 2, 10)).toEqual({ low: 0.1, high: 0.5 });
  });
});

describe("blamed", () => {
  const some = points({ a: Float32Array.of(0.1, 0.2, 0.3, Number.NaN), b: Uint8Array.of(0, 1, 255, 1) });

  it("names the one filter that hides a row", () => {
    const blame = blamed(some, filters({ a: { by: "range", low: 0.2, high: 1 }, b: { by: "codes", codes: new Set([1]) } }), null);
    expect([...blame]).toEqual([SEVERAL, 0, 2, 1]);
    expect([...passing(blame)]).toEqual([0, 1, 0, 0]);
  });

  it("lets missing values pass where they may", () => {
    expect([...blamed(some, filters({ a: { by: "range", low: 0.2, high: 1, missing: true } }), null)]).toEqual([1, 0, 0, 0]);
    expect([...blamed(some, filters({ a: { by: "codes", codes: new Set(), missing: true } }), null)]).toEqual([1, 1, 1, 0]);
    expect([...blamed(some, filters({ b: { by: "range", low: 1, high: 1, missing: true } }), null)]).toEqual([1, 0, 0, 0]);
  });

  it("tells the search from the filters", () => {
    expect([...blamed(some, filters({ b: { by: "codes", codes: new Set([1]) } }), Uint32Array.of(1, 2))]).toEqual([SEVERAL, 0, 1, SEARCH]);
  });

  it("keeps a bound that Float32 cannot hold", () => {
    const tenths = points({ a: Float32Array.of(0.1, 0.7) });
    expect([...blamed(tenths, filters({ a: { by: "range", low: 0.1, high: 0.7 } }), null)]).toEqual([0, 0]);
  });

  it("reads codes of 16 and 32 bits", () => {
    for (const Codes of [Uint16Array, Uint32Array]) {
      const none = Codes === Uint16Array ? 0xffff : 0xffffffff;
      const wide = points({ a: Codes.of(300, 2, none) });
      expect([...blamed(wide, filters({ a: { by: "codes", codes: new Set([300]) } }), null)]).toEqual([0, 1, 1]);
      const of = bins(column("a", "category", { categories: Array.from({ length: 301 }, String) }), wide.values.get("a")!);
      const { all } = counted(of, new Uint8Array(3), 0);
      expect([all[300], all[2], all[301]]).toEqual([1, 1, 1]);
    }
  });
});

describe("counted", () => {
  it("agrees with counting row by row, a column's own filter left out", () => {
    const rows = 5000;
    const a = Float32Array.from({ length: rows }, (_, row) => (row % 97 ? ((row * 7919) % 1000) / 1000 : Number.NaN));
    const b = Uint8Array.from({ length: rows }, (_, row) => (row % 5 ? (row * 31) % 4 : 255));
    const now = points({ a, b });
    const kept = filters({ a: { by: "range", low: 0.25, high: 0.5 }, b: { by: "codes", codes: new Set([0, 3]) } });
    const blame = blamed(now, kept, null);
    const of = bins(column("a", "number"), a);
    const expected = new Array<number>(of.count + 1).fill(0);
    for (let row = 0; row < rows; row++) if (b[row] === 0 || b[row] === 3) expected[Math.min(of.codes[row]!, of.count)]!++;
    expect([...counted(of, blame, 1).passing]).toEqual(expected);
    const codes = bins(column("b", "category", { categories: ["w", "x", "y", "z"] }), b);
    const all = counted(codes, blame, 2);
    expect(all.all.reduce((sum, n) => sum + n)).toBe(rows);
    expect(all.passing.reduce((sum, n) => sum + n)).toBe(a.filter((value) => value >= 0.25 && value <= 0.5).length);
  });

  it("counts a selection", () => {
    const of = bins(column("b", "flag"), Uint8Array.of(0, 1, 255, 1));
    expect([...countedIn(of, Uint32Array.of(1, 2, 3))]).toEqual([0, 2, 1]);
  });
});
