import { describe, expect, test } from "vitest";

import { farthest, movers } from "../src/arrows";
import { ticks } from "../src/axes";
import { contours, field } from "../src/contours";
import { holds } from "../src/entire";
import { dynamics, mapAt } from "../src/epochs";
import { isDark } from "../src/ground";
import { placedLabels } from "../src/labels";
import { dense } from "../src/landmarks";
import { inside, type Point } from "../src/lasso";
import { pile } from "../src/pile";
import { filled } from "../src/plane";
import { bounds, fitted, panned, pixel, point, zoomed } from "../src/render/camera";

/** Numbers in [0, 1) that are the same on every machine. */
function random(seed = 1): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Width of a text as if each letter took 7 pixels. */
const measured = (text: string): number => 7 * text.length;

const floats = (n: number, next: () => number): Float32Array => Float32Array.from({ length: n }, next);

describe("the camera", () => {
  const camera = { x: 0.3, y: 0.7, sx: 900, sy: 400 };

  test("pixel and point are each other's inverse", () => {
    const at = { x: 0.123, y: 0.9 };
    const back = point(camera, pixel(camera, at, 700, 500), 700, 500);
    expect(back.x).toBeCloseTo(at.x, 10);
    expect(back.y).toBeCloseTo(at.y, 10);
  });

  test("zoom keeps what lies under the pointer", () => {
    const under = { x: 120, y: 333 };
    const closer = zoomed(camera, 2.5, under, 700, 500);
    expect(point(closer, under, 700, 500).x).toBeCloseTo(point(camera, under, 700, 500).x, 10);
    expect(point(closer, under, 700, 500).y).toBeCloseTo(point(camera, under, 700, 500).y, 10);
  });

  test("what is dragged follows the pointer", () => {
    const before = point(camera, { x: 10, y: 10 }, 700, 500);
    const after = pixel(panned(camera, 30, -20), before, 700, 500);
    expect(after.x).toBeCloseTo(40, 8);
    expect(after.y).toBeCloseTo(-10, 8);
  });

  test("fitted bounds lie within the margins", () => {
    const box = { left: 0, right: 0.5, low: 0, high: 1 };
    const margin = { left: 60, right: 20, top: 10, bottom: 50 };
    const fit = fitted(box, 800, 600, margin, false);
    const corner = (x: number, y: number): Point => pixel(fit, { x, y }, 800, 600);
    expect(corner(0, 1).x).toBeCloseTo(60, 6);
    expect(corner(0, 1).y).toBeCloseTo(10, 6);
    expect(corner(0.5, 0).x).toBeCloseTo(780, 6);
    expect(corner(0.5, 0).y).toBeCloseTo(550, 6);
  });

  test("bounds leave out rows without a place; nothing gives the unit square", () => {
    const nan = Number.NaN;
    expect(bounds(Float32Array.of(1, nan, 3), Float32Array.of(5, 9, 4))).toEqual({ left: 1, right: 3, low: 4, high: 5 });
    expect(bounds(Float32Array.of(nan), Float32Array.of(nan))).toEqual({ left: 0, right: 1, low: 0, high: 1 });
  });
});

describe("the data map", () => {
  const box = (right: number, low: number, high: number) => filled({ left: 0, right, low, high });

  test("is shown whole where its points fill half of it, in one direction", () => {
    const all = { left: 0, right: 0.5, low: 0, high: 1 };
    expect(box(0.3, 0.1, 0.2)).toEqual(all);
    expect(box(0.1, 0.1, 0.9)).toEqual(all);
  });

  test("else the part with the points, and some room", () => {
    const part = box(0.1, 0.1, 0.3);
    expect(part.left).toBe(0);
    expect(part.right).toBeCloseTo(0.11);
    expect(part.low).toBeCloseTo(0.08);
    expect(part.high).toBeCloseTo(0.32);
    expect(box(0.01, 0, 0.005).low).toBe(0);
    expect(box(0, 0.5, 0.5).high).toBeGreaterThan(0.5);
  });

  test("wherever it lies, and from no variability where that costs little", () => {
    const far = filled({ left: 0.4, right: 0.45, low: 0.4, high: 0.6 });
    expect(far.left).toBeCloseTo(0.39);
    expect(far.right).toBeCloseTo(0.46);
    expect(filled({ left: 0.02, right: 0.1, low: 0.4, high: 0.6 }).left).toBe(0);
    expect(filled({ left: 0.45, right: 0.5, low: 0.9, high: 1 })).toMatchObject({ right: 0.5, high: 1 });
  });
});

