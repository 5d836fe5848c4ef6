/** What an issue would change: labels that the detectors suggest, and edits that follow from a fix. */

import type { Fix, Issue, Row } from "./api";
import { accept, drop, keepOnly, tag } from "./pending";
import type { Suggested } from "./queue";
import { identify, look } from "./seen";

/** Rows above which a click asks before it edits. */
export const MANY = 50;

function suggestion(row: Row): Suggested | null {
  const label = row.values["suggested"];
  const probability = row.values["suggested_probability"];
  if (typeof label !== "string" || label === row.values["label"]) return null;
  return { id: row.id, label, probability: typeof probability === "number" ? probability : null };
}

/** Suggested labels by row; rows without one, or with the label they have, are left out. */
export async function suggestions(rows: readonly number[]): Promise<Map<number, Suggested>> {
  const found = await look(rows);
  return new Map(found.flatMap((row) => {
    const one = suggestion(row);
    return one ? [[row.row, one] as const] : [];
  }));
}

/** Take the suggested labels of rows. The ids that changed; null: it was refused. */
async function follow(rows: readonly number[], reason: string): Promise<readonly string[] | null> {
  const labels = new Map([...(await suggestions(rows)).values()].map((one) => [one.id, one.label]));
  if (!labels.size) return [];
  return (await accept(labels, reason)) ? [...labels.keys()] : null;
}

/** Do what a fix says to rows. The ids that changed; null: it was refused. */
export async function mend(fix: Fix, rows: readonly number[], reason: string): Promise<readonly string[] | null> {
  if (fix.action === "relabel") return follow(rows, reason);
  const ids = await identify(rows);
  const done = { drop: () => drop(ids, reason), keep: () => keepOnly(ids, reason), tag: () => tag(ids, fix.value ?? reason, reason) };
  return (await done[fix.action]()) ? ids : null;
}

/** Reason of an edit that came from an issue. */
export const because = (issue: Issue): string => `${issue.kind}: ${issue.title}`;
