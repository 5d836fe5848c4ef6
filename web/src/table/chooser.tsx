/** Which columns the table shows, and in which order. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { run } from "../state";
import { chosen, columns, moved } from "./columns";

export function Chooser() {
  const open = useSignal(false);
  const held = useRef<HTMLDivElement>(null);
  useEffect(() => (open.value ? away(held.current!, () => (open.value = false)) : undefined), [open.value]);
  return (
    <div class="chooser" ref={held}>
      <button type="button" aria-expanded={open.value} aria-controls="columns" onClick={() => (open.value = !open.value)}>
        Columns
      </button>
      {open.value && <Choices />}
    </div>
  );
}

/** Calls back on a press outside an element, or Escape, until the returned function is called. */
function away(element: HTMLElement, leave: () => void): () => void {
  const stop = new AbortController();
  const pressed = (event: Event): void => {
    if (!element.contains(event.target as Node)) leave();
  };
  const typed = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    leave();
    element.querySelector("button")?.focus();
  };
  document.addEventListener("pointerdown", pressed, { signal: stop.signal });
  element.addEventListener("keydown", typed, { signal: stop.signal });
  return () => stop.abort();
}

function Choices() {
  const shown = columns.value.map((one) => one.name);
  const rest = (run.value?.columns ?? []).filter((one) => !shown.includes(one.name)).sort((a, b) => a.name.localeCompare(b.name));
  return (
    <div class="choices" id="columns" role="group" aria-label="Columns of the table">
      <ol class="plain">
        {columns.value.map((one, at) => (
          <li key={one.name}>
            <Choice name={one.name} meaning={one.meaning} on shown={shown} />
            <Move name={one.name} by={-1} shown={shown} stop={at === 0} />
            <Move name={one.name} by={1} shown={shown} stop={at === shown.length - 1} />
          </li>
        ))}
      </ol>
      <ul class="plain">
        {rest.map((one) => (
          <li key={one.name}>
            <Choice name={one.name} meaning={one.meaning} on={false} shown={shown} />
          </li>
        ))}
      </ul>
      {chosen.value && (
        <button type="button" onClick={() => (chosen.value = null)}>
          The usual columns
        </button>
      )}
    </div>
  );
}

interface Chosen {
  readonly name: string;
  readonly meaning: string;
  readonly on: boolean;
  readonly shown: readonly string[];
}

function Choice({ name, meaning, on, shown }: Chosen) {
  const change = (): void => {
    chosen.value = on ? shown.filter((one) => one !== name) : [...shown, name];
  };
  return (
    <label class="check" title={meaning}>
      <input type="checkbox" checked={on} disabled={on && shown.length === 1} onChange={change} /> <span>{name}</span>
    </label>
  );
}

interface Moving {
  readonly name: string;
  readonly by: 1 | -1;
  readonly shown: readonly string[];
  readonly stop: boolean;
}

function Move({ name, by, shown, stop }: Moving) {
  const title = `Move ${name} ${by < 0 ? "to the left" : "to the right"}`;
  return (
    <button type="button" class="quiet" aria-label={title} title={title} disabled={stop} onClick={() => (chosen.value = moved(shown, name, by))}>
      {by < 0 ? "↑" : "↓"}
    </button>
  );
}
