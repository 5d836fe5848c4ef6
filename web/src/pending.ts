/** Edits that wait for a commit: asked of the server one after another, so that two people's edits both survive. */

import { computed, effect, signal } from "@preact/signals";

import { type Action, ApiError, type Change, type Committed, type Pending, type PendingChange } from "./api";
import { labelled, suggestedOf } from "./seen";
import { api, during, pending, run, workspace } from "./state";
import { listen } from "./stream";

export { pending };

/** An edit that was asked and not done. */
interface Refused {
  readonly version: string;
  /** What the server says of labels that are others by now; empty: somebody else was faster, and that is all. */
  readonly message: string;
  readonly fix: string;
  readonly mine: readonly Change[];
  /** Keys of the edits that the reader had seen when asking, or made since. */
  readonly known: ReadonlySet<string>;
}

/** An edit that met one of somebody else: nothing of either is lost until the reader chooses. */
export interface Conflict extends Refused {
  /** What others changed meanwhile, as it is now: it may grow, or be taken back, until the reader chooses. */
  readonly theirs: readonly PendingChange[];
}

const refused = signal<Refused | null>(null);
/** The last version that was committed from this page. */
export const committed = signal<Committed | null>(null);

/** Version that the reader chose to edit; null: that of the open run. */
export const aim = signal<string | null>(null);

/** Name of the version that edits apply to: the chosen one, else that of the open run, else the main one. */
export const version = computed(() => {
  const names = workspace.value?.versions.map((one) => one.name).filter(Boolean) ?? [];
  const wanted = [aim.value, run.value?.summary.version, "main"];
  return wanted.find((name) => name && names.includes(name)) ?? names[0] ?? null;
});

export const conflict = computed<Conflict | null>(() => {
  const met = refused.value;
  if (met?.version !== version.value || !met) return null;
  return { ...met, theirs: pending.value?.changes.filter((one) => !met.known.has(one.key)) ?? [] };
});

/** Why nothing comes of some edits. */
export const WHY_IDLE = "a later one has the last word on their rows, or these are dropped, or are so already";

/** Nothing can be changed: a page exported as a file. */
export const readOnly = computed(() => workspace.value?.read_only ?? true);

/** The open run shows rows that no version has: those of production. */
export const foreign = computed(() => run.value?.kind === "production");

/** Whether the rows of the open run can be edited. */
export const editable = computed(() => !readOnly.value && !foreign.value);

