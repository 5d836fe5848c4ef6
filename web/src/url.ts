/** The page's state as the query of its address, both ways: what is copied from the address bar opens the same view. */

import { batch, effect } from "@preact/signals";

import { beside } from "./beside";
import { matrix, pair, recompare } from "./comparing";
import { coded, type Filter, spelled, unspelled } from "./filter";
import { looked, revisit } from "./looking";
import { framed, unframed } from "./part";
import { enclose, replayed } from "./plane";
import { wanted } from "./reference";
import * as state from "./state";
import { chosen } from "./table/columns";

/** Rows of a selection that an address can hold. */
const MOST_ROWS = 500;

/** A filter in an address: `0.1..0.5`, `0.1..` without an upper end, `easy,hard` or, without categories, `0,1`; a trailing `?` lets missing values pass.
 *
 * Categories go by name: their codes differ from run to run. written(read("0,1?")) is "0,1?" */
export function written(filter: Filter, categories: readonly string[] = []): string {
  const names = filter.by === "codes" ? [...filter.codes].map((code) => categories[code] ?? String(code)).sort() : [];
  const text = filter.by === "range" ? `${bound(filter.low)}..${bound(filter.high)}` : spelled(names);
  return filter.missing ? `${text}?` : text;
}

const bound = (value: number): string => (Number.isFinite(value) ? String(value) : "");

/** The filter that an address says; null if it says none. */
export function read(text: string, categories: readonly string[] = []): Filter | null {
  const missing = text.endsWith("?");
  const said = missing ? text.slice(0, -1) : text;
  const more = missing ? { missing } : {};
  const range = categories.length ? [] : said.split("..");
  if (range.length === 2) {
    const low = range[0] ? Number(range[0]) : -Infinity;
    const high = range[1] ? Number(range[1]) : Infinity;
    return Number.isNaN(low) || Number.isNaN(high) ? null : { by: "range", low, high, ...more };
  }
  const names = unspelled(said);
  const codes = categories.length ? coded(names, categories) : new Set(names.map(Number));
  return (codes.size || missing) && [...codes].every((code) => Number.isInteger(code) && code >= 0) ? { by: "codes", codes, ...more } : null;
}

function selected(): string {
  const { origin, rows } = state.selection.value;
  switch (origin.by) {
    case "lasso":
      return `lasso:${origin.layout}:${origin.polygon.map((at) => `${round(at.x)},${round(at.y)}`).join(";")}`;
    case "issue":
      return `issue:${origin.id}`;
    case "rows":
      return rows.length && rows.length <= MOST_ROWS ? `rows:${[...rows].join(",")}` : "";
  }
}

const round = (value: number): number => Number(value.toPrecision(5));

/** `loss` goes up, `-loss` goes down. */
function sorted(): string | null {
  const now = state.sort.value;
  return now && (now.descending ? `-${now.name}` : now.name);
}

async function resort(text: string): Promise<void> {
  const descending = text.startsWith("-");
  const name = descending ? text.slice(1) : text;
  const known = state.run.value?.columns.some((one) => one.name === name && one.kind !== "text") ?? false;
  state.sort.value = known ? { name, descending } : null;
  if (known) await state.during(() => state.need(name));
}

