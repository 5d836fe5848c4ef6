import { expect, test } from "vitest";

import { back, decide, next, queue, type Suggested, sure, tally, undecided } from "../src/queue";

const accepted = (...rows: number[]) => ({ rows, decision: "accepted", ids: rows.map(String) }) as const;

test("the next row comes after the present one, then from the beginning", () => {
  const now = decide(queue([7, 3, 5]), accepted(3));
  expect(next(now)).toBe(7);
  expect(next(now, 7)).toBe(5);
  expect(next(now, 5)).toBe(7);
  expect(next(decide(now, accepted(7, 5)))).toBeNull();
});

test("undo takes the whole last step back", () => {
  const now = decide(decide(queue([1, 2, 3]), accepted(1)), accepted(2, 3));
  expect(tally(now)).toEqual({ accepted: 3, refused: 0, skipped: 0, open: 0 });
  expect(undecided(back(now))).toEqual([2, 3]);
  expect(back(queue([1]))).toEqual(queue([1]));
});

test("of the sure suggestions the first few", () => {
  const known = new Map<number, Suggested>([
    [1, { id: "a", label: "x", probability: 0.95 }],
    [2, { id: "b", label: "x", probability: 0.5 }],
    [3, { id: "c", label: "x", probability: null }],
    [4, { id: "d", label: "x", probability: 0.9 }],
    [5, { id: "e", label: "x", probability: 0.99 }],
  ]);
  expect(sure([5, 4, 3, 2, 1], known, { least: 0.9, most: 2 })).toEqual([5, 4]);
  expect(sure([2, 3], known, { least: 0.9, most: 2 })).toEqual([]);
});
