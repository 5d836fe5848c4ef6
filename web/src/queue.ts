/** A review: rows in their order, what was decided of each, and the way back. Plain values. */

export type Decision = "accepted" | "refused" | "skipped";

export interface Step {
  readonly rows: readonly number[];
  readonly decision: Decision;
  /** Ids of the rows that the step put into the pending edits; empty: it changed nothing. */
  readonly ids: readonly string[];
}

export interface Queue {
  readonly rows: readonly number[];
  readonly decided: ReadonlyMap<number, Decision>;
  /** Oldest first. */
  readonly steps: readonly Step[];
}

export const queue = (rows: readonly number[]): Queue => ({ rows, decided: new Map(), steps: [] });

/** The first row after `from` that nobody has decided, else the first of all; null: all are decided. */
export function next(now: Queue, from: number | null = null): number | null {
  const at = from === null ? -1 : now.rows.indexOf(from);
  const open = (row: number): boolean => !now.decided.has(row);
  return now.rows.slice(at + 1).find(open) ?? now.rows.find(open) ?? null;
}

export function decide(now: Queue, step: Step): Queue {
  const decided = new Map(now.decided);
  for (const row of step.rows) decided.set(row, step.decision);
  return { ...now, decided, steps: [...now.steps, step] };
}

/** Without the last step; the same queue where there was none. */
export function back(now: Queue): Queue {
  const step = now.steps.at(-1);
  if (!step) return now;
  const decided = new Map(now.decided);
  for (const row of step.rows) decided.delete(row);
  return { ...now, decided, steps: now.steps.slice(0, -1) };
}

export function tally(now: Queue): Readonly<Record<Decision | "open", number>> {
  const counts = { accepted: 0, refused: 0, skipped: 0, open: now.rows.length - now.decided.size };
  for (const decision of now.decided.values()) counts[decision]++;
  return counts;
}

/** The next rows that nobody has decided. */
export const undecided = (now: Queue): readonly number[] => now.rows.filter((row) => !now.decided.has(row));

export interface Suggested {
  readonly id: string;
  readonly label: string;
  readonly probability: number | null;
}

/** The first `most` rows whose suggestion has at least this probability, in the order of the queue. */
export function sure(
  rows: readonly number[],
  suggestions: ReadonlyMap<number, Suggested>,
  { least, most }: { readonly least: number; readonly most: number },
): number[] {
  return rows.filter((row) => (suggestions.get(row)?.probability ?? -1) >= least).slice(0, most);
}