/** The query that says what the page shows now. */
export function address(): string {
  const said = new URLSearchParams();
  const put = (name: string, value: string | number | null, usual: string | number | null = null): void => {
    if (value !== null && value !== "" && value !== usual) said.set(name, String(value));
  };
  put("run", state.run.value?.id ?? null);
  put("second", state.second.value?.run.id ?? null);
  put("layout", state.layout.value, "map");
  put("zoom", looked.value && framed(looked.value));
  put("colour", state.colour.value);
  put("size", state.size.value ?? "none", "loss");
  put("density", state.density.value, "auto");
  put("epoch", state.epoch.value);
  put("reference", wanted.value ? "on" : "off", "on");
  put("q", state.query.value);
  put("view", state.centre.value, "map");
  put("panel", state.panel.value, "detail");
  put("compare", pair.value?.b ?? null);
  put("before", pair.value?.a ?? null, state.run.value?.id);
  put("matrix", pair.value && matrix.value, "b");
  put("row", state.primary.value);
  put("pinned", state.pinned.value);
  put("selection", selected());
  put("sort", sorted());
  put("columns", chosen.value?.join(",") ?? null);
  if (state.unfolded.value) said.set("open", [...state.unfolded.value].join(","));
  for (const [name, filter] of state.filters.value) said.set(`f.${name}`, written(filter, state.categories(state.run.value, name)));
  return said.toString();
}

const PANELS: readonly state.Panel[] = ["detail", "issues", "curate", "compare", "live", "production", "export"];

/** One of a few words, the first where the text is none of them. */
const among = <T extends string>(text: string | null, words: readonly T[]): T => words.find((one) => one === text) ?? words[0]!;

/** Show what an address says, and nothing else. The run must be open. */
export async function restore(text: string): Promise<void> {
  const said = new URLSearchParams(text);
  const filters = await filtersOf(said);
  const has = (name: string | null): name is string => !!state.run.value?.columns.some((one) => one.name === name);
  const there = (name: string | null): name is string => !!state.run.value?.layouts.some((one) => one.name === name);
  const [layout, colour, size] = [said.get("layout") ?? "map", said.get("colour"), said.get("size") ?? "loss"];
  batch(() => {
    state.filters.value = filters;
    if (there(layout)) state.layout.value = layout;
    if (has(colour)) state.colour.value = colour;
    state.size.value = has(size) ? size : null;
    state.density.value = among(said.get("density"), ["auto", "on", "off"]);
    state.centre.value = among(said.get("view"), ["map", "table"]);
    state.panel.value = among(said.get("panel"), PANELS);
    state.query.value = said.get("q") ?? "";
    state.epoch.value = earlier(said.get("epoch"));
    wanted.value = said.get("reference") !== "off";
    const open = said.get("open");
    state.unfolded.value = open === null ? null : new Set(open.split(",").filter(Boolean));
  });
  chosen.value = said.get("columns")?.split(",") ?? null;
  await resort(said.get("sort") ?? "");
  await reselect(said.get("selection") ?? "");
  state.primary.value = row(said.get("row")) ?? (await located(said.get("id"))) ?? state.primary.value;
  state.pinned.value = row(said.get("pinned"));
  matrix.value = among(said.get("matrix"), ["b", "a"]);
  recompare(said.get("compare"), said.get("before"));
  await beside(said.get("second"));
  revisit(unframed(said.get("zoom") ?? ""));
}

/** An epoch before the last of the open run; null: the map as it is after training. */
function earlier(text: string | null): number | null {
  const at = whole(text);
  return at !== null && at > 0 && at < (state.run.value?.epochs ?? 0) ? at : null;
}

/** Filters that the open run knows; of the others the reader is told. */
async function filtersOf(said: URLSearchParams): Promise<ReadonlyMap<string, Filter>> {
  const filters = new Map<string, Filter>();
  const lost: string[] = [];
  for (const [key, value] of said) {
    if (!key.startsWith("f.")) continue;
    const name = key.slice(2);
    const known = state.run.value?.columns.some((one) => one.name === name && one.kind !== "text");
    const names = state.categories(state.run.value, name);
    const filter = known ? read(value, names) : null;
    if (filter && (await state.during(() => state.need(name)))) filters.set(name, filter);
    const unknown = unspelled(names.length ? value.replace(/\?$/, "") : "").filter((one) => !names.includes(one));
    if (!filter || unknown.length) lost.push(`${name} ${unknown.join(", ") || value}`);
  }
  if (lost.length) state.notice.value = { message: `Not in this run: ${lost.join("; ")}.`, fix: "" };
  return filters;
}

