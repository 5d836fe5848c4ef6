/** The pending edits, newest first; each can be taken out. */

import { useSignal } from "@preact/signals";

import type { Change, PendingChange } from "./api";
import { count, Part } from "./parts";
import { discard, pending, redoPending, undoPending, WHY_IDLE } from "./pending";
import { find } from "./seen";
import { during, select } from "./state";

/** Edits that the list shows before a button shows the rest. */
const FIRST = 30;

const WORDS: Readonly<Record<PendingChange["action"], string>> = {
  relabel: "Relabel",
  drop: "Drop",
  keep: "Keep only",
  reweight: "Reweight",
  tag: "Tag",
  note: "Note",
  reject: "Refuse",
};

/** One line: what an edit does to how many rows. */
export function told(one: Change): string {
  const said = WORDS[one.action];
  if (one.action === "reweight") return `${said} to ${one.weight}`;
  if (one.value === null) return said;
  return one.action === "relabel" ? `${said} to ${one.value}` : `${said}: ${one.value}`;
}

export interface Group {
  readonly title: string;
  readonly changes: readonly PendingChange[];
  readonly rows: number;
}

/** Edits that do the same, together; the group of the newest edit first, and its newest edit first. */
export function grouped(changes: readonly PendingChange[]): readonly Group[] {
  const found = new Map<string, PendingChange[]>();
  for (const one of changes.toReversed()) found.set(told(one), [...(found.get(told(one)) ?? []), one]);
  return [...found].map(([title, all]) => ({ title, changes: all, rows: new Set(all.flatMap((one) => one.ids)).size }));
}

export function Edits() {
  const now = pending.value;
  const changes = now?.changes ?? [];
  return (
    <Part title={changes.length ? `Pending: ${count(changes.length, "edit")}` : "Pending edits"}>
      <div class="row">
        <button type="button" disabled={!now?.undo} onClick={() => void undoPending()}>
          Undo
        </button>
        <button type="button" disabled={!now?.redo} onClick={() => void redoPending()}>
          Redo
        </button>
        <span class="spring" />
        {changes.length > 0 && (
          <button type="button" onClick={() => void discard(changes.map((one) => one.key))}>
            Discard all
          </button>
        )}
      </div>
      {changes.length === 0 && <p class="muted">Nothing waits. Edits gather here, and nothing is written to the data before you commit.</p>}
      <Stale />
      <ul class="plain groups">
        {grouped(changes).map((group) => (
          <Same key={group.title} group={group} />
        ))}
      </ul>
    </Part>
  );
}

/** Rows that changed in the version since their edit was asked for. */
function Stale() {
  const stale = pending.value?.conflicts ?? [];
  if (!stale.length) return null;
  return (
    <div class="conflict" role="alert">
      <strong>{count(stale.length, "row")} changed since.</strong>
      <ul>
        {stale.slice(0, FIRST).map((one) => (
          <li key={`${one.key} ${one.id}`}>
            {one.id}: you saw {one.seen ?? "no label"}, now it {one.now === null ? "is gone" : `says ${one.now}`}.
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => void discard([...new Set(stale.map((one) => one.key))])}>
        Discard these edits
      </button>
    </div>
  );
}

function Same({ group }: { readonly group: Group }) {
  const all = useSignal(false);
  const listed = all.value ? group.changes : group.changes.slice(0, FIRST);
  const show = (): Promise<unknown> =>
    during(async () => select(await find(group.changes.flatMap((one) => one.ids))));
  return (
    <li>
      <div class="row apart">
        <strong class="cut" title={group.title}>
          {group.title}
        </strong>
        <button type="button" class="quiet small" onClick={() => void show()}>
          {count(group.rows, "row")}
        </button>
      </div>
      <ul class="plain">
        {listed.map((one) => (
          <Edit key={one.key} change={one} />
        ))}
      </ul>
      {listed.length < group.changes.length && (
        <button type="button" class="quiet small" onClick={() => (all.value = true)}>
          Show {group.changes.length - listed.length} more
        </button>
      )}
    </li>
  );
}

function Edit({ change }: { readonly change: PendingChange }) {
  const idle = pending.value?.idle.includes(change.key) ?? false;
  const who = change.ids.length === 1 ? change.ids[0]! : count(change.ids.length, "row");
  const when = new Date(change.when).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return (
    <li class="edit">
      <span class="cut" title={change.ids.slice(0, 20).join(", ")}>
        {who}
      </span>
      <span class="muted cut small" title={idle ? `${WHY_IDLE}. ${change.reason}` : change.reason}>
        {idle ? "comes to nothing" : change.reason}
      </span>
      <span class="muted small">
        {change.author}, {when}
      </span>
      <button type="button" class="quiet" aria-label={`Discard: ${told(change)}, ${who}`} title="Discard" onClick={() => void discard([change.key])}>
        ×
      </button>
    </li>
  );
}
