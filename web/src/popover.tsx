/** A button that opens a small sheet below itself. Escape, a click elsewhere and leaving it with Tab close it. */

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import "./popover.css";

interface Popover {
  /** What the sheet is, for those who do not see it. */
  readonly label: string;
  readonly title?: string;
  readonly button: ComponentChildren;
  readonly align?: "left" | "right";
  readonly class?: string;
  /** The sheet's content; `close` closes it and gives the focus back. */
  readonly children: (close: () => void) => ComponentChildren;
}

export function Popover({ label, title, button, align = "left", class: name = "", children }: Popover) {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    open.value = false;
    opener.current?.focus();
  };
  useOutside(open, box);
  useEffect(() => {
    if (open.value) box.current?.querySelector<HTMLElement>("[data-first], .popped button, .popped input")?.focus();
  }, [open.value]);
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open.value) return;
    event.stopPropagation();
    close();
  };
  return (
    <div class={`popover ${name}`} ref={box} onKeyDown={keys}>
      <button ref={opener} type="button" title={title} aria-haspopup="dialog" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        {button}
      </button>
      {open.value && (
        <div class={`popped ${align}`} role="dialog" aria-label={label}>
          {children(close)}
        </div>
      )}
    </div>
  );
}

/** Close when the pointer or the focus goes elsewhere. */
function useOutside(open: Signal<boolean>, box: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    if (!open.value) return undefined;
    const elsewhere = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("focusin", elsewhere);
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("focusin", elsewhere);
    };
  }, [open.value]);
}
