/** Train a version: the command, and the same by a click, with its progress. */

import { useSignal } from "@preact/signals";

import type { Committed, Job } from "./api";
import { jobs, running, stop, train } from "./jobs";
import { Command, count, Part, Progress } from "./parts";
import { open, panel, second, run } from "./state";

export function Training({ made }: { readonly made: Committed }) {
  const id = useSignal<string | null>(null);
  const job = id.value === null ? undefined : jobs.value.get(id.value);
  const start = async (): Promise<void> => {
    id.value = (await train(made.name || made.id))?.id ?? null;
  };
  return (
    <Part title={`Version ${made.name}`}>
      <p>
        Written: {count(made.edits, "edit")}, {count(made.rows, "row")}. <span class="muted small">Id {made.id}</span>
      </p>
      <Command text={made.command} label="Trains this version" />
      {job ? (
        <Running job={job} />
      ) : (
        <button type="button" class="main" onClick={() => void start()}>
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
            <button type="button" class="main" onClick={() => ((second.value = null), (panel.value = "compare"))}>
              Compare with it
            </button>
          )}
        </>
      )}
    </div>
  );
}
