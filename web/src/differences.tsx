/** Differences between two runs with their intervals: of metrics, and of slices. */

import { useSignal } from "@preact/signals";

import type { Compared, Interval } from "./api";
import { choose } from "./comparing";
import { count, decimal, interval, Part, signed } from "./parts";

type Verdict = "better" | "worse" | "cannot tell";

const MARKS: Readonly<Record<Verdict, string>> = { better: "▲", worse: "▼", "cannot tell": "◇" };

export function VerdictMark({ verdict }: { readonly verdict: Verdict }) {
  return (
    <span class={`verdict ${verdict.replace(" ", "-")}`}>
      <span aria-hidden="true">{MARKS[verdict]}</span> {verdict}
    </span>
  );
}

/** `+0.019 (+0.004 to +0.033)` */
export function difference(one: Interval): string {
  return `${signed(one.value)} (${signed(one.low)} to ${signed(one.high)})`;
}

/** `p = 0.012`, `p < 0.001`. */
export const chance = (p: number): string => (p < 0.001 ? "p < 0.001" : `p = ${p.toPrecision(2)}`);

export function Metrics({ found }: { readonly found: Compared }) {
  return (
    <Part title={`Metrics on the ${found.split} split`}>
      <ul class="plain metrics">
        {found.metrics.map((one) => (
          <li key={one.name}>
            <div class="row apart">
              <strong>{one.name}</strong>
              <VerdictMark verdict={one.verdict} />
            </div>
            <Whisker of={one.difference} />
            <dl class="figures small">
              <dt>Difference</dt>
              <dd>
                {difference(one.difference)}
                {one.p !== null && <span class="muted">, {chance(one.p)}</span>}
              </dd>
              <dt>A</dt>
              <dd>{interval(one.a)}</dd>
              <dt>B</dt>
              <dd>
                {interval(one.b)} <span class="muted">n = {one.b.n.toLocaleString("en")}</span>
              </dd>
            </dl>
          </li>
        ))}
      </ul>
    </Part>
  );
}

const WIDTH = 200;

/** Ends of an axis around zero that holds an interval. */
export function reach({ low, high, value }: Interval): number {
  return 1.1 * Math.max(Math.abs(low), Math.abs(high), Math.abs(value), 1e-9);
}

/** An interval against zero. Says nothing that the figures beside it do not say. */
function Whisker({ of }: { readonly of: Interval }) {
  const most = reach(of);
  const x = (value: number): number => (WIDTH / 2) * (1 + value / most);
  return (
    <svg class="whisker" viewBox={`0 0 ${WIDTH} 16`} preserveAspectRatio="none" aria-hidden="true">
      <line class="zero" x1={WIDTH / 2} x2={WIDTH / 2} y1={0} y2={16} />
      <rect class="range" x={x(of.low)} width={Math.max(1, x(of.high) - x(of.low))} y={6} height={4} />
      <rect class="value" x={x(of.value) - 1.5} width={3} y={2} height={12} />
    </svg>
  );
}

const FIRST = 8;

/** Slices that regressed, then the others. */
export function Slices({ found }: { readonly found: Compared }) {
  const all = useSignal(false);
  const order: Readonly<Record<Verdict, number>> = { worse: 0, better: 1, "cannot tell": 2 };
  const sorted = found.slices.toSorted((one, other) => order[one.verdict] - order[other.verdict] || one.difference.value - other.difference.value);
  const worse = sorted.filter((one) => one.verdict === "worse").length;
  if (!sorted.length) return null;
  const listed = all.value ? sorted : sorted.slice(0, Math.max(worse, FIRST));
  return (
    <Part title="Slices">
      <p class="muted small">{worse ? `${count(worse, "slice")} got worse.` : "No slice got worse beyond doubt."}</p>
      <ul class="plain slices">
        {listed.map((one) => (
          <li key={one.name}>
            <button type="button" class="slice" disabled={!one.ids.length} onClick={() => void choose(one.ids)}>
              <span class="row apart">
                <strong class="cut">{one.name}</strong>
                <VerdictMark verdict={one.verdict} />
              </span>
              <span class="muted small">
                {count(one.n, "row")}: {decimal(one.a)} → {decimal(one.b)}, {difference(one.difference)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {listed.length < sorted.length && (
        <button type="button" class="quiet small" onClick={() => (all.value = true)}>
          Show {sorted.length - listed.length} more
        </button>
      )}
    </Part>
  );
}
