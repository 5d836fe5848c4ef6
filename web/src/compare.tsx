/** Two runs side by side: is the second better, where, and on which rows. */

import { useEffect } from "preact/hooks";

import type { Compared, RunSummary } from "./api";
import { beside } from "./beside";
import "./compare.css";
import { choose, compared, pair, rivals } from "./comparing";
import { Confusions } from "./confusion";
import { Metrics, Slices } from "./differences";
import { Command, count, Part } from "./parts";
import { readOnly } from "./pending";
import { shortly } from "./runs";
import { run, second, workspace } from "./state";

export function Compare() {
  if (readOnly.value) return <p class="muted">This page was exported as a file: it holds one run only.</p>;
  if (!run.value) return <p class="muted">No run is open.</p>;
  return (
    <>
      <Choosing />
      {pair.value && !compared.value && <p class="muted">Comparing…</p>}
      {compared.value && <Found found={compared.value} />}
    </>
  );
}

/** A run in one line: its name, its version, what it was asked about, when. */
export function named(one: RunSummary): string {
  const when = new Date(one.created).toLocaleString("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const facts = [one.version && `data ${one.version}`, one.kind === "eval" && `on ${one.split}`, when].filter(Boolean);
  return `${shortly(one.id)} (${facts.join(", ")})`;
}

function Choosing() {
  const a = pair.value?.a ?? run.value!.id;
  const all = workspace.value?.runs.filter((one) => one.status === "finished").toReversed() ?? [];
  const others = rivals(a);
  const set = (before: string, after: string): void => {
    pair.value = after && before !== after ? { a: before, b: after } : null;
  };
  useEffect(() => {
    if (pair.value && !all.some((one) => one.id === pair.value!.b)) pair.value = null;
  }, [all.length]);
  useEffect(() => {
    const other = second.value?.run.id;
    if (!pair.value && others.some((one) => one.id === other)) set(a, other!); // the run on the map is the one meant
  }, [second.value?.run.id]);
  return (
    <div class="pair">
      <Pick title="A, before" value={a} runs={all} onPick={(id) => set(id, pair.value?.b ?? "")} />
      <Pick title="B, after" value={pair.value?.b ?? ""} runs={others} none onPick={(id) => set(a, id)} />
      {others.length > 0 && !pair.value && <p class="muted">Choose a run B: what it does better than A, what worse, and on which rows.</p>}
      {!others.length && <p class="muted">There is no other finished run of this kind yet: commit a version and train it.</p>}
    </div>
  );
}

interface Picking {
  readonly title: string;
  readonly value: string;
  readonly runs: readonly RunSummary[];
  readonly none?: boolean;
  readonly onPick: (id: string) => void;
}

function Pick({ title, value, runs, none = false, onPick }: Picking) {
  return (
    <label class="field">
      <span>{title}</span>
      <select value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {none && <option value="">Choose a run…</option>}
        {runs.map((one) => (
          <option key={one.id} value={one.id}>
            {named(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Found({ found }: { readonly found: Compared }) {
  return (
    <>
      <p class="sentence" aria-live="polite">
        {found.sentence}
      </p>
      <Metrics found={found} />
      <Part title="Rows">
        <div class="row">
          <Chosen ids={found.wins} title="Only B is right" />
          <Chosen ids={found.losses} title="Only A is right" />
          <OnMap />
        </div>
      </Part>
      {found.confusion && <Confusions found={found} />}
      <Slices found={found} />
      <Part title="The same in a shell">
        <Command text={found.command} />
      </Part>
    </>
  );
}

function Chosen({ ids, title }: { readonly ids: readonly string[]; readonly title: string }) {
  return (
    <button type="button" disabled={!ids.length} onClick={() => void choose(ids)}>
      {title}: {count(ids.length, "row")}
    </button>
  );
}

/** Arrows on the map, from where a row lies in A to where it lies in B. */
function OnMap() {
  const other = pair.value?.b;
  if (!other || run.value?.id === other) return null;
  const on = second.value?.run.id === other;
  return (
    <button type="button" aria-pressed={on} onClick={() => void beside(on ? null : other)}>
      {on ? "Take it off the map" : "Show on the map"}
    </button>
  );
}
