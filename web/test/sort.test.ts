import { describe, expect, it } from "vitest";

import type { ColumnInfo } from "../src/api";
import { among, order } from "../src/sort";

function info(kind: ColumnInfo["kind"], categories: readonly string[] = []): ColumnInfo {
  return { name: "c", kind, meaning: "", unit: "", low: null, high: null, direction: "", categories, min: null, max: null, missing: 0, base: true };
}

const list = (rows: Uint32Array): number[] => [...rows];

describe("numbers", () => {
  const values = Float32Array.of(3, Number.NaN, -1, 0.5, -0, 0, -Infinity, Infinity, 3);
  it("go up, missing last", () => {
    expect(list(order(info("number"), values, false))).toEqual([6, 2, 4, 5, 3, 0, 8, 7, 1]);
  });
  it("go down, missing last, equal ones still in the order of rows", () => {
    expect(list(order(info("number"), values, true))).toEqual([7, 0, 8, 3, 4, 5, 2, 6, 1]);
  });
  it("agree with a comparison sort", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    const many = Float32Array.from({ length: 5000 }, () => (random() < 0.1 ? Number.NaN : Math.round((random() - 0.5) * 200) / 7));
    const slow = [...many.keys()].sort((a, b) => {
      const [u, v] = [many[a]!, many[b]!];
      if (Number.isNaN(u) || Number.isNaN(v)) return Number(Number.isNaN(u)) - Number(Number.isNaN(v));
      return u - v;
    });
    expect(list(order(info("number"), many, false))).toEqual(slow);
  });
});

it("names go as a reader expects, whatever their codes", () => {
  const values = Uint8Array.of(0, 1, 2, 255, 0);
  expect(list(order(info("category", ["item 10", "item 2", "Apple"]), values, false))).toEqual([2, 1, 0, 4, 3]);
  expect(list(order(info("category", ["item 10", "item 2", "Apple"]), values, true))).toEqual([0, 4, 1, 2, 3]);
});

it("flags: no, yes, missing", () => {
  expect(list(order(info("flag"), Uint8Array.of(1, 255, 0, 1), false))).toEqual([2, 0, 3, 1]);
});

it("keeps the rows that are listed, in the order of all", () => {
  expect(list(among(Uint32Array.of(3, 1, 0, 2), Uint32Array.of(2, 3), 4))).toEqual([3, 2]);
});

it("leaves the values alone", () => {
  const values = Float32Array.of(2, -1);
  order(info("number"), values, true);
  expect([...values]).toEqual([2, -1]);
});

it("orders a million rows within a second", () => {
  const values = Float32Array.from({ length: 1_000_000 }, (_, row) => Math.sin(row * 12.9898) * 43758);
  const start = performance.now();
  const found = order(info("number"), values, false);
  expect(performance.now() - start).toBeLessThan(1000);
  for (let at = 1; at < found.length; at += 997) expect(values[found[at]!]!).toBeGreaterThanOrEqual(values[found[at - 1]!]!);
});
