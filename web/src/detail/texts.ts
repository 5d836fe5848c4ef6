/** Texts of an example by the name of their field. */

import type { Example } from "../api";
import { workspace } from "../state";

/** Whether targets are names of a list, not texts. */
export const classified = (): boolean => (workspace.value?.labels.length ?? 0) > 0;

/** The whole text of a field; null where the example does not show it. */
export function fieldText(example: Example, field: string): string | null {
  const block = example.blocks.find((one) => one.type === "text" && one.title === field);
  if (block?.type === "text") return block.text;
  const value = example.values[field];
  return typeof value === "string" ? value : null;
}

/** Texts that the model reads, by field. */
export function texts(example: Example, fields: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(fields.map((field) => [field, fieldText(example, field) ?? ""]));
}
