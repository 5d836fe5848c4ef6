/** Accept many suggestions at once: the next ones of a review whose probability is high. */

import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { Confirm, count, Part } from "./parts";
import { accept } from "./pending";
import { decide, next, type Queue, type Suggested, sure, undecided } from "./queue";
import { during, primary } from "./state";
import { suggestions } from "./suggestions";

/** Rows whose suggestions are looked up for a bulk accept. */
const AHEAD = 2000;
const FIRST = { most: 20, least: 0.9 };

export function Bulk({ now, reason }: { readonly now: Signal<Queue>; readonly reason: string }) {
  const most = useSignal(FIRST.most);
  const least = useSignal(FIRST.least);
  const asks = useSignal(false);
  const known = useSignal<ReadonlyMap<number, Suggested>>(new Map());
  const { rows } = now.value;
  useEffect(() => {
    void during(async () => {
      known.value = await suggestions(rows.slice(0, AHEAD));
    });
  }, [rows]);
  const wanted = useComputed(() => sure(undecided(now.value), known.value, { least: least.value, most: most.value }));
  const go = async (): Promise<void> => {
    asks.value = false;
    await take(now, wanted.peek(), known.peek(), reason);
  };
  return (
    <Part title="Accept several">
      <div class="row">
        <label class="row">
          Next
          <input type="number" class="short" min={1} max={AHEAD} value={most.value} onInput={(event) => (most.value = event.currentTarget.valueAsNumber || 0)} />
        </label>
        <label class="row">
          with probability from
          <input type="number" class="short" min={0} max={1} step={0.05} value={least.value} onInput={(event) => (least.value = event.currentTarget.valueAsNumber || 0)} />
        </label>
      </div>
      {asks.value ? (
        <Confirm
          question={`Relabel ${count(wanted.value.length, "row")} as suggested? You can undo it.`}
          yes={`Accept ${count(wanted.value.length, "suggestion")}`}
          onYes={() => void go()}
          onNo={() => (asks.value = false)}
        />
      ) : (
        <button type="button" disabled={!wanted.value.length} onClick={() => (asks.value = true)}>
          {wanted.value.length ? `Accept ${count(wanted.value.length, "suggestion")}…` : "No suggestion is that probable"}
        </button>
      )}
    </Part>
  );
}

async function take(now: Signal<Queue>, rows: readonly number[], known: ReadonlyMap<number, Suggested>, reason: string): Promise<void> {
  const labels = new Map(rows.map((row) => [known.get(row)!.id, known.get(row)!.label]));
  if (!(await accept(labels, reason))) return;
  now.value = decide(now.value, { rows, decision: "accepted", ids: [...labels.keys()] });
  primary.value = next(now.value) ?? primary.value;
}
