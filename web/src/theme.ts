/** Dark, light, or as the system is: kept on this machine, said to the style sheet by an attribute of the root. */

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

const KEY = "tunewright-theme";
const ORDER: readonly Theme[] = ["auto", "light", "dark"];

/** What was chosen before; a page opened as a file may have no storage. */
function kept(): Theme {
  try {
    return ORDER.find((one) => one === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

export const theme = signal<Theme>(kept());

export function turn(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length]!;
}

effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    return;
  }
});
