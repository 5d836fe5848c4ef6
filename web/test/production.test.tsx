// @vitest-environment happy-dom
import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Collected } from "../src/api";
import { Legend } from "../src/legend";
import { here, whole } from "../src/plane";
import { Production } from "../src/production";
import { lying, reference, wanted } from "../src/reference";
import { found, layout, selection, start } from "../src/state";
import { address, restore } from "../src/url";
import { ROWS, Server } from "./server";

const COLLECTED: Collected = {
  run: "run-1",
  rows: 3,
  budget: 2000,
  reasons: [
    { reason: "low_confidence", rows: 2, labelled: 1, ids: ["r4", "r1"] },
    { reason: "<b>far</b>", rows: 2, labelled: 0, ids: ["r1", "r2"] },
  ],
};

/** A production run on whose map three rows of the reference lie. */
class Watched extends Server {
  collected = COLLECTED;

  override async json<T>(path: string): Promise<T> {
    if (path.endsWith("/monitor")) return { rows: ROWS, labels: 0, model: "run-0", checks: {}, notes: [] } as T;
    if (path.endsWith("/alerts")) return { alerts: [] } as T;
    if (path.endsWith("/collected")) return this.collected as T;
    const found = await super.json<Record<string, unknown>>(path);
    if (path !== "runs/run-1") return found as T;
    return { ...found, kind: "production", reference: 3, layouts: [{ name: "umap", title: "UMAP", x: "variability", y: "confidence" }] } as T;
  }

  override async bytes(path: string): Promise<ArrayBuffer> {
    if (!path.endsWith("/reference")) return super.bytes(path);
    return tableToIPC(tableFromArrays({ x: Float32Array.of(-2, 1, 5), y: Float32Array.of(0, 4, 1) }), { format: "stream" })!.slice().buffer as ArrayBuffer;
  }
}

beforeEach(async () => {
  wanted.value = true;
  layout.value = "umap";
  await start(new Watched(), null);
});
afterEach(cleanup);

test("collected rows are counted by reason, and a click selects them", async () => {
  render(<Production />);
  await screen.findByText("Collected to be labelled");
  expect(screen.getByText("<b>far</b>")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Select the rows collected for low_confidence" }));
  await expect.poll(() => [...selection.value.rows].sort()).toEqual([1, 4]);
});

test("the map has room for the reference, shown or not", async () => {
  await expect.poll(() => lying.value?.x.length).toBe(3);
  expect(here.value!.x.length).toBe(ROWS);
  expect(whole()).toEqual({ left: -2, right: 5, low: 0, high: 4 });
  wanted.value = false;
  expect(reference.value).toBeNull();
  expect(whole().right).toBe(5);
});

test("the legend counts what other filters let through, not what its own hides", async () => {
  await restore("colour=split&f.split=test");
  render(<Legend />);
  const counts = (): string[] => screen.getAllByRole("button", { name: /train|test/ }).map((one) => one.textContent ?? "");
  await expect.poll(counts).toEqual(["train5", "test1"]);
  found.value = Uint32Array.of(0, 5);
  await expect.poll(counts).toEqual(["train1", "test1"]);
  found.value = null;
});

test("the legend hides the reference, and the address says so", async () => {
  await restore("colour=split");
  render(<Legend />);
  const entry = await screen.findByRole("button", { name: /reference/ });
  expect(screen.getByText("production, split")).toBeTruthy();
  fireEvent.click(entry);
  expect(entry.getAttribute("aria-pressed")).toBe("false");
  expect(address()).toContain("reference=off");
  await restore("colour=split");
  expect(wanted.value).toBe(true);
});
