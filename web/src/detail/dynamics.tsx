/** How an example was learnt: its gold probability after each epoch, and whether it was right. */

import type { Epoch } from "../api";
import { number } from "../wire";
import { Section } from "./section";

const WIDTH = 340;
const HEIGHT = 74;
const LEFT = 26;
const RIGHT = 8;
const TOP = 6;
const BOTTOM = 16;

/** Right from half on: answers are right in part. */
const right = (epoch: Epoch): boolean | null => (epoch.correct === null ? null : Number(epoch.correct) >= 0.5);

export function Dynamics({ epochs }: { readonly epochs: readonly Epoch[] }) {
  const seen = epochs.filter((one) => one.gold_probability !== null);
  if (!seen.length) return null;
  const hits = seen.filter(right).length;
  return (
    <Section title="Training" note={`right in ${hits} of ${seen.length} epochs`} begins>
      {() => (
        <>
          <Line epochs={seen} />
          <Numbers epochs={epochs} />
        </>
      )}
    </Section>
  );
}

function Line({ epochs }: { readonly epochs: readonly Epoch[] }) {
  const last = Math.max(...epochs.map((one) => one.epoch));
  const first = Math.min(...epochs.map((one) => one.epoch));
  const x = (epoch: number): number => LEFT + ((epoch - first) / Math.max(1, last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (probability: number): number => TOP + (1 - probability) * (HEIGHT - TOP - BOTTOM);
  const path = epochs.map((one, at) => `${at ? "L" : "M"}${x(one.epoch).toFixed(1)} ${y(one.gold_probability!).toFixed(1)}`).join("");
  const words = epochs.map((one) => `epoch ${one.epoch}: ${number(one.gold_probability!)}`).join(", ");
  return (
    <svg class="line" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Gold probability: ${words}`}>
      {[0, 0.5, 1].map((value) => (
        <g key={value}>
          <path class="rule" d={`M${LEFT} ${y(value)}H${WIDTH - RIGHT}`} />
          <text x={LEFT - 5} y={y(value) + 3.5} text-anchor="end">
            {value}
          </text>
        </g>
      ))}
      <path class="trend" d={path} />
      {epochs.map((one) => (
        <Dot key={one.epoch} epoch={one} x={x(one.epoch)} y={y(one.gold_probability!)} />
      ))}
      <text x={LEFT} y={HEIGHT - 2}>
        epoch {first}
      </text>
      {last > first && (
        <text x={WIDTH - RIGHT} y={HEIGHT - 2} text-anchor="end">
          {last}
        </text>
      )}
    </svg>
  );
}

/** A disc where it was right, a cross where it was wrong. */
function Dot({ epoch, x, y }: { readonly epoch: Epoch; readonly x: number; readonly y: number }) {
  const ok = right(epoch);
  const title = `epoch ${epoch.epoch}: ${number(epoch.gold_probability!)}${ok === null ? "" : ok ? ", right" : ", wrong"}`;
  return (
    <g>
      <title>{title}</title>
      {ok === false ? <path class="miss" d={`M${x - 4} ${y - 4}l8 8m0 -8l-8 8`} /> : <circle class="hit" cx={x} cy={y} r={3.5} />}
    </g>
  );
}

function Numbers({ epochs }: { readonly epochs: readonly Epoch[] }) {
  const said = (value: number | null): string => (value === null ? "–" : number(value));
  return (
    <details class="small">
      <summary>
        <span class="key">
          <span class="hit">●</span> right <span class="miss">×</span> wrong
        </span>{" "}
        · as a table
      </summary>
      <table class="numbers">
        <thead>
          <tr>
            {["Epoch", "Gold probability", "Loss", "Margin", "Right"].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {epochs.map((one) => (
            <tr key={one.epoch}>
              <th scope="row" class="number">
                {one.epoch}
              </th>
              <td class="number">{said(one.gold_probability)}</td>
              <td class="number">{said(one.loss)}</td>
              <td class="number">{said(one.margin)}</td>
              <td class="number">{one.correct === null ? "–" : typeof one.correct === "number" ? number(one.correct) : one.correct ? "yes" : "no"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
