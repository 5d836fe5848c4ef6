// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { nearest, padded } from "../src/curve";
import { appended, curves, lasting, type Loss, pace, perEpoch, remaining } from "../src/jobs";

const at = (step: number, epoch: number, loss: number | null, eval_loss: number | null = null, heard: number | null = null): Loss => ({ step, epoch, loss, eval_loss, heard });

test("steps stay in order, and a step told twice counts once", () => {
  const known = [at(10, 0.5, 1), at(20, 1, 0.8)];
  expect(appended(known, at(30, 1.5, 0.7)).map((one) => one.step)).toEqual([10, 20, 30]);
  expect(appended(known, at(15, 0.75, 0.9)).map((one) => one.step)).toEqual([10, 15, 20]);
  expect(appended(known, at(20, 1, 0.81)).map((one) => one.loss)).toEqual([1, 0.81]);
  expect(appended(known, at(20, 1, null, 0.9)).at(-1)).toEqual(at(20, 1, 0.8, 0.9));
});

test("what is logged at the end of an epoch belongs to it", () => {
  expect(perEpoch([at(10, 0.5, 1), at(20, 1, 0.8), at(20, 1, null, 0.9), at(30, 1.5, 0.6)])).toEqual([
    { epoch: 1, loss: 0.9, eval_loss: 0.9 },
    { epoch: 2, loss: 0.6, eval_loss: null },
  ]);
});

test("pace counts what was heard live", () => {
  expect(pace([at(10, 0.5, 1), at(20, 1, 1, null, 1000), at(40, 2, 1, null, 5000)])).toBe(5);
  expect(pace([at(10, 0.5, 1)])).toBeNull();
});

test("what was logged before the page listened came at once, and has no pace", () => {
  const known = [at(10, 0.5, 1, null, 1000), at(30, 1.5, 1, null, 1010), at(34, 1.7, 1, null, 3010)];
  expect(pace(known.slice(0, 2))).toBeNull();
  expect(pace(known)).toBe(2);
});

test("what is left of a training follows from its pace", () => {
  const known = [at(20, 1, 1, null, 1000), at(40, 2, 1, null, 5000)];
  expect(remaining(0.4, known)).toBeCloseTo(12);
  expect(remaining(null, known)).toBeNull();
  expect(remaining(0.4, known.slice(1))).toBeNull();
  expect([0.2, 40, 200, 4800].map(lasting)).toEqual(["1 s", "40 s", "3 min", "1 h 20 min"]);
});

test("a curve has what was logged, and none where nothing was", () => {
  const [training, validation] = curves([at(10, 0.5, 1), at(20, 1, null, 0.9), at(30, 1.5, 0.6)]);
  expect(training).toEqual({ name: "training", points: [{ x: 10, y: 1 }, { x: 30, y: 0.6 }] });
  expect(validation).toEqual({ name: "validation", points: [{ x: 20, y: 0.9 }] });
  expect(curves([at(10, 0.5, 1)]).map((one) => one.name)).toEqual(["training"]);
});

test("the pointer means the nearest step; a line that never moves has room above and below", () => {
  const points = [{ x: 0, y: 1 }, { x: 10, y: 2 }];
  expect(nearest(points, 4)?.x).toBe(0);
  expect(nearest(points, 99)?.x).toBe(10);
  expect(nearest([], 1)).toBeUndefined();
  const [low, high] = padded(3, 3);
  expect(low).toBeLessThan(3);
  expect(high).toBeGreaterThan(3);
  expect(padded(Infinity, -Infinity)).toEqual([0, 1]);
});
