/** What the table lists, and how its checkboxes select. */

import { batch, computed, signal } from "@preact/signals";

import { during, inOrder, listed, need, NOTHING, primary, type Selection, selection, shown, sort } from "../state";

/** Whether to list the selected rows alone, decided for one selection; a new one from elsewhere is listed alone. */
const decided = signal<{ readonly of: Selection; readonly alone: boolean } | null>(null);

/** The table lists the selected rows alone. */
export const alone = computed<boolean>(() => {
  const now = selection.value;
  if (!now.rows.length) return false;
  return decided.value?.of === now ? decided.value.alone : true;
});

/** Row numbers in the order of the table. */
export const rows = computed<Uint32Array>(() => inOrder(alone.value ? listed.value : passing()));

/** 1 per selected row, [rows]. */
export const ticked = computed<Uint8Array>(() => marked(selection.value.rows, shown.value.length));

/** How many of the listed rows are selected. */
export const tickedHere = computed<number>(() => {
  const bits = ticked.value;
  let count = 0;
  for (const row of rows.value) count += bits[row]!;
  return count;
});

function marked(some: Uint32Array, of: number): Uint8Array {
  const bits = new Uint8Array(of);
  for (const row of some) bits[row] = 1;
  return bits;
}

function passing(): Uint32Array {
  return numbers(shown.value);
}

/** Numbers of the rows whose bit is set, ascending. */
export function numbers(bits: Uint8Array): Uint32Array {
  const found = new Uint32Array(bits.length);
  let count = 0;
  for (let row = 0; row < bits.length; row++) if (bits[row]! & 1) found[count++] = row;
  return found.subarray(0, count);
}

export function list(only: boolean): void {
  decided.value = { of: selection.value, alone: only };
}

/** Select or leave out some rows; the list stays as it is. */
export function tick(some: Uint32Array, on: boolean, first: number | null = null): void {
  const bits = ticked.value.slice();
  for (const row of some) bits[row] = on ? 1 : 0;
  const left = numbers(bits);
  const next: Selection = left.length ? { origin: { by: "rows" }, rows: left } : NOTHING;
  const before = alone.value;
  batch(() => {
    selection.value = next;
    decided.value = { of: next, alone: before };
    if (first !== null) primary.value = first;
  });
}

/** Rows between two places of the list, both included. */
export function between(from: number, to: number): Uint32Array {
  return rows.value.slice(Math.min(from, to), Math.max(from, to) + 1);
}

export function clear(): void {
  selection.value = NOTHING;
}

/** Order by a column: up, then down, then as the rows come. */
export function orderBy(name: string): void {
  const now = sort.value;
  if (now?.name !== name) sort.value = { name, descending: false };
  else sort.value = now.descending ? null : { name, descending: true };
  void during(() => need(name));
}
