/** Train a version: the command, and the same by a click, with its progress. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Committed, Job } from "./api";
import { compareWith } from "./comparing";
import { command, elsewhere, jobOf, lasting, losses, remaining, running, stop, train } from "./jobs";
import { Command, count, Part, Progress } from "./parts";
import { committed, version, WHY_IDLE } from "./pending";
import { shortly } from "./runs";
import { open, panel, run, workspace } from "./state";

/** Any version that has a name: the one that was just committed at first, else the one that is edited. */
export function Training() {
  const chosen = useSignal<string | null>(null);
  const made = committed.value;
  useEffect(() => void (chosen.value = null), [made]);
  const versions = workspace.value?.versions.filter((one) => one.name) ?? [];
  const named = (name: string | null | undefined) => versions.find((one) => one.name === name);
  const now = named(chosen.value) ?? named(made?.name) ?? named(version.value);
  if (!now) return null;
  return (
    <Part title="Train a version">
      {versions.length > 1 && (
        <label class="row aim">
          <span class="muted">Version</span>
          <select value={now.name} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {versions.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        </label>
      )}
      <p>
        {made?.name === now.name ? written(made) : `${now.name}: ${count(now.edits, "edit")}, ${count(now.rows, "row")}.`} <span class="muted small">Id {now.id}</span>
      </p>
      <Command text={command(now.name)} label="Trains this version" />
      <Trained name={now.name} />
    </Part>
  );
}

/** What became of the pending edits: the same number as before the commit, and how the version counts them. */
export function written({ changes, idle, edits, rows }: Committed): string {
  const gathered = edits === changes ? "" : `, gathered into ${edits}`;
  const nothing = idle ? ` ${count(idle, "edit")} came to nothing: ${WHY_IDLE}.` : "";
  return `Written: ${count(changes, "edit")}${gathered}; ${count(rows, "row")} in all.${nothing}`;
}

/** The training of a version, or the way to one. */
function Trained({ name }: { readonly name: string }) {
  const job = jobOf(name);
  const again = job?.state === "failed" || job?.state === "stopped";
  return (
    <>
      {job && <Running job={job} />}
      {(!job || again) && (
        <div class="job">
          <button type="button" class="main" onClick={() => void train(name)}>
            {again ? "Train it again" : "Train this version"}
          </button>
        </div>
      )}
    </>
  );
}

const STATES: Readonly<Record<Job["state"], string>> = {
  waiting: "Waits for its turn",
  running: "Training",
  done: "Done",
  failed: "Failed",
  stopped: "Stopped",
};

const SHELL = "It was started in a shell: Ctrl-C stops it there.";

export function Running({ job }: { readonly job: Job }) {
  const percent = job.progress === null ? "" : ` ${Math.round(job.progress * 100)}%`;
  const seconds = running(job) ? remaining(job.progress, losses.value.get(job.run ?? "") ?? []) : null;
  const others = elsewhere(job);
  return (
    <div class="job" aria-live="polite">
      <div class="row apart">
        <strong class={job.state}>
          {STATES[job.state]}
          {job.state === "running" && percent}
        </strong>
        {job.run && (
          <span class="muted small cut spring" title={job.run}>
            {shortly(job.run)}
          </span>
        )}
        {running(job) && (
          <button type="button" disabled={others} title={others ? SHELL : "As Ctrl-C does: it can be resumed"} onClick={() => void stop(job.id)}>
            Stop
          </button>
        )}
      </div>
      {running(job) && <Progress value={job.progress} label="Progress of the training" />}
      {job.said && (
        <p class="muted small said">
          {job.said}
          {seconds !== null && `, about ${lasting(seconds)} left`}
        </p>
      )}
      {running(job) && others && <p class="muted small said">{SHELL}</p>}
      <Links job={job} />
    </div>
  );
}

/** Where to go from a job: to its run, and to the comparison with the run that is open. */
function Links({ job }: { readonly job: Job }) {
  const id = job.run;
  if (!id) return null;
  const to = async (name: "live" | "detail"): Promise<void> => {
    await open(id);
    panel.value = name;
  };
  return (
    <div class="row">
      {running(job) && (
        <button type="button" onClick={() => void to("live")}>
          Watch it
        </button>
      )}
      {job.state === "done" && (
        <>
          <button type="button" onClick={() => void to("detail")}>
            Open the run
          </button>
          {run.value && run.value.id !== id && (
            <button type="button" class="main" onClick={() => compareWith(id)}>
              Compare with it
            </button>
          )}
        </>
      )}
    </div>
  );
}
