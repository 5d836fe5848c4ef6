// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { appended, type Loss, pace, perEpoch } from "../src/jobs";

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