test("a part of the map is known to be one", () => {
  const box = { left: 0, right: 0.5, low: 0, high: 1 };
  const size = { width: 500, height: 400 };
  const fit = fitted(box, 500, 400, { left: 10, right: 10, top: 10, bottom: 10 }, false);
  expect(holds(fit, size, box)).toBe(true);
  expect(holds(zoomed(fit, 1.3, { x: 250, y: 200 }, 500, 400), size, box)).toBe(false);
  expect(holds(panned(fit, 40, 0), size, box)).toBe(false);
});

describe("the lasso", () => {
  test("agrees with counting crossings one by one", () => {
    const next = random(7);
    const [x, y] = [floats(3000, next), floats(3000, next)];
    const flags = Uint8Array.from(x, (_, row) => (row % 5 ? 1 : 0));
    const polygon = Array.from({ length: 17 }, () => ({ x: next(), y: next() }));
    expect([...inside(polygon, x, y, flags)]).toEqual([...brute(polygon, x, y, flags)]);
  });

  function brute(polygon: readonly Point[], x: Float32Array, y: Float32Array, flags: Uint8Array): number[] {
    return [...x.keys()].filter((row) => {
      const crossed = polygon.filter((a, k) => {
        const b = polygon[(k + 1) % polygon.length]!;
        const [u, v] = [x[row]!, y[row]!];
        return a.y > v !== b.y > v && u < a.x + ((v - a.y) / (b.y - a.y)) * (b.x - a.x);
      });
      return flags[row]! & 1 && crossed.length % 2;
    });
  }

  test("less than three corners enclose nothing; rows without a place are never inside", () => {
    const box = [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 1, y: 1 }, { x: 0, y: 1 }];
    expect(inside(box.slice(0, 2), Float32Array.of(0.5), Float32Array.of(0), Uint8Array.of(1))).toHaveLength(0);
    expect(inside(box, Float32Array.of(Number.NaN, 0.5), Float32Array.of(0.5, 0.5), Uint8Array.of(1, 1))).toEqual(Uint32Array.of(1));
  });
});

