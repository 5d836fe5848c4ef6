/** Training: what runs now, and the loss of the open run, step by step and as a table. */

import { useEffect } from "preact/hooks";

import { Curve } from "./curve";
import { curves, following, jobs, losses, pace, perEpoch, recall, running } from "./jobs";
import { decimal, Part } from "./parts";
import { shortly } from "./runs";
import { open, points, run } from "./state";
import { Running } from "./training";

export function Live() {
  const now = run.value;
  if (!now) return <p class="muted">No run is open.</p>;
  const source = now.kind === "train" ? now.id : now.summary.parent;
  return (
    <>
      <Active />
      {source ? <Losses key={source} name={source} /> : <p class="muted">This run has no training.</p>}
    </>
  );
}

/** Trainings that run now, each with the way to its map. */
function Active() {
  const active = [...jobs.value.values()].filter(running);
  if (!active.length) return null;
  return (
    <Part title="Now">
      {active.map((job) => (
        <div key={job.id}>
          <Running job={job} />
          {job.run && <FollowOnMap name={job.run} />}
        </div>
      ))}
    </Part>
  );
}

/** Open the run that trains and read it again with every epoch. */
function FollowOnMap({ name }: { readonly name: string }) {
  const on = following.value && points.value?.run.id === name;
  const toggle = async (wanted: boolean): Promise<void> => {
    following.value = wanted;
    if (wanted && points.value?.run.id !== name) await open(name);
  };
  return (
    <label class="row small">
      <input type="checkbox" checked={on} onChange={(event) => void toggle(event.currentTarget.checked)} /> Follow on the map
    </label>
  );
}

function Losses({ name }: { readonly name: string }) {
  useEffect(() => {
    void recall(name);
  }, [name]);
  const known = losses.value.get(name) ?? [];
  const speed = pace(known);
  const last = known.at(-1);
  if (!last) return <p class="muted">No loss was logged for {shortly(name)} yet.</p>;
  return (
    <Part title={`Loss of ${shortly(name)}`}>
      <Curve lines={curves(known)} across="step" format={decimal} label="Loss over steps; the table below has the figures" />
      <p class="muted small">
        Step {last.step.toLocaleString("en")}, epoch {last.epoch.toFixed(2)}
        {speed !== null && `, ${decimal(speed)} steps a second`}
      </p>
      <Table name={name} />
    </Part>
  );
}

/** The curve in figures: for those who cannot see it, and those who want to know. */
function Table({ name }: { readonly name: string }) {
  const rows = perEpoch(losses.value.get(name) ?? []);
  return (
    <table class="numbers">
      <caption class="sr">Loss by epoch</caption>
      <thead>
        <tr>
          <th scope="col">Epoch</th>
          <th scope="col" class="number">
            Training loss, mean
          </th>
          <th scope="col" class="number">
            Validation loss
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.epoch}>
            <th scope="row">{one.epoch}</th>
            <td class="number">{one.loss === null ? "–" : decimal(one.loss)}</td>
            <td class="number">{one.eval_loss === null ? "–" : decimal(one.eval_loss)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