/** A row of the open run. */
function row(text: string | null): number | null {
  const at = whole(text);
  return at !== null && at < (state.points.value?.rows ?? 0) ? at : null;
}

/** Row of an id: what a link to one example names. */
async function located(id: string | null): Promise<number | null> {
  const now = state.run.value;
  if (id === null || !now) return null;
  const answer = await state.during(() => state.api().locate(now.id, [id]));
  if (answer?.rows[0] === -1) state.notice.value = { message: `The run ${now.id} has no example ${id}.`, fix: "" };
  return row(String(answer?.rows[0] ?? -1));
}

const whole = (text: string | null): number | null => (text !== null && /^\d+$/.test(text) ? Number(text) : null);

async function reselect(text: string): Promise<void> {
  const [by, ...rest] = text.split(":");
  switch (by) {
    case "rows": {
      const rows = (rest[0] ?? "").split(",").map(row).filter((one) => one !== null);
      state.select(Uint32Array.from(rows));
      break;
    }
    case "lasso":
      state.layout.value = rest[0] ?? state.layout.value;
      if (state.epoch.value !== null) await replayed();
      enclose((rest[1] ?? "").split(";").map((at) => ({ x: Number(at.split(",")[0]), y: Number(at.split(",")[1]) })));
      break;
    case "issue": {
      const now = state.run.value;
      if (!now) return;
      state.issues.value ??= (await state.during(() => state.api().issues(now.id)))?.issues ?? null;
      const issue = state.issues.value?.find((one) => one.id === rest.join(":"));
      if (issue) state.select(Uint32Array.from(issue.rows), { by: "issue", id: issue.id });
      break;
    }
    default:
      state.selection.value = state.NOTHING;
  }
}

/** Open what an address says, whichever run that is, and remember where the page was. */
export async function go(query: string): Promise<void> {
  settle();
  await show(query);
  settle();
}

async function show(query: string): Promise<void> {
  moving++;
  try {
    const asked = new URLSearchParams(query).get("run");
    if (asked && asked !== state.run.value?.id) await state.open(asked);
    await restore(query);
  } finally {
    moving--;
  }
}

/** Milliseconds after which a change shows in the address: browsers refuse too many at once. */
const REST = 150;

/** Pages under way to another address: what changes meanwhile is no step of the reader. */
let moving = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;
let place = "";

/** What a reader goes back to: another run, panel, view, comparison or selection. The rest changes the address in place. */
function landmark(): string {
  const [run, other] = [state.run.value?.id, state.second.value?.run.id];
  return JSON.stringify([run, other, state.centre.value, state.panel.value, pair.value, selected()]);
}

/** What stands before the query: a page that is a file may change nothing of its address but what follows a hash. */
const mark = (): string => (location.protocol === "file:" ? "#" : "?");

/** The query of the page's address. */
export const queried = (): string => (location.protocol === "file:" ? location.hash.slice(1) : location.search);

/** Write the address now, as a step to go back to where the page is somewhere else than before. */
function settle(): void {
  clearTimeout(waiting);
  const query = address();
  const next = query ? `${mark()}${query}` : location.pathname;
  const now = landmark();
  if (now !== place && place) history.pushState(null, "", next);
  else history.replaceState(null, "", next);
  place = now;
}

/** Keep the address as the page is, and the page as the address is on back and forward, until the returned function is called. */
export function keep(): () => void {
  const back = async (): Promise<void> => {
    clearTimeout(waiting);
    await show(queried());
    place = landmark();
  };
  const stop = effect(() => {
    address();
    clearTimeout(waiting);
    waiting = setTimeout(() => moving || settle(), REST);
  });
  const popped = (): void => void back();
  window.addEventListener("popstate", popped);
  return () => {
    stop();
    clearTimeout(waiting);
    window.removeEventListener("popstate", popped);
    place = "";
  };
}
