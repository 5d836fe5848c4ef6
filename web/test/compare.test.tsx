// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Compared } from "../src/api";
import { Compare } from "../src/compare";
import { matrix, pair } from "../src/comparing";
import { cells, shade, worst } from "../src/confusion";
import { chance, difference, reach } from "../src/differences";
import { decimal } from "../src/parts";
import { selection, start } from "../src/state";
import { Server } from "./server";

const of = (value: number, low = value, high = value) => ({ value, low, high, n: 100 });

const FOUND: Compared = {
  a: "run-1",
  b: "run-2",
  split: "validation",
  metrics: [
    { name: "accuracy", a: of(0.8, 0.75, 0.85), b: of(0.86, 0.81, 0.9), difference: of(0.06, 0.01, 0.11), p: 0.02, verdict: "better" },
    { name: "macro F1", a: of(0.8), b: of(0.79), difference: of(-0.01, -0.06, 0.04), p: 0.7, verdict: "cannot tell" },
  ],
  confusion: {
    a: { labels: ["neg", "pos"], counts: [[40, 10], [10, 40]] },
    b: { labels: ["neg", "pos"], counts: [[45, 5], [9, 41]] },
  },
  wins: ["r2", "r3"],
  losses: [],
  slices: [
    { name: "short texts", n: 20, a: 0.9, b: 0.9, difference: of(0, -0.1, 0.1), p: 1, verdict: "cannot tell", ids: ["r1"] },
    { name: "long texts", n: 10, a: 0.9, b: 0.6, difference: of(-0.3, -0.5, -0.1), p: 0.01, verdict: "worse", ids: ["r4"] },
  ],
  sentence: "The second run is better.",
  command: "tunewright compare run-1 run-2",
};

beforeEach(async () => {
  const server = new Server();
  server.compared = FOUND;
  server.runs = [...server.runs, { ...server.runs[0]!, id: "run-2", version: "main-2" }];
  pair.value = null;
  matrix.value = "b";
  await start(server, null);
  render(<Compare />);
  fireEvent.change(screen.getByLabelText("B, after"), { target: { value: "run-2" } });
  await screen.findByText("The second run is better.");
});
afterEach(cleanup);

test("verdicts are words, with differences, intervals and chance", () => {
  expect(screen.getByText("better", { exact: false, selector: ".verdict" }).textContent).toContain("better");
  expect(screen.getByText(/\+0\.060 \(\+0\.010 to \+0\.110\)/)).toBeTruthy();
  expect(screen.getByText(/p = 0\.020/)).toBeTruthy();
});

test("rows that only the second run has right are selected", async () => {
  fireEvent.click(screen.getByRole("button", { name: "Only B is right: 2 rows" }));
  await expect.poll(() => [...selection.value.rows]).toEqual([2, 3]);
  expect(screen.getByRole("button", { name: /Only A is right/ })).toHaveProperty("disabled", true);
});

test("a cell of the matrix selects its rows", async () => {
  fireEvent.click(screen.getByRole("button", { name: "neg predicted as pos: 5 rows" }));
  await expect.poll(() => [...selection.value.rows]).toEqual([2, 4]);
});

test("the matrix of A is chosen", () => {
  fireEvent.click(screen.getByRole("button", { name: "A" }));
  expect(matrix.value).toBe("a");
  expect(screen.getByRole("button", { name: "neg predicted as pos: 10 rows" })).toBeTruthy();
});

test("slices that got worse come first", () => {
  const names = screen.getAllByRole("button", { name: /texts/ }).map((one) => one.textContent);
  expect(names[0]).toContain("long texts");
  expect(screen.getByText("1 slice got worse.")).toBeTruthy();
});

test("figures of a matrix", () => {
  const matrix = FOUND.confusion!.a;
  expect(cells(matrix).map((one) => one.count)).toEqual([40, 10, 10, 40]);
  expect(worst(matrix, 1)).toEqual([{ gold: "neg", predicted: "pos", count: 10, right: false }]);
  expect(shade(cells(matrix)[1]!, matrix)).toBe(9);
  expect(shade({ gold: "neg", predicted: "pos", count: 0, right: false }, { labels: ["neg"], counts: [[0]] })).toBe(0);
});

test("halves go to the even digit, as in sentences of points", () => {
  expect([0.0375, -0.0375, 0.1125, -0.1125, 0.0125, -0.0004].map(decimal)).toEqual(["0.038", "−0.038", "0.112", "−0.112", "0.012", "0.000"]);
});

test("figures of a difference", () => {
  expect(difference(of(-0.1, -0.2, 0.05))).toBe("−0.100 (−0.200 to +0.050)");
  expect([chance(0.0004), chance(0.034)]).toEqual(["p < 0.001", "p = 0.034"]);
  expect(reach(of(-0.1, -0.2, 0.05))).toBeCloseTo(0.22);
});
