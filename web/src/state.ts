/** What the page shows, as signals: one run, filters, a selection and one primary row. Views read these and nothing else. */

import { batch, computed, effect, signal } from "@preact/signals";

import { type Client, client, type Issue, type Pending, type RunInfo, type Source, type Workspace } from "./api";
import { type Filter, translated } from "./filter";
import { blamed, passing } from "./filtering/crossed";
import { usual } from "./filtering/groups";
import type { Point } from "./lasso";
import { among, ordering, type Sort } from "./sort";
import { columns, type Points, sentence, type Values } from "./wire";

export type Panel = "detail" | "issues" | "curate" | "compare" | "live" | "production" | "export";
export type Centre = "map" | "table";
export type Density = "auto" | "on" | "off";

/** Where a selection came from: what an address says of it. */
export type Origin =
  | { readonly by: "lasso"; readonly layout: string; readonly polygon: readonly Point[] }
  | { readonly by: "issue"; readonly id: string }
  | { readonly by: "rows" };

export interface Selection {
  readonly origin: Origin;
  /** Row numbers; in reading order for an issue, else ascending. */
  readonly rows: Uint32Array;
}

export const NOTHING: Selection = { origin: { by: "rows" }, rows: new Uint32Array(0) };

export const workspace = signal<Workspace | null>(null);
export const points = signal<Points | null>(null);
/** A second run on the same map, its rows in the order of the first: NaN where it lacks an example. */
export const second = signal<Points | null>(null);
export const layout = signal("map");
export const colour = signal("region");
export const size = signal<string | null>("loss");
export const density = signal<Density>("auto");
/** The map as it was after this epoch; null: after training. */
export const epoch = signal<number | null>(null);
export const filters = signal<ReadonlyMap<string, Filter>>(new Map());
export const query = signal("");
/** Rows that the search found; null: no search. */
export const found = signal<Uint32Array | null>(null);
/** What the search said: rows that match, and how long it took; null: no search, or none yet. */
export const searched = signal<{ readonly total: number; readonly ms: number } | null>(null);
/** Columns whose histogram is open among the filters; null: the usual few, and those in use. */
export const unfolded = signal<ReadonlySet<string> | null>(null);
export const selection = signal<Selection>(NOTHING);
export const primary = signal<number | null>(null);
export const pinned = signal<number | null>(null);
export const centre = signal<Centre>("map");
export const panel = signal<Panel>("detail");
export const issues = signal<readonly Issue[] | null>(null);
export const pending = signal<Pending | null>(null);
/** One sentence for the reader, and what to do. */
export interface Notice {
  readonly message: string;
  readonly fix: string;
  /** It went well: the notice need not stay. */
  readonly good?: boolean;
}

export const notice = signal<Notice | null>(null);
export const busy = signal(0);

export const run = computed<RunInfo | null>(() => points.value?.run ?? null);

/** Columns whose histogram is open. */
export const opened = computed<ReadonlySet<string>>(() => unfolded.value ?? new Set([...usual(run.value?.columns ?? []), ...filters.value.keys()]));

/** What hides each row: the filter that it fails, the search, several, or nothing. */
export const blame = computed<Uint8Array>(() => {
  const now = points.value;
  return now ? blamed(now, filters.value, found.value) : new Uint8Array(0);
});

/** 1 where a row passes all filters and the search. */
export const shown = computed<Uint8Array>(() => passing(blame.value));

/** Per row: bit 0 visible, bit 1 selected. What the renderer reads; the primary row is marked above the points. */
export const flags = computed<Uint8Array>(() => {
  const bits = shown.value.slice();
  for (const row of selection.value.rows) bits[row]! |= 2;
  return bits;
});

/** The rows that views list: the selected ones that pass the filters, or all that pass when nothing is selected. */
export const listed = computed<Uint32Array>(() => {
  const bits = shown.value;
  if (selection.value.rows.length) return selection.value.rows.filter((row) => bits[row]! & 1);
  const rows = new Uint32Array(bits.length);
  let count = 0;
  for (let row = 0; row < bits.length; row++) if (bits[row]! & 1) rows[count++] = row;
  return rows.subarray(0, count);
});

/** Column that lists are ordered by; null: as the rows come. */
export const sort = signal<Sort | null>(null);

/** Rows of a list in the order that the reader chose; as they come while the column is not there yet. */
export function inOrder(rows: Uint32Array): Uint32Array {
  const now = points.value;
  const by = sort.value;
  const info = by && now?.run.columns.find((one) => one.name === by.name);
  const values = by && now?.values.get(by.name);
  return now && by && info && values ? among(ordering(info, values, by.descending), rows, now.rows) : rows;
}

/** `listed` as the table shows it: the order in which to step through it. */
export const ordered = computed<Uint32Array>(() => inOrder(listed.value));

let asking: Client | null = null;

/** The requests of the page.
 *
 * @throws Error before `start`. */
export function api(): Client {
  if (!asking) throw new Error("the page has not started");
  return asking;
}

/** Ask for the workspace, and open its run. */
export async function start(source: Source, name: string | null): Promise<void> {
  asking = client(source);
  await during(async () => {
    workspace.value = await api().workspace();
    const usually = workspace.value.run;
    if (name) await open(name);
    if (!run.value && usually) await open(usually);
  });
}

