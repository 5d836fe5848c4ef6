/** Which run is open, and which lies beside it: choosers that say what each run is. */

import { useSignal } from "@preact/signals";

import type { Kind, RunSummary } from "./api";
import { beside } from "./beside";
import { Popover } from "./popover";
import "./runs.css";
import { open, run, second, workspace } from "./state";
import { number } from "./wire";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["train", "Training"],
  ["eval", "Evaluation"],
  ["production", "Production"],
];
/** Metrics said of a run in a list. */
const METRICS = 3;
/** A list of more runs than this can be searched. */
const MANY = 8;

export function RunChooser() {
  const now = run.value;
  return (
    <Popover label="Runs of the project" title={now ? `${now.id}: open another run` : "Open a run"} class="runs" button={<Shown text={now ? shortly(now.id) : "No run"} />}>
      {(close) => <Runs chosen={now?.id ?? null} onPick={(id) => (close(), void open(id))} />}
    </Popover>
  );
}

export function SecondChooser() {
  const other = second.value;
  const now = run.value;
  const button = other ? <Shown text={`beside ${shortly(other.run.id)}`} /> : <Shown text="+ second run" />;
  if (!now || (workspace.value?.runs.length ?? 0) < 2) return null;
  return (
    <Popover label="A second run on the same map" title="Set a second run beside this one" class="runs second" button={button}>
      {(close) => (
        <>
          {other && (
            <button type="button" class="wide" onClick={() => (close(), void beside(null))}>
              Take {shortly(other.run.id)} away
            </button>
          )}
          <Runs chosen={other?.run.id ?? null} except={now.id} onPick={(id) => (close(), void beside(id))} />
        </>
      )}
    </Popover>
  );
}

/** A run by what tells it apart: without the time, which its facts have.
 *
 * shortly("20260102-030405-news-main-1a2b") is "news-main-1a2b" */
export const shortly = (id: string): string => id.replace(/^\d{8}-\d{6}-/, "");

const Shown = ({ text }: { readonly text: string }) => (
  <>
    <span class="cut">{text}</span> <span aria-hidden="true">▾</span>
  </>
);

interface Listing {
  readonly chosen: string | null;
  readonly except?: string;
  readonly onPick: (id: string) => void;
}

function Runs({ chosen, except, onPick }: Listing) {
  const query = useSignal("");
  const all = (workspace.value?.runs ?? []).filter((one) => one.id !== except);
  const wanted = all.filter((one) => `${one.id} ${one.version} ${one.split}`.toLowerCase().includes(query.value.toLowerCase()));
  return (
    <>
      {all.length > MANY && (
        <input type="search" class="wide" aria-label="Find a run" placeholder="Find a run" data-first value={query.value} onInput={(event) => (query.value = event.currentTarget.value)} />
      )}
      {KINDS.map(([kind, title]) => {
        const these = wanted.filter((one) => one.kind === kind);
        if (!these.length) return null;
        return (
          <section key={kind} aria-label={title}>
            <h3>{title}</h3>
            {these.map((one) => (
              <Run key={one.id} run={one} chosen={one.id === chosen} onPick={onPick} />
            ))}
          </section>
        );
      })}
      {!wanted.length && <p class="muted small">No run.</p>}
    </>
  );
}

interface Listed {
  readonly run: RunSummary;
  readonly chosen: boolean;
  readonly onPick: (id: string) => void;
}

function Run({ run: one, chosen, onPick }: Listed) {
  const facts = [one.version && `data ${one.version}`, one.split && `on ${one.split}`, one.created.slice(0, 16).replace("T", " "), said(one)].filter(Boolean);
  return (
    <button type="button" class="run" title={one.id} aria-current={chosen} onClick={() => onPick(one.id)}>
      <span class="name">{shortly(one.id)}</span>
      <span class="muted small">{facts.join(" · ")}</span>
      <span class="small metrics">{metrics(one)}</span>
    </button>
  );
}

/** What is unusual about a run's state. */
function said(one: RunSummary): string {
  if (one.status !== "finished" && one.status !== "imported") return one.status;
  return one.coverage !== null && one.coverage < 0.995 ? `${number(100 * one.coverage)} % covered` : "";
}

/** The first metrics of a run in one line.
 *
 * metrics({ ..., metrics: { validation_accuracy: 0.91234 } }) is "validation accuracy 0.912" */
export function metrics(one: RunSummary): string {
  return Object.entries(one.metrics)
    .slice(0, METRICS)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${Math.abs(value) <= 1 ? value.toFixed(3) : number(value)}`)
    .join(" · ");
}
