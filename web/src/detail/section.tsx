/** A part of the detail that folds; whether it is open is remembered from one example to the next. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

const open = signal<ReadonlyMap<string, boolean>>(new Map());

interface Folding {
  readonly title: string;
  /** Said beside the title. */
  readonly note?: string;
  readonly begins?: boolean;
  /** Drawn only while the section is open. */
  readonly children: () => ComponentChildren;
}

export function Section({ title, note = "", begins = false, children }: Folding) {
  const isOpen = open.value.get(title) ?? begins;
  const toggled = (event: { readonly currentTarget: HTMLDetailsElement }): void => {
    const now = event.currentTarget.open;
    if (now !== isOpen) open.value = new Map([...open.value, [title, now]]);
  };
  return (
    <details class="section" open={isOpen} onToggle={toggled}>
      <summary>
        <h3>{title}</h3> {note && <span class="muted small">{note}</span>}
      </summary>
      {isOpen && children()}
    </details>
  );
}
