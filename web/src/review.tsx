/** The rows of an issue, one after another: look, accept or refuse, and go on. */

import { type Signal, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { Change, Example, Issue } from "./api";
import { Bulk } from "./bulk";
import { ConflictHere } from "./conflict";
import { Mend, SeverityMark } from "./issues";
import { Command, count, Progress } from "./parts";
import { discard, editable, pending, reject, undoPending } from "./pending";
import { back, decide, next, type Queue, queue, type Step, tally } from "./queue";
import { Reading } from "./reading";
import "./review.css";
import { find } from "./seen";
import { api, during, NOTHING, panel, primary, run, selection } from "./state";
import { because, mend } from "./suggestions";

/** How far each review got, by run and issue: another panel may be open in between. */
const reviews = new Map<string, Signal<Queue>>();

function reviewOf(issue: Issue): Signal<Queue> {
  const key = `${run.value?.id} ${run.value?.etag} ${issue.id}`;
  const there = reviews.get(key) ?? signal(queue(issue.rows));
  reviews.set(key, there);
  return there;
}

/** The row at which the review of an issue goes on; null: all are decided. */
export const upcoming = (issue: Issue): number | null => next(reviewOf(issue).peek());

/** The row under review: the primary one, if it belongs to the queue. */
function useRow(now: Queue): number | null {
  const at = primary.value;
  const row = at !== null && now.rows.includes(at) ? at : next(now);
  useEffect(() => {
    if (row !== null && primary.value !== row) primary.value = row;
  }, [row]);
  return row;
}

function useExample(row: number | null): Example | null {
  const seen = useSignal<Example | null>(null);
  const name = run.value?.id;
  useEffect(() => {
    if (row === null || !name) return;
    const asked = new AbortController();
    void during(async () => {
      seen.value = await api().example(name, row, asked.signal);
    });
    return () => asked.abort();
  }, [name, row]);
  return seen.value?.row === row ? seen.value : null;
}

export interface Actions {
  accept(): Promise<void>;
  refuse(): Promise<void>;
  skip(): void;
  undo(): Promise<void>;
}

const KEYS: Readonly<Record<string, keyof Actions>> = { a: "accept", r: "refuse", s: "skip", u: "undo" };

/** Keys of the review, before those of the page; not while something is being written. */
function useKeys(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const act = KEYS[event.key];
      const target = event.target as HTMLElement | null;
      if (!act || event.ctrlKey || event.metaKey || event.altKey || target?.closest?.("input, textarea, select, dialog")) return;
      event.preventDefault();
      event.stopPropagation();
      void latest.current[act]();
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, []);
}

/** What the keys and buttons do to the row under review. */
function actionsOf(issue: Issue, now: Signal<Queue>, row: number | null, example: Example | null): Actions {
  const forward = (step: Step): void => {
    now.value = decide(now.value, step);
    primary.value = next(now.value, row) ?? primary.value;
  };
  return {
    accept: async () => {
      if (row === null || !example || !issue.fix || !editable.value) return;
      const fix = issue.fix;
      const ids = await during(() => mend(fix, [row], because(issue)));
      if (ids) forward({ rows: [row], decision: "accepted", ids });
    },
    refuse: async () => {
      if (row === null || !example || !editable.value) return;
      const kept = issue.fix?.action !== "relabel";
      if (kept || (await reject([example.id], because(issue)))) {
        forward({ rows: [row], decision: "refused", ids: kept ? [] : [example.id] });
      }
    },
    skip: () => {
      if (row !== null) forward({ rows: [row], decision: "skipped", ids: [] });
    },
    undo: () => undo(now),
  };
}

/** What was refused at first, and then made all the same, is decided: go on. */
async function decided(now: Signal<Queue>, made: readonly Change[]): Promise<void> {
  const ids = made.flatMap((one) => one.ids);
  const rows = await during(() => find(ids));
  if (!rows) return;
  now.value = decide(now.value, { rows: [...rows], decision: made[0]?.action === "reject" ? "refused" : "accepted", ids });
  primary.value = next(now.value, primary.value) ?? primary.value;
}

/** Take the last step back: its edits too. */
async function undo(now: Signal<Queue>): Promise<void> {
  const step = now.value.steps.at(-1);
  if (!step || (step.ids.length && !(await unedit(step.ids)))) return;
  now.value = back(now.value);
  primary.value = step.rows[0] ?? primary.value;
}