/** Show another run; filters on columns that it lacks go, and so does the selection. */
export async function open(id: string): Promise<void> {
  await during(async () => {
    const [info, bytes] = await Promise.all([api().run(id), api().points(id)]);
    const values = columns(bytes);
    batch(() => {
      filters.value = new Map(translations(run.value, info).filter(([name]) => values.has(name)));
      points.value = { run: info, rows: info.examples, values };
      if (!info.layouts.some((one) => one.name === layout.value)) layout.value = info.layouts[0]?.name ?? "map";
      if (!info.columns.some((one) => one.name === colour.value)) colour.value = preferred(info);
      if (!info.columns.some((one) => one.name === size.value)) size.value = null;
      selection.value = NOTHING;
      primary.value = null;
      pinned.value = null;
      second.value = null;
      found.value = null;
      issues.value = null;
      epoch.value = null;
    });
  });
}

/** Names of the categories of a column, none for numbers and flags. */
export const categories = (info: RunInfo | null, name: string): readonly string[] => info?.columns.find((one) => one.name === name)?.categories ?? [];

/** The filters as another run knows them. */
function translations(from: RunInfo | null, to: RunInfo): readonly (readonly [string, Filter])[] {
  return [...filters.value].flatMap(([name, filter]) => {
    const same = translated(filter, categories(from, name), categories(to, name));
    return same ? [[name, same] as const] : [];
  });
}

function preferred(info: RunInfo): string {
  const wanted = ["region", "correctness", "correct", "label", "predicted", "split"];
  return wanted.find((name) => info.columns.some((one) => one.name === name)) ?? info.columns.find((one) => one.kind !== "text")?.name ?? "";
}

/** Values of a column of the open run, asked for once. */
export async function need(name: string): Promise<Values | null> {
  const now = points.value;
  if (!now) return null;
  const there = now.values.get(name);
  if (there) return there;
  const got = await asked(now.run.id, name);
  const still = points.value;
  if (got && still?.run.id === now.run.id) {
    points.value = { ...still, values: new Map([...still.values, [name, got]]) };
  }
  return got;
}

const requests = new Map<string, Promise<Values | null>>();

/** One request for a column at a time, however many views need it. */
function asked(id: string, name: string): Promise<Values | null> {
  const key = `${id} ${name}`;
  const underway = requests.get(key);
  if (underway) return underway;
  const request = api()
    .column(id, name)
    .then((bytes) => columns(bytes).get(name) ?? null)
    .finally(() => requests.delete(key));
  requests.set(key, request);
  return request;
}

/** Select rows; the first of them becomes primary when the primary one is not among them. */
export function select(rows: Uint32Array, origin: Origin = { by: "rows" }): void {
  batch(() => {
    selection.value = { origin, rows };
    if (rows.length && (primary.value === null || !rows.includes(primary.value))) primary.value = rows[0]!;
  });
}

/** The next (+1) or previous (-1) row of the list becomes primary. */
export function step(by: 1 | -1): void {
  const rows = ordered.value;
  if (!rows.length) return;
  const at = primary.value === null ? -1 : rows.indexOf(primary.value);
  primary.value = rows[(at + by + rows.length) % rows.length]!;
}

export function filter(name: string, value: Filter | null): void {
  const next = new Map(filters.value);
  if (value) next.set(name, value);
  else next.delete(name);
  filters.value = next;
}

/** Run a request; what fails is said in the page's notice. Returns null then. */
export async function during<T>(work: () => Promise<T>): Promise<T | null> {
  busy.value = busy.peek() + 1; // an effect that asks must not depend on what else is asked
  try {
    return await work();
  } catch (error) {
    if ((error as Error).name !== "AbortError") notice.value = explained(error);
    return null;
  } finally {
    busy.value = busy.peek() - 1;
  }
}

function explained(error: unknown): Notice {
  const { message, failure } = error as Error & { failure?: Notice };
  return { message: sentence(failure?.message ?? message), fix: sentence(failure?.fix ?? "") };
}

/** Characters of a search; the service takes no more. */
export const LONGEST = 500;
/** Characters of the search as the service counts them. */
export const typed = computed(() => [...query.value.trim()].length);

/** Milliseconds of rest in typing after which the search runs. */
const REST = 180;

/** Search as the query changes; the last one asked wins. */
let search: AbortController | null = null;
effect(() => {
  const text = query.value.trim();
  const id = run.value?.id;
  search?.abort();
  const long = typed.value > LONGEST;
  if (!text || !id || long) {
    found.value = long ? new Uint32Array(0) : null;
    searched.value = null;
    return;
  }
  const mine = (search = new AbortController());
  setTimeout(() => void look(id, text, mine.signal), REST);
});

async function look(id: string, text: string, still: AbortSignal): Promise<void> {
  if (still.aborted) return;
  const answer = await during(() => api().search(id, text, still));
  if (still.aborted) return;
  batch(() => {
    found.value = Uint32Array.from(answer?.rows ?? []); // a search that failed found nothing
    searched.value = answer && { total: answer.total, ms: answer.ms };
  });
}
