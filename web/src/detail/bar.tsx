/** A named value as a bar, said in words as well. */

import type { ComponentChildren } from "preact";

interface Shown {
  readonly name: string;
  /** Length, 0 to 1. */
  readonly share: number;
  readonly said: string;
  readonly negative?: boolean;
  /** What else to say of it. */
  readonly children?: ComponentChildren;
}

export function Bar({ name, share, said, negative = false, children }: Shown) {
  return (
    <li class="bar-line">
      <span class="name" dir="auto" title={name}>
        {name}
      </span>
      <span class={`track${negative ? " negative" : ""}`} aria-hidden="true">
        <span style={{ width: `${100 * Math.max(0, Math.min(1, share))}%` }} />
      </span>
      <span class="number">{said}</span>
      {children}
    </li>
  );
}
