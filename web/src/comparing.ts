/** Which two runs are compared, and what was found. */

import { effect, signal } from "@preact/signals";

import type { Compared, RunSummary } from "./api";
import { find } from "./seen";
import { api, during, notice, open, panel, run, select, workspace } from "./state";

export interface Pair {
  readonly a: string;
  readonly b: string;
}

/** A, and B that is judged against it; null: none is chosen. */
export const pair = signal<Pair | null>(null);
/** Whose confusion matrix is shown. */
export const matrix = signal<"a" | "b">("b");
export const compared = signal<Compared | null>(null);

/** Runs that can be compared with one: of its kind, finished, newest first. */
export function rivals(of: string): readonly RunSummary[] {
  const all = workspace.value?.runs ?? [];
  const kind = all.find((one) => one.id === of)?.kind;
  return all.filter((one) => one.id !== of && one.kind === kind && one.status === "finished").toReversed();
}

/** Open the comparison of the open run with another one. */
export function compareWith(b: string): void {
  const a = pair.value?.a ?? run.value?.id;
  if (a && a !== b) pair.value = { a, b };
  panel.value = "compare";
}

/** Compare what an address says: with a run B, and with A where that is not the open run; nothing where either is unknown. */
export function recompare(b: string | null, a: string | null): void {
  const known = new Set(workspace.value?.runs.map((one) => one.id));
  const before = a ?? run.value?.id ?? "";
  const now = b !== null && b !== before && known.has(b) && known.has(before) ? { a: before, b } : null;
  if (now?.a !== pair.value?.a || now?.b !== pair.value?.b) pair.value = now;
}

/** Ask whenever another pair is chosen; the last one asked wins. */
effect(() => {
  const asked = pair.value;
  compared.value = null;
  if (!asked) return;
  void during(async () => {
    const found = await api().compare(asked.a, asked.b);
    if (pair.peek() === asked) compared.value = found;
  });
});

/** Select examples by id, in the open run, or in the one whose predictions were compared where the open one lacks them. */
export async function choose(ids: readonly string[]): Promise<void> {
  await during(async () => {
    const here = await find(ids);
    const other = compared.value?.a;
    if (here.length < ids.length && other && run.value?.id !== other) {
      await open(other);
      select(await find(ids));
    } else if (here.length) {
      select(here);
    } else {
      notice.value = { message: "The open run has none of these rows.", fix: "Open the evaluation they belong to." };
    }
  });
}
