/** The nearest examples in the latent space. */

import type { Example, Neighbour } from "../api";
import { api, primary, run, select } from "../state";
import { Advice } from "../parts";
import { nearest } from "../search/near";
import { worded } from "../table/columns";
import { useFetched } from "./fetched";
import { Section } from "./section";
import { classified } from "./texts";

export function Neighbours({ example }: { readonly example: Example }) {
  return (
    <Section title="Neighbours" begins>
      {() => <List example={example} />}
    </Section>
  );
}

function List({ example }: { readonly example: Example }) {
  const id = run.value!.id;
  const { value, failed } = useFetched(`${id} ${example.row}`, () => api().neighbours(id, example.row));
  if (failed)
    return (
      <div class="muted small advice">
        <Advice text={failed} />
      </div>
    );
  if (!value) return <p class="muted small">Looking for neighbours …</p>;
  const { neighbours } = value;
  if (!neighbours.length) return <p class="muted small">No neighbours are known.</p>;
  return (
    <>
      <p class="row apart small">
        <span class="muted">{agreement(example, neighbours)}</span>
        <button type="button" class="quiet" onClick={() => all(example, neighbours)}>
          Select all
        </button>
      </p>
      <ul class="plain neighbours">
        {neighbours.map((one) => (
          <li key={`${one.row} ${one.id}`}>
            <One neighbour={one} same={same(example, one)} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Whether the labels are names, and the same; null where they cannot be compared. */
function same(example: Example, other: Neighbour): boolean | null {
  const names = classified() && typeof example.label === "string" && typeof other.label === "string";
  return names ? example.label === other.label : null;
}

/** How many neighbours have the label. */
export function agreement(example: Example, neighbours: readonly Neighbour[]): string {
  const known = neighbours.filter((one) => same(example, one) !== null);
  if (!known.length) return `${neighbours.length} nearest`;
  return `${known.filter((one) => same(example, one)).length} of ${known.length} have the same label`;
}

/** The example and those of its neighbours that the run shows. */
function all(example: Example, neighbours: readonly Neighbour[]): void {
  select(Uint32Array.from([example.row, ...nearest(neighbours)]).sort());
}

/** Three decimals; only the same vector is 1.000. */
export const alike = (similarity: number): string => (similarity < 1 - 1e-6 && similarity > 0.9995 ? "> 0.999" : similarity.toFixed(3));

interface Shown {
  readonly neighbour: Neighbour;
  readonly same: boolean | null;
}

/** A neighbour opens with a click, unless the run does not show it. */
function One({ neighbour, same: agrees }: Shown) {
  return neighbour.row < 0 ? (
    <div class="neighbour" title="This run does not show the row">
      <About neighbour={neighbour} same={agrees} />
    </div>
  ) : (
    <button type="button" class="neighbour" onClick={() => (primary.value = neighbour.row)}>
      <About neighbour={neighbour} same={agrees} />
    </button>
  );
}

function About({ neighbour, same: agrees }: Shown) {
  return (
    <>
      <span class="clamp" dir="auto">
        {neighbour.text}
      </span>
      <span class="small facts-line">
        <span class="number" title="Cosine similarity">
          {alike(neighbour.similarity)}
        </span>
        {agrees !== null && (
          <span class={agrees ? "good" : "bad"} dir="auto">
            {agrees ? "=" : "≠"} {worded(neighbour.label)}
          </span>
        )}
        {neighbour.split && <span class="muted">{neighbour.split}</span>}
        {neighbour.row < 0 && <span class="muted">not in this run</span>}
      </span>
    </>
  );
}
