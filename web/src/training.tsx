/** Train a version: the command, and the same by a click, with its progress. */

import type { Committed, Job } from "./api";
import { compareWith } from "./comparing";
import { jobs, running, started, stop, train } from "./jobs";
import { Command, count, Part, Progress } from "./parts";
import { open, panel, run } from "./state";

export function Training({ made }: { readonly made: Committed }) {
  const name = made.name || made.id;
  const job = jobs.value.get(started.value.get(name) ?? "");
  return (
    <Part title={`Version ${name}`}>
      <p>
        Written: {count(made.edits, "edit")}, {count(made.rows, "row")}. <span class="muted small">Id {made.id}</span>
      </p>
      <Command text={made.command} label="Trains this version" />
      {job ? (
        <Running job={job} />
      ) : (
        <button type="button" class="main" onClick={() => void train(name)}>
          Train this version
        </button>
      )}
    </Part>
  );
}

const STATES: Readonly<Record<Job["state"], string>> = {
  waiting: "Waits for its turn",
  running: "Training",
  done: "Done",
  failed: "Failed",
  stopped: "Stopped",
};

export function Running({ job }: { readonly job: Job }) {
  const percent = job.progress === null ? "" : ` ${Math.round(job.progress * 100)}%`;
  return (
    <div class="job" aria-live="polite">
      <div class="row apart">
        <strong class={job.state}>
          {STATES[job.state]}
          {job.state === "running" && percent}
        </strong>
        {running(job) && (
          <button type="button" onClick={() => void stop(job.id)}>
            Stop
          </button>
        )}
      </div>
      {running(job) && <Progress value={job.progress} label="Progress of the training" />}
      {job.said && <p class="muted small said">{job.said}</p>}
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
