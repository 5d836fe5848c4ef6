/** Pending edits become a version of the data: a name, a reason, and from then on nobody can change it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { count } from "./parts";
import { commit, pending, version, WHY_IDLE } from "./pending";
import { workspace } from "./state";

/** A name that no version has yet: `base-2`, `base-3`, … */
export function fresh(base: string, taken: readonly string[]): string {
  const stem = base.replace(/-\d+$/, "");
  for (let number = 2; ; number++) if (!taken.includes(`${stem}-${number}`)) return `${stem}-${number}`;
}

export function Commit() {
  const open = useSignal(false);
  const changes = pending.value?.changes ?? [];
  return (
    <div class="part">
      <button type="button" class="main wide" disabled={!changes.length} onClick={() => (open.value = true)}>
        Commit {changes.length ? count(changes.length, "edit") : ""} as a version…
      </button>
      {open.value && <Dialog onClose={() => (open.value = false)} />}
    </div>
  );
}

export function Dialog({ onClose }: { readonly onClose: () => void }) {
  const held = useRef<HTMLDialogElement>(null);
  const taken = workspace.value?.versions.map((one) => one.name) ?? [];
  const name = useSignal(fresh(version.value ?? "main", taken));
  const reason = useSignal("");
  const busy = useSignal(false);
  useEffect(() => held.current?.showModal?.(), []);
  const skip = useSignal(false);
  const test = useSignal(false);
  const asked = useRef(pending.value);
  if (!busy.value) asked.current = pending.value; // what is being committed stays told until the dialog closes
  const stale = asked.current?.conflicts.length ?? 0;
  const guarded = asked.current?.test_rows ?? 0;
  const idle = asked.current?.idle.length ?? 0;
  const clash = taken.includes(name.value.trim()) && name.value.trim() !== version.value;
  const changes = asked.current?.changes ?? [];
  const rows = new Set(changes.flatMap((one) => one.ids)).size;
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    busy.value = true;
    const made = await commit(name.value.trim(), reason.value.trim(), { skip: skip.value, allow_test: test.value });
    busy.value = false;
    if (made) onClose();
  };
  return (
    <dialog ref={held} class="commit" aria-labelledby="commit-title" onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <h2 id="commit-title">Commit a version</h2>
        <p class="muted">
          {count(changes.length, "edit")} of {count(rows, "row")} on {version.value}, by {workspace.value?.author}.
        </p>
        {idle > 0 && (
          <p class="small">
            {count(idle, "edit")} of these will come to nothing: {WHY_IDLE}.
          </p>
        )}
        <label class="field">
          <span>Name</span>
          <input type="text" required maxLength={60} pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
        </label>
        {clash && <p class="guard">There is a version of this name.</p>}
        <label class="field">
          <span>Reason</span>
          <textarea rows={3} maxLength={1000} value={reason.value} placeholder="What does this version mend?" onInput={(event) => (reason.value = event.currentTarget.value)} />
        </label>
        {stale > 0 && <Allow of={skip} text={`Leave the ${count(stale, "row")} that others changed since pending`} />}
        {guarded > 0 && <Allow of={test} text={`Change ${count(guarded, "row")} of the test split: models are then scored on both test sets`} />}
        <div class="row">
          <button type="submit" class="main" disabled={busy.value || clash || (stale > 0 && !skip.value) || (guarded > 0 && !test.value) || !name.value.trim() || !changes.length}>
            {busy.value ? "Committing…" : "Commit"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Allow({ of, text }: { readonly of: { value: boolean }; readonly text: string }) {
  return (
    <label class="guard">
      <input type="checkbox" checked={of.value} onChange={(event) => (of.value = event.currentTarget.checked)} /> {text}
    </label>
  );
}
