/** What can be done to the selected rows, or to the primary one, with a reason. */

import { useComputed, useSignal } from "@preact/signals";

import { MANY } from "./suggestions";
import { Confirm, count } from "./parts";
import { drop, keepOnly, note, relabel, reweight, tag } from "./pending";
import { identify } from "./seen";
import { during, points, primary, selection, workspace } from "./state";

type Action = "relabel" | "drop" | "keep" | "reweight" | "tag" | "note";

const ACTIONS: readonly { readonly name: Action; readonly title: string; readonly means: string }[] = [
  { name: "relabel", title: "Relabel", means: "Give the rows another label." },
  { name: "drop", title: "Drop", means: "Leave the rows out of the next version." },
  { name: "keep", title: "Keep only", means: "Leave all other training rows out of the next version." },
  { name: "reweight", title: "Reweight", means: "Let the rows count more or less in training." },
  { name: "tag", title: "Tag", means: "Mark the rows with a word; their content stays." },
  { name: "note", title: "Note", means: "Write something about the rows; their content stays." },
];

/** Rows among these that belong to the test split: edits there move the score itself. */
export function inTest(rows: readonly number[]): number {
  const now = points.value;
  const info = now?.run.columns.find((one) => one.name === "split");
  const codes = now?.values.get("split");
  const test = info?.categories.indexOf("test") ?? -1;
  return codes && test >= 0 ? rows.filter((row) => codes[row] === test).length : 0;
}

export function Editor() {
  const labels = workspace.value?.labels ?? [];
  const action = useSignal<Action>(labels.length ? "relabel" : "drop");
  const value = useSignal("");
  const weight = useSignal(0.5);
  const reason = useSignal("");
  const whole = useSignal(true);
  const asks = useSignal(false);
  const rows = useComputed(() => {
    const all = selection.value.rows;
    if (whole.value && all.length) return [...all];
    return primary.value === null ? [] : [primary.value];
  });
  const label = labels.includes(value.value) ? value.value : (labels[0] ?? "");
  const edit = async (): Promise<void> => {
    asks.value = false;
    await during(async () => {
      const ids = await identify(rows.value);
      const done = {
        relabel: () => relabel(ids, label, reason.value),
        drop: () => drop(ids, reason.value),
        keep: () => keepOnly(ids, reason.value),
        reweight: () => reweight(ids, weight.value, reason.value),
        tag: () => tag(ids, value.value.trim(), reason.value),
        note: () => note(ids, value.value.trim()),
      };
      if (await done[action.value]()) value.value = reason.value = "";
    });
  };
  const chosen = ACTIONS.find((one) => one.name === action.value)!;
  const worded = action.value === "tag" || action.value === "note";
  const ready = rows.value.length > 0 && (!worded || value.value.trim() !== "");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (rows.value.length > MANY) asks.value = true;
    else void edit();
  };
  return (
    <form class="editor" onSubmit={submit}>
      <Target whole={whole} />
      <div class="row actions" role="radiogroup" aria-label="What to do">
        {ACTIONS.filter((one) => one.name !== "relabel" || labels.length).map((one) => (
          <button key={one.name} type="button" role="radio" class="chip" aria-checked={one.name === action.value} onClick={() => (action.value = one.name)}>
            {one.title}
          </button>
        ))}
      </div>
      <p class="muted small">{chosen.means}</p>
      {action.value === "relabel" && (
        <label class="field">
          <span>New label</span>
          <select value={label} onChange={(event) => (value.value = event.currentTarget.value)}>
            {labels.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {action.value === "reweight" && (
        <label class="field">
          <span>Weight (1 is usual)</span>
          <input type="number" min={0} max={100} step={0.1} value={weight.value} onInput={(event) => (weight.value = event.currentTarget.valueAsNumber || 0)} />
        </label>
      )}
      {worded && (
        <label class="field">
          <span>{chosen.title}</span>
          <input type="text" maxLength={action.value === "tag" ? 60 : 2000} value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} />
        </label>
      )}
      {action.value !== "note" && (
        <label class="field">
          <span>Reason</span>
          <input type="text" maxLength={500} placeholder="Why? Whoever reads the log will ask." value={reason.value} onInput={(event) => (reason.value = event.currentTarget.value)} />
        </label>
      )}
      <Guard rows={rows.value} action={action.value} />
      {asks.value ? (
        <Confirm question={`${chosen.title} ${count(rows.value.length, "row")}? You can undo it.`} yes={`${chosen.title} ${count(rows.value.length, "row")}`} onYes={() => void edit()} onNo={() => (asks.value = false)} />
      ) : (
        <button type="submit" class="main" disabled={!ready}>
          {chosen.title} {count(rows.value.length, "row")}
        </button>
      )}
    </form>
  );
}

function Target({ whole }: { readonly whole: { value: boolean } }) {
  const selected = selection.value.rows.length;
  if (!selected || primary.value === null) return null;
  return (
    <div class="segments" role="radiogroup" aria-label="Which rows">
      <button type="button" role="radio" aria-checked={whole.value} onClick={() => (whole.value = true)}>
        The {count(selected, "selected row")}
      </button>
      <button type="button" role="radio" aria-checked={!whole.value} onClick={() => (whole.value = false)}>
        Only row {primary.value.toLocaleString("en")}
      </button>
    </div>
  );
}

/** Test rows are never changed silently. */
function Guard({ rows, action }: { readonly rows: readonly number[]; readonly action: Action }) {
  const test = inTest(rows);
  if (!test || action === "tag" || action === "note") return null;
  return (
    <p class="guard" role="note">
      <span aria-hidden="true">▲</span> {count(test, "row")} of these {test === 1 ? "is" : "are"} in the test split. Committing asks once more: such
      edits move the score itself.
    </p>
  );
}
