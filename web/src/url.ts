/** The page's state as the query of its address, both ways: what is copied from the address bar opens the same view. */

import { batch, effect } from "@preact/signals";

import type { Filter } from "./filter";
import * as state from "./state";

/** Rows of a selection that an address can hold. */
const MOST_ROWS = 500;

/** A filter in an address: `0.1..0.5`, `0,2,5`; a trailing `?` lets missing values pass.
 *
 * written(read("0,2?")) is "0,2?" */
export function written(filter: Filter): string {
  const text = filter.by === "range" ? `${filter.low}..${filter.high}` : [...filter.codes].sort((a, b) => a - b).join(",");
  return filter.missing ? `${text}?` : text;
}

/** The filter that an address says; null if it says none. */
export function read(text: string): Filter | null {
  const missing = text.endsWith("?");
  const said = missing ? text.slice(0, -1) : text;
  const more = missing ? { missing } : {};
  const range = said.split("..");
  if (range.length === 2) {
    const [low, high] = range.map(Number) as [number, number];
    return Number.isNaN(low) || Number.isNaN(high) ? null : { by: "range", low, high, ...more };
  }
  const codes = said.split(",").filter(Boolean).map(Number);
  return codes.every(Number.isInteger) ? { by: "codes", codes: new Set(codes), ...more } : null;
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

/** The query that says what the page shows now. */
export function address(): string {
  const said = new URLSearchParams();
  const put = (name: string, value: string | number | null, usual: string | number | null = null): void => {
    if (value !== null && value !== "" && value !== usual) said.set(name, String(value));
  };
  put("run", state.run.value?.id ?? null);
  put("second", state.second.value?.run.id ?? null);
  put("layout", state.layout.value, "map");
  put("colour", state.colour.value);
  put("size", state.size.value ?? "none", "loss");
  put("density", state.density.value, "auto");
  put("epoch", state.epoch.value);
  put("q", state.query.value);
  put("view", state.centre.value, "map");
  put("panel", state.panel.value, "detail");
  put("row", state.primary.value);
  put("pinned", state.pinned.value);
  put("selection", selected());
  for (const [name, filter] of state.filters.value) said.set(`f.${name}`, written(filter));
  return said.toString();
}

/** Show what an address says. The run must be open; the selection of an issue waits for the issues. */
export async function restore(text: string): Promise<void> {
  const said = new URLSearchParams(text);
  const filters = new Map<string, Filter>();
  for (const [name, value] of said) {
    const filter = name.startsWith("f.") ? read(value) : null;
    if (filter && (await state.need(name.slice(2)))) filters.set(name.slice(2), filter);
  }
  batch(() => {
    if (filters.size) state.filters.value = filters;
    state.layout.value = said.get("layout") ?? state.layout.value;
    state.colour.value = said.get("colour") ?? state.colour.value;
    const size = said.get("size");
    if (size) state.size.value = size === "none" ? null : size;
    state.density.value = (said.get("density") ?? "auto") as state.Density;
    state.centre.value = (said.get("view") ?? "map") as state.Centre;
    state.panel.value = (said.get("panel") ?? "detail") as state.Panel;
    state.query.value = said.get("q") ?? "";
    state.epoch.value = whole(said.get("epoch"));
  });
  await reselect(said.get("selection") ?? "");
  state.primary.value = whole(said.get("row")) ?? state.primary.value;
  state.pinned.value = whole(said.get("pinned"));
}

const whole = (text: string | null): number | null => (text !== null && /^\d+$/.test(text) ? Number(text) : null);

async function reselect(text: string): Promise<void> {
  const [by, ...rest] = text.split(":");
  switch (by) {
    case "rows":
      state.select(Uint32Array.from((rest[0] ?? "").split(",").map(Number)));
      break;
    case "lasso":
      state.layout.value = rest[0] ?? state.layout.value;
      state.lasso((rest[1] ?? "").split(";").map((at) => ({ x: Number(at.split(",")[0]), y: Number(at.split(",")[1]) })));
      break;
    case "issue": {
      const now = state.run.value;
      if (!now) return;
      state.issues.value ??= (await state.during(() => state.api().issues(now.id)))?.issues ?? null;
      const issue = state.issues.value?.find((one) => one.id === rest.join(":"));
      if (issue) state.select(Uint32Array.from(issue.rows), { by: "issue", id: issue.id });
    }
  }
}

/** Keep the address as the page is, until the returned function is called. */
export function keep(): () => void {
  return effect(() => {
    const query = address();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
  });
}
