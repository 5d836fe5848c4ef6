/** What is wrong with the data, the worst first: a click selects the rows and opens their review. */

import { batch, signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Fix, Issue, Severity } from "./api";
import { ConflictHere } from "./conflict";
import "./issues.css";
import { Advice, Command, Confirm, count, Part } from "./parts";
import { editable, readOnly } from "./pending";
import { Review, upcoming } from "./review";
import { api, during, issues, notice, panel, pending, primary, run, select, selection } from "./state";
import { because, MANY, mend } from "./suggestions";

const MARKS: Readonly<Record<Severity, string>> = { high: "▲", medium: "◆", low: "●" };
const KINDS: Readonly<Record<string, string>> = {
  suspect: "Suspects",
  duplicate: "Duplicates",
  leak: "Leaks",
  conflict: "Conflicts",
  slice: "Slices",
  truncated: "Truncated",
  unlearnt: "Never learnt",
  lint: "Lints",
};

/** What was not looked at, and how to. */
const unseen = signal<readonly string[]>([]);

/** Read the issues of the open run, once for each state of it. */
function useIssues(): void {
  const now = run.value;
  useEffect(() => {
    if (!now || issues.value) return;
    void during(async () => {
      const found = await api().issues(now.id);
      if (run.value?.id !== now.id) return;
      unseen.value = found.notes;
      issues.value = found.issues;
    });
  }, [now?.id, now?.etag]);
}

export function Issues() {
  useIssues();
  const { origin } = selection.value;
  const open = origin.by === "issue" ? issues.value?.find((one) => one.id === origin.id) : undefined;
  if (!run.value) return <p class="muted">No run is open.</p>;
  if (!issues.value) return <p class="muted">Looking for issues…</p>;
  return open ? <Review key={open.id} issue={open} /> : <List all={issues.value} />;
}

function List({ all }: { readonly all: readonly Issue[] }) {
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  const there = [...new Set(all.map((one) => one.kind))];
  const toggle = (kind: string): void => {
    const next = new Set(hidden.value);
    if (!next.delete(kind)) next.add(kind);
    hidden.value = next;
  };
  return (
    <>
      {!all.length && <Nothing />}
      {there.length > 1 && (
        <div class="row chips" role="group" aria-label="Kinds of issues">
          {there.map((kind) => (
            <button key={kind} type="button" class="chip" aria-pressed={!hidden.value.has(kind)} onClick={() => toggle(kind)}>
              {KINDS[kind] ?? kind} <span class="muted">{all.filter((one) => one.kind === kind).length}</span>
            </button>
          ))}
        </div>
      )}
      <ul class="plain issues" aria-label="Issues, the worst first">
        {all
          .filter((one) => !hidden.value.has(one.kind))
          .map((one) => (
            <Card key={one.id} issue={one} />
          ))}
      </ul>
      <Unseen />
    </>
  );
}

/** A clean list says little where nobody has looked. */
function Unseen() {
  if (!unseen.value.length) return null;
  return (
    <Part title="Not looked at">
      <ul class="notes small">
        {unseen.value.map((note) => (
          <li key={note}>
            <Advice text={note} />
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** What would find more depends on the kind of run; in a file nothing can be looked for. */
function Nothing() {
  const now = run.value;
  if (!now || readOnly.value) return <p>No issue is known of this run.</p>;
  return (
    <>
      <p>No issue is known of this run.</p>
      {now.kind === "production" ? (
        <>
          <p class="muted">Rows of production are checked for lints alone. What changed since the training is under Production:</p>
          <Command text={`tunewright monitor report --name ${now.id}`} label="What the monitor found" />
        </>
      ) : (
        <Analysed training={now.kind === "train" ? now.id : now.summary.parent} />
      )}
    </>
  );
}

/** Only a training is analysed; an evaluation is one of its. */
function Analysed({ training }: { readonly training: string }) {
  if (!training) return <p class="muted">Suspects, duplicates and slices are found by an analysis of a training.</p>;
  return (
    <>
      <p class="muted">
        Suspects, duplicates and slices are found by an analysis{training === run.value?.id ? "" : " of the training"}. Run it, then reload the page:
      </p>
      <Command text={`tunewright analyze ${training}`} label="Finds issues" />
    </>
  );
}

/** Select the rows of an issue, and review them: from the first that nobody has decided, whichever row was seen before. */
export function examine(issue: Issue): void {
  batch(() => {
    select(Uint32Array.from(issue.rows), { by: "issue", id: issue.id });
    primary.value = upcoming(issue) ?? primary.value;
    panel.value = "issues";
  });
}

function Card({ issue }: { readonly issue: Issue }) {
  return (
    <li class="issue">
      {issue.rows.length ? (
        <button type="button" class="open" onClick={() => examine(issue)}>
          <Summary issue={issue} />
        </button>
      ) : (
        <div class="open">
          <Summary issue={issue} />
        </div>
      )}
      <Mend issue={issue} />
      <ConflictHere of={(one) => one.reason === because(issue)} />
      <details class="small">
        <summary>Command</summary>
        <Command text={issue.command} />
      </details>
    </li>
  );
}

function Summary({ issue }: { readonly issue: Issue }) {
  return (
    <>
      <span class="row apart">
        <SeverityMark severity={issue.severity} />
        {issue.count > 0 && <span class="small">{count(issue.count, "row")}</span>}
      </span>
      <strong>{issue.title}</strong>
      <span class="why">{issue.why}</span>
    </>
  );
}

export function SeverityMark({ severity }: { readonly severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <span aria-hidden="true">{MARKS[severity]}</span> {severity}
    </span>
  );
}

/** Whether the fix of all rows waits for a commit already: a second one would change nothing. */
function isPending(issue: Issue, fix: Fix): boolean {
  const reason = because(issue);
  const ids = pending.value?.changes.filter((one) => one.action === fix.action && one.reason === reason).flatMap((one) => one.ids) ?? [];
  return new Set(ids).size >= issue.rows.length;
}

/** One click puts the fix of all rows into the pending edits; above 50 rows it asks first. */
export function Mend({ issue }: { readonly issue: Issue }) {
  const asks = useSignal(false);
  const { fix } = issue;
  if (!fix || !editable.value || !issue.rows.length) return null;
  if (isPending(issue, fix)) return <p class="small done">✓ {fix.title}: in the pending edits</p>;
  const go = async (): Promise<void> => {
    asks.value = false;
    const ids = await during(() => mend(fix, issue.rows, because(issue)));
    if (ids) notice.value = { message: `${count(ids.length, "row")} in the pending edits.`, fix: "See Curate: nothing is written before you commit.", good: true };
  };
  const start = (): void => {
    if (issue.rows.length > MANY) asks.value = true;
    else void go();
  };
  return asks.value ? (
    <Confirm
      question={`${fix.title}: this edits ${count(issue.rows.length, "row")}. You can undo it in Curate.`}
      yes={`Edit ${count(issue.rows.length, "row")}`}
      onYes={() => void go()}
      onNo={() => (asks.value = false)}
    />
  ) : (
    <button type="button" class="fix" onClick={start}>
      {fix.title}
    </button>
  );
}
