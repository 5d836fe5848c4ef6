/** What a reader should know of the open run before believing its points. */

import { Advice } from "../parts";
import { metrics } from "../runs";
import { run } from "../state";
import { sentence } from "../wire";

export function About() {
  const now = run.value;
  if (!now) return null;
  const { version, coverage } = now.summary;
  const said = [version && `version ${version}`, coverage !== null && `coverage ${percent(coverage)}`].filter(Boolean).join(", ");
  return (
    <section aria-label="The run">
      <h2>The run</h2>
      {said && <p class="small">{sentence(said)}</p>}
      <p class="small">{metrics(now.summary)}</p>
      <ul class="notes small">
        {now.notes.map((note) => (
          <li key={note}>
            <Advice text={note} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A share in percent, rounded down, so that only all of it reads 100 %.
 *
 * percent(0.99999) is "99.9 %" */
export const percent = (share: number): string => `${Math.floor(share * 1000 + 1e-9) / 10} %`;
