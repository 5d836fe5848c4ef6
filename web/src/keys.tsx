/** Keys of the whole page, and the sheet that lists them. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import "./keys.css";
import { readOnly, redoPending, undoPending } from "./pending";
import { type Centre, type Panel, centre, epoch, NOTHING, panel, pinned, primary, run, select, selection, shown, step } from "./state";

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
  m: () => enter("map"),
  t: () => enter("table"),
  v: () => press("move"),
  l: () => press("lasso"),
  b: () => press("box"),
  ...Object.fromEntries(["+", "=", "-", "0"].map((key) => [key, () => zoomed(key)])),
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

/** Show the map or the table, and put the focus in it. */
export function enter(where: Centre): void {
  centre.value = where;
  setTimeout(() => document.querySelector<HTMLElement>(".map canvas, .grid [tabindex='0']")?.focus());
}

/** What a key of the map does, wherever the focus is. */
function zoomed(key: string): void {
  document.querySelector(".map canvas")?.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
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

interface Group {
  readonly title: string;
  /** Where they hold, if not everywhere. */
  readonly where?: string;
  readonly keys: readonly (readonly [keys: string, does: string])[];
}

const ROWS: Group = { title: "Rows", keys: [["j  k", "next, previous row"], ["x", "row into or out of the selection"], ["a", "select all that are shown"], ["Esc", "select nothing"], ["p", "pin the row, to compare"]] };
const MAP: Group = { title: "Map", keys: [["m", "go to the map"], ["v  l  b", "move, lasso, box"], ["+  −  0", "nearer, farther, back"], ["⇧ arrows", "move the map, with the focus on it"], ["[  ]", "an epoch back, forward"]] };
const TABLE: Group = { title: "Table", where: "with the focus in it", keys: [["t", "go to the table, from anywhere"], ["← ↑ → ↓", "walk; Home and End to the ends"], ["Space", "row into or out of the selection"], ["⇧ ↑  ⇧ ↓", "select a range"], ["Ctrl A", "select all"], ["Enter", "read the example"]] };
const REVIEW: Group = { title: "Review", where: "while an issue is open", keys: [["a", "accept what is suggested"], ["r", "refuse it"], ["s", "skip the row"], ["u", "undo the last step"]] };
const PAGE: Group = { title: "Page", keys: [["/", "search"], ["1 – 7", "panels on the right"], ["?", "this list"]] };
const EDITS: Group = { title: "Edits", keys: [["Ctrl Z", "undo the last edit"], ["Ctrl ⇧ Z", "redo it"]] };

/** Where nothing can be edited, nothing is reviewed. */
const sheet = (): readonly Group[] => (readOnly.value ? [ROWS, MAP, TABLE, PAGE] : [ROWS, MAP, TABLE, REVIEW, PAGE, EDITS]);

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
        {sheet().map(({ title, where, keys }) => (
          <section key={title}>
            <h3>
              {title}
              {where && `, ${where}`}
            </h3>
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
      <p class="muted small">
        Without a pointer, filters select what a box does: set the ranges of the map's two columns under Filters, whose sliders move with the arrow keys, then press a.
      </p>
    </dialog>
  );
}

/** Ways past the bar and the filters, for those who walk with the Tab key; seen while they have the focus. */
export function Skips() {
  return (
    <>
      <button type="button" class="skip" onClick={() => enter(centre.value)}>
        Go to the {centre.value}
      </button>
      <button type="button" class="skip" onClick={() => document.getElementById("panel")?.focus()}>
        Go to the details
      </button>
    </>
  );
}
