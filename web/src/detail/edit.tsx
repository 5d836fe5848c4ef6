/** What to do about an example: take or refuse the suggestion, relabel, drop, tag, note. All of it waits for a commit. */

import { useSignal } from "@preact/signals";

import type { Example, PendingChange } from "../api";
import { ConflictHere } from "../conflict";
import { Foreign } from "../foreign";
import { discard, drop, foreign, note, pendingOf, readOnly, reject, relabel, tag, version } from "../pending";
import { workspace } from "../state";

export function Edit({ example }: { readonly example: Example }) {
  if (readOnly.value || version.value === null) return null;
  return (
    <section class="block quick" aria-label="Edit">
      <h3>Edit</h3>
      {foreign.value ? <Foreign /> : <Acts example={example} />}
    </section>
  );
}

function Acts({ example }: { readonly example: Example }) {
  const waiting = pendingOf(example.id);
  return (
    <>
      {example.suggestion && <Suggested example={example} />}
      <Relabel example={example} />
      <Words id={example.id} />
      <ConflictHere of={(one) => one.ids.includes(example.id)} />
      {waiting.length > 0 && (
        <ul class="plain small waiting" aria-label="Edits that wait for a commit">
          {waiting.map((one) => (
            <Waiting key={one.key} change={one} />
          ))}
        </ul>
      )}
    </>
  );
}

function Suggested({ example: { id, suggestion } }: { readonly example: Example }) {
  if (!suggestion) return null;
  const { label, probability } = suggestion;
  return (
    <p class="suggested row">
      <span>
        Suggested: <strong dir="auto">{label}</strong>
        {probability !== null && <span class="muted"> ({probability.toFixed(2)})</span>}
      </span>
      <button type="button" class="main" onClick={() => void relabel([id], label, "suggestion accepted")}>
        Accept
      </button>
      <button type="button" title="The label is right" onClick={() => void reject([id])}>
        Reject
      </button>
    </p>
  );
}

function Relabel({ example: { id, label, suggestion } }: { readonly example: Example }) {
  const labels = (workspace.value?.labels ?? []).filter((name) => name !== label);
  const wanted = useSignal(suggestion?.label ?? labels[0] ?? "");
  const reason = useSignal("");
  return (
    <div class="row">
      {labels.length > 0 && (
        <>
          <select aria-label="New label" value={wanted.value} onChange={(event) => (wanted.value = event.currentTarget.value)}>
            {labels.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <button type="button" onClick={() => void relabel([id], wanted.value, reason.value)}>
            Relabel
          </button>
        </>
      )}
      <button type="button" onClick={() => void drop([id], reason.value)}>
        Drop
      </button>
      <input class="grow" aria-label="Reason" placeholder="reason" value={reason.value} onInput={(event) => (reason.value = event.currentTarget.value)} />
    </div>
  );
}

function Words({ id }: { readonly id: string }) {
  const text = useSignal("");
  const done = (work: Promise<boolean>): void => void work.then((ok) => ok && (text.value = ""));
  const empty = !text.value.trim();
  return (
    <div class="row">
      <input class="grow" aria-label="Tag or note" placeholder="tag or note" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
      <button type="button" disabled={empty} onClick={() => done(tag([id], text.value.trim()))}>
        Tag
      </button>
      <button type="button" disabled={empty} onClick={() => done(note([id], text.value.trim()))}>
        Note
      </button>
    </div>
  );
}

function Waiting({ change }: { readonly change: PendingChange }) {
  const more = change.ids.length > 1 ? ` with ${change.ids.length - 1} more` : "";
  return (
    <li class="row">
      <span dir="auto">
        pending: {change.action}
        {change.value && ` → ${change.value}`}
        {more} <span class="muted">by {change.author}</span>
      </span>
      <button type="button" class="quiet" aria-label={`Take back: ${change.action}`} onClick={() => void discard([change.key])}>
        Take back
      </button>
    </li>
  );
}