/** Read the pending edits of the open run's version whenever it changes, and when others edit, until the returned function is called. */
export function follow(): () => void {
  const stops = [
    effect(() => void reread(version.value)),
    listen((event) => {
      if (event.event !== "pending" || event.data.version !== version.peek()) return;
      if (event.data.revision > (pending.peek()?.revision ?? -1)) void reread(version.peek());
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

async function reread(name: string | null): Promise<void> {
  if (name === null || readOnly.peek()) {
    pending.value = null;
    return;
  }
  const now = await during(() => api().pending(name));
  if (now && version.peek() === name) took(now);
}

/** The newest state wins, whatever the order in which answers come. */
function took(now: Pending): void {
  const known = pending.peek();
  if (!known || known.version !== now.version || now.revision >= known.revision) pending.value = now;
}

let last: Promise<unknown> = Promise.resolve();

/** Requests wait for each other: each names the revision that the one before it made. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine.catch(() => null);
  return mine;
}

type Ask = (version: string, revision: number) => Promise<Pending>;

/** Whether what was asked for means the same after what others did. */
type StandsAfter = (theirs: readonly PendingChange[]) => boolean;

interface Asked {
  readonly make: Ask;
  readonly mine: readonly Change[];
  readonly name: string;
  readonly stands: StandsAfter;
}

/** Ask for a change of the pending edits. True when it was done.
 *
 * A refusal (409) brings the present state. Edits of other rows are asked for again on top of it; those of rows that
 * somebody else touched wait in `conflict`. */
async function ask(make: Ask, mine: readonly Change[] = [], stands: StandsAfter = apart(mine)): Promise<boolean> {
  const name = version.peek();
  if (name === null || readOnly.peek()) return false;
  const done = await during(() => inTurn(() => attempt({ make, mine, name, stands }, ATTEMPTS)));
  return done ?? false;
}

/** Edits stand as long as others leave their rows alone. */
const apart =
  (mine: readonly Change[]): StandsAfter =>
  (theirs) =>
    mine.length > 0 && !overlap(mine, theirs);

/** Times that an edit is asked for on top of what others did to other rows. */
const ATTEMPTS = 5;

async function attempt(asked: Asked, left: number): Promise<boolean> {
  const { make, mine, name, stands } = asked;
  const before = pending.peek();
  try {
    const now = await make(name, before?.revision ?? 0);
    own(added(before, now));
    took(now);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const now = state(error) ?? (await api().pending(name));
    const stale = now.revision !== (before?.revision ?? 0);
    took(now);
    if (left > 1 && stale && stands(added(before, now))) return attempt(asked, left - 1);
    const known = new Set(before?.changes.map((one) => one.key));
    const { message, fix } = stale ? { message: "", fix: "" } : error.failure;
    refused.value = { version: name, message, fix, mine, known };
    return false;
  }
}

/** Edits of this page are no other person's, though they came after the refusal. One of all the refused rows settles it. */
function own(made: readonly PendingChange[]): void {
  const met = refused.peek();
  if (!met) return;
  const done = new Set(made.flatMap((one) => one.ids));
  const settled = met.mine.length > 0 && met.mine.every((one) => one.ids.every((id) => done.has(id)));
  refused.value = settled ? null : { ...met, known: new Set([...met.known, ...made.map((one) => one.key)]) };
}

function state(error: ApiError): Pending | null {
  const given = error.state as unknown as Pending | null;
  return given && Array.isArray(given.changes) ? given : null;
}

/** Edits of `now` that were not in `before`. */
export function added(before: Pending | null, now: Pending): readonly PendingChange[] {
  const known = new Set(before?.changes.map((one) => one.key));
  return now.changes.filter((one) => !known.has(one.key));
}

/** Whether two sets of edits touch a row in common. */
export function overlap(mine: readonly Change[], theirs: readonly Change[]): boolean {
  const touched = new Set(theirs.flatMap((one) => one.ids));
  return mine.some((one) => one.ids.some((id) => touched.has(id)));
}

/** Do what was refused all the same, on top of what the others did: whatever label the rows have now. */
export async function insist(): Promise<boolean> {
  const { mine } = refused.value ?? { mine: [] };
  refused.value = null;
  return mine.length ? change(mine.map((one) => ({ ...one, old: null }))) : false;
}

/** Leave what the others did as it is. */
export function yieldTo(): void {
  refused.value = null;
}

const PLAIN = { value: null, old: null, weight: null } as const;

const one = (action: Action, ids: readonly string[], reason: string, more: Partial<Change> = {}): Change => ({
  action,
  ids,
  reason,
  ...PLAIN,
  ...more,
});

/** Add edits, all or none. */
export const change = (changes: readonly Change[]): Promise<boolean> =>
  ask((name, revision) => api().change(name, revision, changes), changes);

/** Labels of rows as the reader saw them. */
async function present(ids: readonly string[]): Promise<Record<string, string>> {
  return (await during(() => labelled(ids))) ?? {};
}

const only = <T>(ids: readonly string[], of: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(ids.flatMap((id) => (id in of ? [[id, of[id]!] as const] : [])));

/** Ids by what they are mapped to, in the order of their first. */
function gathered(labels: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [id, label] of labels) found.set(label, [...(found.get(label) ?? []), id]);
  return found;
}

export async function relabel(ids: readonly string[], label: string, reason: string): Promise<boolean> {
  return change([one("relabel", ids, reason, { value: label, old: await present(ids) })]);
}

/** Where a suggestion came from: a relabelling that follows it is remembered as accepted. */
const origin = (): Partial<Change> => ({ run: run.peek()?.id ?? "", analysis: "suspicion" });

/** Give each row the label that was suggested for it, as one step. */
export async function accept(labels: ReadonlyMap<string, string>, reason: string): Promise<boolean> {
  const old = await present([...labels.keys()]);
  return change(
    [...gathered(labels)].map(([value, ids]) => one("relabel", ids, reason, { value, old: only(ids, old), ...origin() })),
  );
}

/** The labels are right: what was suggested for these rows is refused, and not offered again. */
export async function reject(ids: readonly string[], reason = ""): Promise<boolean> {
  const [labels, old] = [await during(() => suggestedOf(ids)), await present(ids)];
  if (!labels?.size) return false;
  return change(
    [...gathered(labels)].map(([value, refused]) => one("reject", refused, reason, { value, old: only(refused, old), ...origin() })),
  );
}

export const drop = (ids: readonly string[], reason: string): Promise<boolean> => change([one("drop", ids, reason)]);

/** Keep these rows of the training split, and no others. */
export const keepOnly = (ids: readonly string[], reason: string): Promise<boolean> => change([one("keep", ids, reason)]);

export const reweight = (ids: readonly string[], weight: number, reason: string): Promise<boolean> =>
  change([one("reweight", ids, reason, { weight })]);

export const tag = (ids: readonly string[], name: string, reason = ""): Promise<boolean> =>
  change([one("tag", ids, reason, { value: name })]);

export const note = (ids: readonly string[], text: string): Promise<boolean> => change([one("note", ids, "", { value: text })]);

export const undoPending = (): Promise<boolean> => ask((name, revision) => api().undo(name, revision));

export const redoPending = (): Promise<boolean> => ask((name, revision) => api().redo(name, revision));

/** Take edits out by their keys, which mean the same whatever others add. */
export const discard = (keys: readonly string[]): Promise<boolean> =>
  ask((name, revision) => api().discard(name, revision, keys), [], () => true);

export interface Allowed {
  /** Rows that somebody else changed stay pending. */
  readonly skip?: boolean;
  /** Rows of the test split may change. */
  readonly allow_test?: boolean;
}

/** Make a version of the pending edits. Null when it was refused. */
export async function commit(name: string, reason: string, allowed: Allowed = {}): Promise<Committed | null> {
  const made: { version: Committed | null } = { version: null };
  await ask(async (of, revision) => {
    made.version = await api().commit(of, revision, name, reason, allowed);
    return api().pending(of);
  });
  if (!made.version) return null;
  committed.value = made.version;
  await renew();
  return made.version;
}

/** Read the workspace again: its versions and runs changed. */
export async function renew(): Promise<void> {
  const now = await during(() => api().workspace());
  if (now) workspace.value = now;
}

/** Pending edits of a row, oldest first. */
export function pendingOf(id: string): readonly PendingChange[] {
  return pending.value?.changes.filter((one) => one.ids.includes(id)) ?? [];
}
