/** Whether the page's ground is dark, whoever decided that: the reader's system, or the page's own switch. */

import { signal } from "@preact/signals";

export const dark = signal(false);

function look(): void {
  dark.value = isDark(getComputedStyle(document.documentElement).getPropertyValue("--ground"));
}

/** Whether a colour `#rrggbb` is darker than mid grey; other spellings are taken for light. */
export function isDark(colour: string): boolean {
  const hex = /^\s*#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\s*$/i.exec(colour);
  if (!hex) return false;
  const [red, green, blue] = hex.slice(1).map((part) => Number.parseInt(part, 16)) as [number, number, number];
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** Follow the page's theme from now on. */
export function watchGround(): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const switched = new MutationObserver(look);
  switched.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
  system.addEventListener("change", look);
  look();
  return () => {
    switched.disconnect();
    system.removeEventListener("change", look);
  };
}
