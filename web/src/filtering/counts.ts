/** Counts of an open column, over what the other filters let through and over the selection. */

import type { ColumnInfo } from "../api";
import { blame, filters, listed, selection } from "../state";
import type { Values } from "../wire";
import { type Bins, bins } from "./bins";
import { counted, countedIn, type Counts } from "./crossed";

export interface Seen extends Counts {
  readonly of: Bins;
  /** Rows of the selection that are shown, per bar; null: nothing is selected. */
  readonly selected: Uint32Array | null;
}

/** Reads signals: to be called while rendering. */
export function seen(info: ColumnInfo, values: Values): Seen {
  const of = bins(info, values);
  const own = [...filters.value.keys()].indexOf(info.name) + 1;
  const selected = selection.value.rows.length ? countedIn(of, listed.value) : null;
  return { of, ...counted(of, blame.value, own), selected };
}
