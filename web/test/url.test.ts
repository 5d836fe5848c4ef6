// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ColumnInfo, RunInfo, Source } from "../src/api";
import { translated } from "../src/filter";
import * as state from "../src/state";
import type { Values } from "../src/wire";
import { address, go, keep, read, restore, written } from "../src/url";

function column(name: string, kind: ColumnInfo["kind"], categories: readonly string[] = []): ColumnInfo {
  return { name, kind, categories, meaning: "", unit: "", low: null, high: null, direction: "", min: 0, max: 1, missing: 0, base: true };
}

const ROWS = 6;
const run = {
  id: "first",
  kind: "train",
  examples: ROWS,
  columns: [column("loss", "number"), column("label", "category", ["a", "b"]), column("region", "category", ["easy"])],
  layouts: [
    { name: "map", title: "Data map", x: "loss", y: "loss" },
    { name: "pca", title: "PCA", x: "loss", y: "loss" },
  ],
  epochs: 3,
  etag: "1",
} as unknown as RunInfo;

const source = {
  read_only: false,
  json: async (path: string) => (path.includes("search") ? { rows: [1], total: 1, ms: 1 } : run),
  post: async () => ({ rows: [4] }),
} as unknown as Source;

function opened(): void {
  state.points.value = {
    run,
    rows: ROWS,
    values: new Map<string, Values>([
      ["loss", Float32Array.of(0, 1, 2, 3, 4, 5)],
      ["label", Uint8Array.of(0, 1, 0, 1, 255, 0)],
      ["region", new Uint8Array(ROWS)],
    ]),
  };
}

beforeEach(async () => {
  await state.start({ ...source, json: async () => ({ run: null, runs: [] }) as never }, null);
  await state.start({ ...source, json: async <T>(path: string) => (path === "workspace" ? { run: null, runs: ["first", "second", "third"].map((id) => ({ id })) } : await source.json(path)) as T }, null);
  opened();
  await restore("");
});

afterEach(() => vi.useRealTimers());

describe("a filter in an address", () => {
  it.each(["0.1..0.5", "..0.5", "0.1..", "..", "0,2", "0,2?", "0.1..0.5?", "?", "..?"])("%s is read and written alike", (text) => {
    expect(written(read(text)!)).toBe(text);
  });

  it.each(["", "a..b", "1,x", "-1", "1.5"])("%s says nothing", (text) => {
    expect(read(text)).toBeNull();
  });
});

describe("categories in an address", () => {
  const names = ["", "a,b", "what?", "100%", "@"];
  it("go by name, whatever is in it, and mean the same where they have other codes", () => {
    const filter = { by: "codes", codes: new Set([0, 1, 2, 3, 4]), missing: true } as const;
    const text = written(filter, names);
    expect(read(text, names)).toEqual(filter);
    expect(read(text, ["new", ...names])).toEqual({ ...filter, codes: new Set([1, 2, 3, 4, 5]) });
    expect(read("gone", names)).toBeNull();
  });

  it("are translated for another run, and told where it lacks them", async () => {
    expect(translated({ by: "codes", codes: new Set([1]) }, ["a", "b"], ["b", "c"])).toEqual({ by: "codes", codes: new Set([0]) });
    expect(translated({ by: "codes", codes: new Set([0]) }, ["a", "b"], ["b", "c"])).toBeNull();
    state.notice.value = null;
    await restore("f.label=b%2Cgone&f.nope=1&f.loss=1.0..");
    expect([...state.filters.value]).toEqual([["label", { by: "codes", codes: new Set([1]) }], ["loss", { by: "range", low: 1, high: Infinity }]]);
    expect(state.notice.value).toMatchObject({ message: "Not in this run: label gone; nope 1." });
    state.notice.value = null;
  });
});

describe("an address", () => {
  it.each([
    "run=first&layout=pca&colour=label&size=none&density=on&epoch=2&view=table&panel=curate&row=3&pinned=1",
    "run=first&colour=region&selection=rows%3A1%2C4&row=4",
    "run=first&colour=region&f.loss=1..4&f.label=a%2Cb%3F",
    "run=first&colour=region&q=%22two+words%22",
    "run=first&colour=region&open=loss%2Clabel",
    "run=first&colour=region&open=",
    "run=first&colour=region&panel=compare&compare=second&matrix=a",
    "run=first&colour=region&compare=third&before=second",
    "run=first&zoom=0.25_0.5_0.1_0.2&colour=region",
    "run=first&layout=pca&zoom=-3_2.5_4&colour=region",
  ])("%s opens the same view", async (text) => {
    await restore(text);
    expect(Object.fromEntries(new URLSearchParams(address()))).toMatchObject(Object.fromEntries([...new URLSearchParams(text)].filter(([, value]) => value !== "none" && value !== "")));
    const once = address();
    await restore("");
    await restore(once);
    expect(address()).toBe(once);
  });

  it("leaves nothing of the view before", async () => {
    await restore("selection=rows%3A1%2C4&f.loss=1..4&panel=curate&q=word&view=table&epoch=1&pinned=2");
    await restore("");
    expect(state.selection.value.rows.length).toBe(0);
    expect(state.filters.value.size).toBe(0);
    expect([state.panel.value, state.query.value, state.centre.value, state.epoch.value, state.pinned.value]).toEqual(["detail", "", "map", null, null]);
  });

  it("names one example by its id", async () => {
    await restore("id=seven");
    expect(state.primary.value).toBe(4);
  });

  it("that says nonsense is the usual view", async () => {
    await restore("layout=nowhere&colour=nothing&panel=%3Cscript%3E&view=x&density=y&row=99&f.none=1..2&selection=rows%3A1%2C99");
    expect([state.layout.value, state.panel.value, state.centre.value, state.density.value]).toEqual(["map", "detail", "map", "auto"]);
    expect([...state.selection.value.rows]).toEqual([1]);
    expect(state.filters.value.size).toBe(0);
  });

  it.each(["compare=nobody", "compare=first", "compare=second&before=nobody", "matrix=a", "zoom=1_2", "zoom=1_2_3", "layout=pca&zoom=1_2_3_4", "epoch=77", "epoch=3", "epoch=0"])(
    "%s says nothing more than the usual view",
    async (text) => {
      state.primary.value = null;
      await restore(text);
      expect([...new URLSearchParams(address()).keys()].sort()).toEqual(["colour", ...(text.startsWith("layout") ? ["layout"] : []), "run"]);
    },
  );
});

describe("the browser's history", () => {
  it("has a step for another panel, and none for a slider", async () => {
    const pushed = vi.spyOn(history, "pushState");
    const replaced = vi.spyOn(history, "replaceState");
    const stop = keep();
    await new Promise((done) => setTimeout(done, 200));
    state.epoch.value = 1;
    await new Promise((done) => setTimeout(done, 200));
    expect(pushed).not.toHaveBeenCalled();
    expect(replaced.mock.lastCall?.[2]).toContain("epoch=1");
    state.panel.value = "issues";
    await new Promise((done) => setTimeout(done, 200));
    expect(pushed.mock.lastCall?.[2]).toContain("panel=issues");
    stop();
  });

  it("opens a saved view as a step", async () => {
    const stop = keep();
    await new Promise((done) => setTimeout(done, 200));
    const pushed = vi.spyOn(history, "pushState");
    await go("panel=export&f.loss=2..");
    expect(state.panel.value).toBe("export");
    expect(state.filters.value.get("loss")).toEqual({ by: "range", low: 2, high: Infinity });
    expect(pushed.mock.lastCall?.[2]).toContain("f.loss=2..");
    stop();
  });
});
