/** Keys of the table: arrows, pages and ends walk, Space selects, Shift extends. */

import type { ReadonlySignal, Signal } from "@preact/signals";

import { panel, primary } from "../state";
import { type List, page } from "../scroll";
import { between, clear, rows, tick, ticked } from "./listing";

export interface Walk {
  readonly list: ReadonlySignal<List>;
  /** Place of the primary row in the list; -1: it is not there. */
  readonly active: ReadonlySignal<number>;
  /** Column of the focus, 0 is the checkbox. */
  readonly column: Signal<number>;
  readonly inHead: Signal<boolean>;
  /** Where a range with Shift begins. */
  readonly anchor: { current: number | null };
  readonly columns: number;
  readonly focus: () => void;
}

/** Do what a key says, and keep it from the rest of the page. */
export function act(event: KeyboardEvent, walk: Walk): void {
  if (event.altKey || ((event.ctrlKey || event.metaKey) && !/^(a|Home|End)$/.test(event.key))) return;
  if (!(down(event, walk) || across(event.key, walk) || other(event, walk))) return;
  event.preventDefault();
  event.stopPropagation();
}

/** The place to which a key leads from `from`; null: the key does not walk. */
export function target(key: string, from: number, list: List): number | null {
  const last = list.rows - 1;
  switch (key) {
    case "ArrowDown":
      return Math.min(last, from + 1);
    case "ArrowUp":
      return from - 1;
    case "PageDown":
      return Math.min(last, Math.max(0, from) + page(list));
    case "PageUp":
      return Math.max(0, from - page(list));
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

function down(event: KeyboardEvent, walk: Walk): boolean {
  const from = walk.inHead.value ? -1 : walk.active.value;
  const to = target(event.key, from, walk.list.value);
  if (to === null) return false;
  walk.inHead.value = to < 0;
  if (to >= 0) {
    if (event.shiftKey) tick(between((walk.anchor.current ??= Math.max(0, from)), to), true);
    else walk.anchor.current = to;
    primary.value = rows.value[to]!;
  }
  walk.focus();
  return true;
}

function across(key: string, walk: Walk): boolean {
  const by = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  if (!by) return false;
  walk.column.value = Math.max(0, Math.min(walk.columns, walk.column.value + by));
  walk.focus();
  return true;
}

function other(event: KeyboardEvent, walk: Walk): boolean {
  if (event.key === "a" && (event.ctrlKey || event.metaKey)) return tick(rows.value, true), true;
  if (event.key === "Escape") return clear(), true;
  const row = rows.value[walk.active.value];
  if (walk.inHead.value || row === undefined) return false;
  if (event.key === " " && !(event.target instanceof HTMLInputElement)) return tick(Uint32Array.of(row), ticked.value[row] !== 1, row), true;
  if (event.key === "Enter") return (panel.value = "detail"), true;
  return false;
}