describe("the data map over the first epochs", () => {
  const seen = dynamics(
    new Map<string, Float32Array | Uint8Array>([
      ["p1", Float32Array.of(0.2, 0.5, Number.NaN)],
      ["c1", Uint8Array.of(0, 1, 255)],
      ["p2", Float32Array.of(0.6, Number.NaN, Number.NaN)],
      ["c2", Uint8Array.of(1, 255, 255)],
      ["p3", Float32Array.of(0.7, 0.9, Number.NaN)],
      ["c3", Uint8Array.of(1, 0, 255)],
    ]),
  );

  test("is the mean and the population standard deviation of the gold probability, and the share right", () => {
    const { confidence, variability, correctness } = mapAt(seen, 3);
    expect(confidence[0]).toBeCloseTo(0.5, 6);
    expect(variability[0]).toBeCloseTo(Math.sqrt((0.09 + 0.01 + 0.04) / 3), 6);
    expect(correctness[0]).toBeCloseTo(2 / 3, 6);
  });

  test("counts only the epochs that saw a row, and none for the rest", () => {
    const { confidence, variability, correctness } = mapAt(seen, 3);
    expect(confidence[1]).toBeCloseTo(0.7, 6);
    expect(variability[1]).toBeCloseTo(0.2, 6);
    expect(correctness[1]).toBe(0.5);
    expect([confidence[2], variability[2], correctness[2]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("does not look ahead", () => {
    const { confidence, variability } = mapAt(seen, 1);
    expect(confidence[0]).toBeCloseTo(0.2, 6);
    expect(variability[0]).toBe(0);
  });

  test("is that of all epochs where more are asked for", () => {
    expect(mapAt(seen, 77)).toEqual(mapAt(seen, 3));
  });
});

describe("ticks", () => {
  test("are round, and within the ends", () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(0, 0.5, 6)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(ticks(-0.013, 0.031, 4)).toEqual([0, 0.02]);
    expect(ticks(3, 3.0004, 5).every((value) => value >= 3 && value <= 3.0004)).toBe(true);
  });
});

describe("labels", () => {
  test("do not overlap; the weightiest keeps its place", () => {
    const wanted = Array.from({ length: 12 }, (_, k) => ({ text: `cluster ${k}`, x: 100 + k, y: 100, weight: k }));
    const found = placedLabels(wanted, { width: 300, height: 300 }, measured);
    expect(found[0]).toEqual({ text: "cluster 11", x: 111, y: 100 });
    expect(found.length).toBeGreaterThan(1);
    expect(found.length).toBeLessThan(12);
    expect(new Set(found.map(({ y }) => y)).size).toBe(found.length);
  });

  test("long ones are cut, and kept within the canvas", () => {
    const [label] = placedLabels([{ text: "x".repeat(80), x: 1, y: 50, weight: 1 }], { width: 400, height: 100 }, measured);
    expect(label!.text.length).toBeLessThan(40);
    expect(label!.x).toBeGreaterThan(50);
  });

  test("those off the canvas are left out", () => {
    expect(placedLabels([{ text: "far", x: -5, y: 50, weight: 1 }], { width: 400, height: 100 }, measured)).toEqual([]);
  });

  test("a wide one keeps clear of the edges, and leaves no room to its neighbour on the line", () => {
    const wide = (): number => 180;
    const found = placedLabels([{ text: "left", x: 0, y: 50, weight: 2 }, { text: "right", x: 300, y: 50, weight: 1 }], { width: 300, height: 300 }, wide);
    expect(found[0]!.x - 90).toBeGreaterThan(0);
    expect(found[1]!.x + 90).toBeLessThan(300);
    expect(found[1]!.y).not.toBe(found[0]!.y);
  });

  test("are few on a small canvas", () => {
    const wanted = Array.from({ length: 50 }, (_, k) => ({ text: `${k}`, x: 20 + 8 * k, y: 20 + 8 * (k % 7) * 7, weight: k }));
    expect(placedLabels(wanted, { width: 450, height: 400 }, () => 5).length).toBeLessThan(10);
  });
});

describe("contours", () => {
  test("surround the points, every level in itself closed", () => {
    const next = random(3);
    const normal = (): number => next() + next() + next() + next() - 2;
    const box = { left: -4, right: 4, low: -4, high: 4 };
    const lines = contours(field(floats(4000, normal), floats(4000, normal), new Uint8Array(4000).fill(1), box));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line.length % 4).toBe(0);
      const ends = new Map<string, number>();
      for (let k = 0; k < line.length; k += 2) {
        const key = `${line[k]!.toFixed(4)} ${line[k + 1]!.toFixed(4)}`;
        ends.set(key, (ends.get(key) ?? 0) + 1);
        expect(Math.hypot(line[k]!, line[k + 1]!)).toBeLessThan(3);
      }
      expect([...ends.values()].every((count) => count === 2)).toBe(true);
    }
  });
});

test("a few visible points have no lines of density, however many are hidden", () => {
  const next = random(5);
  const places = { x: floats(1000, next), y: floats(1000, next) };
  const first = (rows: number): Uint8Array => Uint8Array.from({ length: 1000 }, (_, row) => (row < rows ? 1 : 0));
  expect(dense(places, first(12))).toEqual([]);
  expect(dense(places, first(300))).toHaveLength(3);
});

describe("movers", () => {
  const from = { x: new Float32Array(5), y: new Float32Array(5) };
  const to = { x: Float32Array.of(0.3, 0, 0.1, Number.NaN, 0.001), y: new Float32Array(5) };

  test("are those that moved most, farthest first, without those that did not or have no place", () => {
    expect(movers(from, to, [0, 1, 2, 3, 4])).toEqual([0, 2]);
    expect(movers(from, to, [0, 1, 2, 3, 4], { most: 1 })).toEqual([0]);
  });

  test("the longest move is known where all are too short to draw, and where no row is in both runs", () => {
    expect(farthest(from, to, [1, 3, 4])).toBeCloseTo(0.001);
    expect(farthest(from, to, [1])).toBe(0);
    expect(farthest(from, to, [3])).toBeNull();
  });
});

describe("the pile", () => {
  test("is the corner in which more than a quarter of the rows lie", () => {
    const places = { x: new Float32Array(400), y: Float32Array.from({ length: 400 }, (_, row) => (row < 200 ? 0.99 : row / 800)) };
    expect(pile(places, new Uint8Array(400).fill(1))).toEqual({ box: { left: 0, right: 0.03125, low: 0.9375, high: 1 }, rows: 200, of: 400 });
    expect(pile(places, new Uint8Array(400))).toBeNull();
  });

  test("lies anywhere, with its points in the middle", () => {
    const next = random(9);
    const crowd = (middle: number) => Float32Array.from({ length: 1000 }, (_, row) => (row < 600 ? middle + 0.01 * (next() - 0.5) : next() / 2));
    const found = pile({ x: crowd(0.3), y: crowd(0.47) }, new Uint8Array(1000).fill(1))!;
    expect((found.box.left + found.box.right) / 2).toBeCloseTo(0.3, 2);
    expect((found.box.low + found.box.high) / 2).toBeCloseTo(0.47, 2);
    expect(found.rows).toBeGreaterThanOrEqual(600);
    expect(pile({ x: floats(1000, () => next() / 2), y: floats(1000, next) }, new Uint8Array(1000).fill(1))).toBeNull();
  });
});

test("a dark ground is told from a light one", () => {
  expect([" #14171c", "#ffffff", "white"].map(isDark)).toEqual([true, false, false]);
});
