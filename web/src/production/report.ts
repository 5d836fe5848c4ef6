/** What a monitor's report says, read from its JSON: checks are told apart by what they hold. */

import type { Json, RunInfo } from "../api";
import { categories } from "../state";
import type { Values } from "../wire";

type Named = { readonly [name: string]: Json };

export interface Edge {
  readonly name: string;
  readonly marked: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Drift extends Series {
  readonly threshold: number;
  readonly alarm: boolean;
  /** Window of the first alarm, counted from 0. */
  readonly first: number | null;
  readonly windows: number;
  readonly evidence: number;
}

export interface Word {
  readonly word: string;
  readonly texts: number;
}

export interface Accuracy {
  readonly name: string;
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
  readonly labelled: number;
}

export interface Alert {
  readonly name: string;
  readonly metric: string;
  readonly condition: string;
  readonly state: string;
  readonly value: number | null;
}

export interface Share {
  readonly label: string;
  readonly before: number;
  readonly now: number;
}

const isNamed = (value: Json | undefined): value is Named => typeof value === "object" && value !== null && !Array.isArray(value);
const numeric = (value: Json | undefined): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const list = (value: Json | undefined): readonly Named[] => (Array.isArray(value) ? value.filter(isNamed) : []);

function checks(report: Named): readonly (readonly [string, Named])[] {
  const found = report["checks"];
  return isNamed(found) ? Object.entries(found).filter((one): one is [string, Named] => isNamed(one[1])) : [];
}

/** Checks that mark rows, the one that marked most first. */
export function edges(report: Named): readonly Edge[] {
  const found = checks(report).flatMap(([name, one]) => (numeric(one["marked"]) === null ? [] : [{ name, marked: numeric(one["marked"])! }]));
  return found.sort((a, b) => b.marked - a.marked);
}

/** Share of the words that the training texts have, per window of rows. */
export function coverage(report: Named): readonly Series[] {
  return checks(report).flatMap(([name, one]) => {
    const points = list(one["windows"]).flatMap((at) => {
      const [x, y] = [numeric(at["end"]), numeric(at["normal_coverage"])];
      return x === null || y === null ? [] : [{ x, y }];
    });
    return points.length ? [{ name, points }] : [];
  });
}

/** Evidence of drift after each window, as a power of ten: what a threshold is set against. */
export function drifts(report: Named): readonly Drift[] {
  return checks(report).flatMap(([name, one]) => {
    const threshold = numeric(one["threshold"]);
    if (threshold === null || !("evidence" in one)) return [];
    const points = list(one["looks"])
      .filter((look) => look["length"] === 1)
      .map((look) => ({ x: numeric(look["last"]) ?? 0, y: Math.log10(Math.max(1e-6, numeric(look["evidence"]) ?? 0)) }));
    const said = { threshold, alarm: one["alarm"] === true, first: numeric(one["first_alarm"]) };
    return [{ name, points, ...said, windows: numeric(one["windows"]) ?? 0, evidence: numeric(one["evidence"]) ?? 0 }];
  });
}

const URGENT: readonly string[] = ["firing", "pending", "silenced", "resolved", "quiet"];

/** Alerts of a monitor, those that fire first. */
export function ranked(alerts: Json | undefined): readonly Alert[] {
  const found = list(alerts).map((one) => {
    const [name, metric, condition, state] = [String(one["name"]), String(one["metric"]), String(one["condition"]), String(one["state"])];
    return { name, metric, condition, state, value: numeric(one["value"]) };
  });
  return found.sort((a, b) => URGENT.indexOf(a.state) - URGENT.indexOf(b.state));
}

/** Words that no training text has, the most frequent first. */
export function unknown(report: Named): readonly Word[] {
  const whole = checks(report).find(([, one]) => "normal_unknown" in one && !("windows" in one));
  const words = list(whole?.[1]["normal_unknown"]).map((one) => ({ word: String(one["word"]), texts: numeric(one["texts"]) ?? 0 }));
  return words.sort((a, b) => b.texts - a.texts);
}

export function accuracies(report: Named): readonly Accuracy[] {
  return checks(report).flatMap(([name, one]) => {
    const [mean, lower, upper] = [numeric(one["mean"]), numeric(one["lower"]), numeric(one["upper"])];
    if (mean === null || lower === null || upper === null) return [];
    return [{ name, mean, lower, upper, labelled: numeric(one["labelled"]) ?? 0 }];
  });
}

/** Shares of the labels before and in production, as far as they can be estimated. */
export function shares(report: Named): readonly Share[] {
  const check = checks(report).find(([, one]) => list(one["labels"]).some((label) => "before" in label));
  return list(check?.[1]["labels"]).flatMap((one) => {
    const [before, now] = [numeric(one["before"]), numeric(one["estimated"]) ?? numeric(one["predicted"])];
    return before === null || now === null ? [] : [{ label: String(one["label"]), before, now }];
  });
}

/** What joins several reasons of one row in the column `reasons`. */
const AND = " + ";

/** Rows that a check marked, ascending. */
export function marked(run: RunInfo, values: Values | null, reason: string): Uint32Array {
  const names = categories(run, "reasons");
  const codes = new Set(names.flatMap((name, code) => (name.split(AND).includes(reason) ? [code] : [])));
  const rows: number[] = [];
  values?.forEach((code, row) => codes.has(code) && rows.push(row));
  return Uint32Array.from(rows);
}