/** Remove the edits of exactly these rows: by undo where they were the last, so that redo brings them back. */
async function unedit(ids: readonly string[]): Promise<boolean> {
  const changes = pending.value?.changes ?? [];
  const mine = changes.filter((one) => one.ids.every((id) => ids.includes(id)));
  if (!mine.length) return true;
  return mine.length === 1 && mine[0] === changes.at(-1) ? undoPending() : discard(mine.map((one) => one.key));
}

export function Review({ issue }: { readonly issue: Issue }) {
  const now = reviewOf(issue);
  const row = useRow(now.value);
  const example = useExample(row);
  const actions = actionsOf(issue, now, row, example);
  useKeys(actions);
  const counts = tally(now.value);
  return (
    <div class="review">
      <button type="button" class="quiet" onClick={() => (selection.value = NOTHING)}>
        ← All issues
      </button>
      <div>
        <SeverityMark severity={issue.severity} />
        <h2>{issue.title}</h2>
        <p class="muted why">{issue.why}</p>
      </div>
      <Standing now={now.value} row={row} />
      {counts.open ? <One issue={issue} now={now.value} row={row} example={example} actions={actions} /> : <End now={now.value} actions={actions} />}
      <ConflictHere of={(one) => one.reason === because(issue)} onApplied={(made) => void decided(now, made)} />
      {counts.open > 1 && issue.fix?.action === "relabel" && editable.value && <Bulk now={now} reason={because(issue)} />}
      {counts.open > 1 && issue.fix && issue.fix.action !== "relabel" && <Mend issue={issue} />}
      <details class="small">
        <summary>Command</summary>
        <Command text={issue.command} />
      </details>
    </div>
  );
}

function Standing({ now, row }: { readonly now: Queue; readonly row: number | null }) {
  const place = row === null ? now.rows.length : now.rows.indexOf(row) + 1;
  const done = now.decided.size;
  return (
    <div aria-live="polite">
      <div class="row apart small">
        <span>
          {place.toLocaleString("en")} of {count(now.rows.length, "row")}
        </span>
        <span class="muted">{done.toLocaleString("en")} decided</span>
      </div>
      <Progress value={now.rows.length ? done / now.rows.length : 1} label={`${done} of ${now.rows.length} decided`} />
    </div>
  );
}

interface Seen {
  readonly issue: Issue;
  readonly now: Queue;
  readonly row: number | null;
  readonly example: Example | null;
  readonly actions: Actions;
}

function One({ issue, now, row, example, actions }: Seen) {
  const decided = row === null ? undefined : now.decided.get(row);
  const fixable = issue.fix !== null && editable.value;
  const relabels = issue.fix?.action === "relabel";
  const acceptable = fixable && example !== null && (!relabels || example.suggestion !== null);
  return (
    <>
      {example ? <Reading example={example} relabels={relabels} decided={decided} /> : <p class="muted">Reading…</p>}
      <div class="row decisions" role="group" aria-label="Decision">
        {fixable && (
          <button type="button" class="main" disabled={!acceptable} onClick={() => void actions.accept()}>
            {relabels ? "Accept" : (issue.fix?.action ?? "")} <kbd>a</kbd>
          </button>
        )}
        {fixable && (
          <button type="button" disabled={!example} onClick={() => void actions.refuse()}>
            Reject <kbd>r</kbd>
          </button>
        )}
        <button type="button" onClick={actions.skip}>
          {fixable ? "Skip" : "Next"} <kbd>s</kbd>
        </button>
        <button type="button" disabled={!now.steps.length} onClick={() => void actions.undo()}>
          Undo <kbd>u</kbd>
        </button>
      </div>
    </>
  );
}

function End({ now, actions }: { readonly now: Queue; readonly actions: Actions }) {
  const { accepted, refused, skipped } = tally(now);
  return (
    <div class="end">
      <strong>All {count(now.rows.length, "row")} decided.</strong>
      <p>
        {accepted} accepted, {refused} rejected, {skipped} skipped.
      </p>
      <div class="row">
        <button type="button" class="main" disabled={!pending.value?.changes.length} onClick={() => (panel.value = "curate")}>
          See the edits and commit
        </button>
        <button type="button" disabled={!now.steps.length} onClick={() => void actions.undo()}>
          Undo <kbd>u</kbd>
        </button>
      </div>
    </div>
  );
}
