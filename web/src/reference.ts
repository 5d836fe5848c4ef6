/** The rows that production is compared with: on the map that was fitted on them they lie below those of production. */

import { computed, effect, signal } from "@preact/signals";

import { api, during, layout, points, workspace } from "./state";
import { columns } from "./wire";

export interface Lying {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Whether the reader wants to see it. */
export const wanted = signal(true);

const known = signal<{ readonly run: string; readonly lying: Lying } | null>(null);

/** Run whose layout has a reference; null: it has none, or a file does not hold it. */
const source = computed(() => {
  const now = points.value?.run;
  return now && now.reference > 0 && layout.value === "umap" && !workspace.value?.read_only ? now.id : null;
});

/** Where the reference lies; null: there is none on this layout, or it is on its way. */
export const lying = computed<Lying | null>(() => (known.value && known.value.run === source.value ? known.value.lying : null));

/** The same where it is shown. */
export const reference = computed<Lying | null>(() => (wanted.value ? lying.value : null));

effect(() => {
  const run = source.value;
  if (run !== null && known.peek()?.run !== run) queueMicrotask(() => void ask(run));
});

async function ask(run: string): Promise<void> {
  const bytes = await during(() => api().reference(run));
  const found = bytes && columns(bytes);
  const [x, y] = [found?.get("x"), found?.get("y")];
  if (x instanceof Float32Array && y instanceof Float32Array) known.value = { run, lying: { x, y } };
}
