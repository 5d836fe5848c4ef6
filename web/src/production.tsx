/** What a monitor found in production: odd rows, words and drift over time, and which rows to read. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Collected, Json } from "./api";
import { Chart } from "./production/chart";
import { CollectedRows } from "./production/collected";
import "./production.css";
import { accuracies, type Alert, coverage, type Drift, drifts, edges, marked, ranked, shares, unknown } from "./production/report";
import { Groups } from "./production/rows";
import { api, during, need, points, query, run, select } from "./state";
import { number } from "./wire";

type Report = { readonly [name: string]: Json };

/** Words shown. */
const WORDS = 24;

export function Production() {
  const report = useSignal<Report | null>(null);
  const alerts = useSignal<readonly Alert[]>([]);
  const collected = useSignal<Collected | null>(null);
  const id = run.value?.kind === "production" ? run.value.id : null;
  useEffect(() => {
    report.value = null;
    alerts.value = [];
    collected.value = null;
    if (!id) return;
    void during(async () => {
      report.value = await api().report(id);
      alerts.value = ranked((await api().alerts(id))["alerts"]); // one after the other: a monitor is opened by one at a time
      collected.value = await api().collected(id);
    });
  }, [id]);
  if (!id) return <p class="muted">This run is no production run.</p>;
  if (!report.value) return <p class="muted">Asking the monitor …</p>;
  return <Told report={report.value} alerts={alerts.value} collected={collected.value} />;
}

interface Known {
  readonly report: Report;
  readonly alerts: readonly Alert[];
  readonly collected: Collected | null;
}

function Told({ report, alerts, collected }: Known) {
  const curves = coverage(report);
  return (
    <div class="production">
      <p>
        <strong class="number">{number(Number(report["rows"] ?? 0))}</strong> rows, {labelled(Number(report["labels"] ?? 0))}. Model:{" "}
        <bdi>{String(report["model"] ?? "")}</bdi>
      </p>
      <Notes notes={report["notes"]} />
      <Alerts alerts={alerts} />
      <Odd report={report} />
      {collected && <CollectedRows found={collected} />}
      {drifts(report).map((one) => (
        <Drifted key={one.name} drift={one} />
      ))}
      {curves.length > 0 && <h2>Words that training knows</h2>}
      {curves.map((one) => (
        <Chart key={one.name} title={one.name} across="row" series={one} format={(value) => `${(100 * value).toFixed(1)} %`} />
      ))}
      <Unknown report={report} />
      <Labels report={report} />
      <Quality report={report} />
    </div>
  );
}

function Notes({ notes }: { readonly notes: Json | undefined }) {
  if (!Array.isArray(notes) || !notes.length) return null;
  return (
    <ul class="notes small">
      {[...new Set(notes.map(String))].map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

const labelled = (count: number): string => (count ? `${number(count)} of them labelled since` : "none of them labelled yet");

/** What fires comes first. */
function Alerts({ alerts }: { readonly alerts: readonly Alert[] }) {
  if (!alerts.length) return null;
  return (
    <>
      <h2>Alerts</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Alert</th>
            <th scope="col">State</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {alerts.map((one) => (
            <tr key={one.name}>
              <th scope="row">
                {one.name}
                {rule(one) !== one.name && <span class="muted rule">{rule(one)}</span>}
              </th>
              <td class={one.state === "firing" ? "alarm" : "calm"}>
                <span aria-hidden="true">{MARKS[one.state] ?? "○"} </span>
                {one.state}
              </td>
              <td class="number">{one.value === null ? "–" : number(one.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const rule = ({ metric, condition }: Alert): string => `${metric} ${condition}`;

const MARKS: Readonly<Record<string, string>> = { firing: "▲", pending: "△", resolved: "●", quiet: "●" };

/** Rows that a check marked become the selection. */
async function show(reason: string): Promise<void> {
  const now = points.value;
  if (!now) return;
  const values = await during(() => need("reasons"));
  select(marked(now.run, values, reason));
}

function Odd({ report }: { readonly report: Report }) {
  const found = edges(report);
  const rows = Number(report["rows"] ?? 0) || 1;
  if (!found.length) return null;
  const there = run.value?.columns.some((one) => one.name === "reasons") ?? false;
  const groups = found.map(({ name, marked: count }) => ({
    name,
    cells: [number(count), `${((100 * count) / rows).toFixed(1)} %`] as const,
    label: `Select the rows of ${name}`,
    ...(there && count ? { onSelect: () => show(name) } : {}),
  }));
  return (
    <>
      <h2>Rows marked as odd</h2>
      <Groups heads={["Check", "Rows", "Share"]} groups={groups} />
    </>
  );
}

function Drifted({ drift }: { readonly drift: Drift }) {
  const says = drift.alarm
    ? `Alarm${drift.first === null ? "" : ` since window ${drift.first + 1}`}: the evidence is above its threshold.`
    : drift.windows
      ? `No alarm after ${number(drift.windows)} windows.`
      : "No window of rows is full yet: it says nothing.";
  return (
    <section>
      <h2>{drift.name}</h2>
      <p class={drift.alarm ? "alarm" : "calm"}>
        <span aria-hidden="true">{drift.alarm ? "▲ " : drift.windows ? "● " : "○ "}</span>
        {says}
      </p>
      {drift.points.length > 0 && (
        <Chart
          title="Evidence of drift"
          across="window"
          series={drift}
          threshold={{ at: Math.log10(drift.threshold), says: `alarm at ${number(drift.threshold)}` }}
          format={(value) => number(10 ** value)}
        />
      )}
    </section>
  );
}

function Unknown({ report }: { readonly report: Report }) {
  const words = unknown(report).slice(0, WORDS);
  if (!words.length) return null;
  return (
    <>
      <h2>Words that training does not know</h2>
      <p class="muted small">A click searches for the word.</p>
      <ul class="words">
        {words.map((one) => (
          <li key={one.word}>
            <button type="button" class="small" title={`in ${number(one.texts)} texts`} onClick={() => (query.value = one.word)}>
              <bdi>{one.word}</bdi> <span class="muted number">{number(one.texts)}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Labels({ report }: { readonly report: Report }) {
  const found = shares(report);
  if (!found.length) return null;
  return (
    <>
      <h2>Labels, before and now</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">Before</th>
            <th scope="col">Now, estimated</th>
          </tr>
        </thead>
        <tbody>
          {found.map((one) => (
            <tr key={one.label}>
              <th scope="row">
                <bdi>{one.label}</bdi>
              </th>
              <td class="number">{(100 * one.before).toFixed(1)} %</td>
              <td class="number">{(100 * one.now).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Quality({ report }: { readonly report: Report }) {
  const found = accuracies(report);
  if (!found.length) return null;
  return (
    <>
      <h2>On labelled rows</h2>
      {found.map((one) => (
        <p key={one.name}>
          {one.name} <strong class="number">{number(one.mean)}</strong>{" "}
          <span class="muted">
            ({number(one.lower)} to {number(one.upper)}, {number(one.labelled)} labels)
          </span>
        </p>
      ))}
    </>
  );
}
