/** Keys of the whole page, and the sheet that lists them. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import "./keys.css";
import { redoPending, undoPending } from "./pending";
import { type Panel, centre, epoch, NOTHING, panel, pinned, primary, run, select, selection, shown, step } from "./state";

/** Whether the list of keys is open. */
export const helping = signal(false);

const PANELS: readonly Panel[] = ["detail", "issues", "curate", "compare", "live", "production", "export"];

/** What a key does; keys with Ctrl or Cmd are named `mod+z`. */
export const ACTIONS: Readonly<Record<string, () => void>> = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  x: toggle,
  a: () => select(rowsShown()),
  Escape: () => (selection.value = NOTHING),
  p: () => (pinned.value = pinned.value === primary.value ? null : primary.value),
  m: () => (centre.value = "map"),
  t: () => (centre.value = "table"),
  v: () => press("move"),
  l: () => press("lasso"),
  b: () => press("box"),
  "[": () => epochs(-1),
  "]": () => epochs(1),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => (helping.value = true),
  "mod+z": () => void undoPending(),
  "mod+Z": () => void redoPending(),
  "mod+y": () => void redoPending(),
  ...Object.fromEntries(PANELS.map((name, at) => [String(at + 1), () => turn(name)])),
};

function turn(name: Panel): void {
  if (name !== "production" || run.value?.kind === "production") panel.value = name;
}

function press(tool: string): void {
  document.querySelector<HTMLButtonElement>(`[data-tool="${tool}"]`)?.click();
}

/** Take the primary row into the selection, or out of it. */
function toggle(): void {
  const row = primary.value;
  if (row === null) return;
  const { rows } = selection.value;
  select(rows.includes(row) ? rows.filter((one) => one !== row) : joined(rows, row));
  primary.value = row;
}

function joined(rows: Uint32Array, row: number): Uint32Array {
  const more = new Uint32Array(rows.length + 1);
  more.set(rows);
  more[rows.length] = row;
  return more.sort();
}

function rowsShown(): Uint32Array {
  const bits = shown.value;
  const rows = new Uint32Array(bits.length);
  let count = 0;
  for (let row = 0; row < bits.length; row++) if (bits[row]) rows[count++] = row;
  return rows.slice(0, count);
}

/** An epoch earlier or later; after the last one comes the map of the whole training. */
function epochs(by: 1 | -1): void {
  const last = run.value?.epochs ?? 0;
  const next = Math.max(1, (epoch.value ?? last) + by);
  if (last > 1) epoch.value = next >= last ? null : next;
}

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
const OWN_ARROWS = "[role=tab], [role=slider], [role=grid], [role=listbox], canvas, [data-keys=own]";

/** Name of what was pressed; null where the focus is in a widget that has its own use for the key. */
export function pressed(event: KeyboardEvent): string | null {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || event.altKey || event.isComposing || target.closest(TYPING)) return null;
  if (event.key.startsWith("Arrow") && target.closest(OWN_ARROWS)) return null;
  if (target.closest("dialog")) return null; // it closes itself on Escape
  if (event.key !== "Escape" && target.closest("[role=dialog]")) return null;
  return event.ctrlKey || event.metaKey ? `mod+${event.shiftKey ? event.key.toUpperCase() : event.key}` : event.key;
}

export function Keys() {
  useEffect(() => {
    const heard = (event: KeyboardEvent): void => {
      const name = pressed(event);
      const action = name !== null && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", heard);
    return () => window.removeEventListener("keydown", heard);
  }, []);
  return null;
}

const SHEET: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ["Rows", [["j  k", "next, previous row"], ["x", "row into or out of the selection"], ["a", "select all that are shown"], ["Esc", "select nothing"], ["p", "pin the row, to compare"]]],
  ["Map", [["v  l  b", "move, lasso, box"], ["+  −  0", "nearer, farther, all"], ["[  ]", "an epoch back, forward"], ["m  t", "map, table"]]],
  ["Page", [["/", "search"], ["1 – 7", "panels on the right"], ["Ctrl Z", "undo the last edit"], ["Ctrl ⇧ Z", "redo it"], ["?", "this list"]]],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helping.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helping.value]);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => (helping.value = false)}>
      <header>
        <h2 id="help-title">Keys</h2>
        <button type="button" aria-label="Close" onClick={() => (helping.value = false)}>
          ×
        </button>
      </header>
      <div class="groups">
        {SHEET.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, does]) => (
                <div key={key}>
                  <dt>
                    {key.split("  ").map((one) => (
                      <kbd key={one}>{one}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="muted small">
        Drag with Alt to move the map with any tool. Click a bar of a filter to keep its rows; drag over a histogram to keep a range. A click in the legend hides a
        category, a double click shows it alone.
      </p>
    </dialog>
  );
}
