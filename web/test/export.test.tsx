// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, it } from "vitest";

import type { Kind } from "../src/api";
import { Export } from "../src/export";
import { Issues } from "../src/issues";
import { filters, issues, NOTHING, points, query, select, selection, start, workspace } from "../src/state";
import { Scene } from "./scene";

beforeEach(async () => {
  await start(new Scene(40), null);
  workspace.value = { ...workspace.value!, read_only: false };
  filters.value = new Map();
  query.value = "";
  selection.value = NOTHING;
});
afterEach(cleanup);

const commands = (): (string | null)[] => [...document.querySelectorAll("code")].map((one) => one.textContent);

function kind(is: Kind, parent = ""): void {
  const now = points.value!;
  const layouts = is === "eval" ? [] : [{ name: is === "train" ? "map" : "umap", title: "Map", x: "x", y: "y" }];
  points.value = { ...now, run: { ...now.run, kind: is, layouts, summary: { ...now.run.summary, kind: is, parent } } };
}

it("takes all rows by a command that names none", () => {
  render(<Export />);
  expect(commands()).toContain("tunewright rows run --out rows.csv");
});

it("takes the rows that pass by the same filters", () => {
  filters.value = new Map([["label", { by: "codes", codes: new Set([0]) }]]);
  render(<Export />);
  expect(screen.getByRole("button", { name: "Save 20 rows" })).toBeTruthy();
  expect(commands()).toContain("tunewright rows run --rule \"label = 'neg'\" --out rows.csv");
});

it("takes selected rows by their ids", async () => {
  select(Uint32Array.of(1, 3));
  render(<Export />);
  await screen.findByText("tunewright rows run --id r1 --id r3 --out rows.csv");
});

it("has no command for many rows that were selected by hand", () => {
  select(Uint32Array.from({ length: 21 }, (_, row) => row));
  render(<Export />);
  expect(commands().filter((one) => one!.includes(" rows run"))).toEqual([]);
  screen.getByText(/more than 20 that were selected by hand are saved here/);
});

it.each<[Kind, string | undefined]>([
  ["train", "tunewright map run"],
  ["eval", undefined],
  ["production", "tunewright monitor report --name run --map map.png"],
])("draws the map of a run of kind %s by a command that can", (is, command) => {
  kind(is);
  render(<Export />);
  expect(commands().find((one) => one!.includes("map"))).toBe(command);
});

it.each<[Kind, string, readonly string[]]>([
  ["train", "", ["tunewright analyze run"]],
  ["eval", "mother", ["tunewright analyze mother"]],
  ["eval", "", []],
  ["production", "mother", ["tunewright monitor report --name run"]],
])("looks for issues of a run of kind %s, of training %j, by a command that can", (is, parent, found) => {
  kind(is, parent);
  issues.value = [];
  render(<Issues />);
  expect(commands()).toEqual(found);
});
