/** Columns by what they are about, in the order in which a reader looks for them. */

import type { ColumnInfo } from "../api";

export interface Group {
  readonly title: string;
  readonly columns: readonly ColumnInfo[];
}

const TITLES = ["Labels and predictions", "Quality", "Dynamics", "Text", "Clusters", "Metadata"] as const;
type Title = (typeof TITLES)[number];

const OF: Readonly<Record<Title, RegExp>> = {
  "Labels and predictions":
    /^(split|label|weight|predicted|probability|correct|gold_probability|gold_everywhere|loss|margin|exact_match|f1|rouge[12L]|stop_reason|window_score|predicted_start|(other|gold)_logit|other|log_sum_exp|sum_of_squares)$/,
  Quality: /^(suspicion|suspect|suggested|suggested_probability|votes|vote_.*|evidence|duplicate_.*|error_.*|solution|truncated|target_truncated|mark.*|reasons?)$/,
  Dynamics: /^(epoch.*|confidence|variability|correctness|forgetting|never_learnt|aum|el2n|closeness|region|across_.*|.*_error|agreement|runs_seen)$/,
  Text: /^(words|windows|negation|rare_share|generated_tokens|readability|sentiment|.*_(words|characters|tokens|length))$/,
  Clusters: /^(pc\d+|umap.*|cluster.*|density|neighbour.*)$/,
  Metadata: /.^/,
};

/** Shown without being asked for, where a run has them. */
const FIRST = ["split", "label", "predicted", "correct", "region", "confidence", "suspect", "loss"];
const SHOWN = 5;

function titled(name: string): Title {
  return TITLES.find((title) => OF[title].test(name)) ?? "Metadata";
}

/** Columns that can be filtered, grouped; groups without a column are left out. */
export function groups(columns: readonly ColumnInfo[]): readonly Group[] {
  const usable = columns.filter((one) => one.kind !== "text");
  const made = TITLES.map((title) => ({ title, columns: usable.filter((one) => titled(one.name) === title) }));
  return made.filter((one) => one.columns.length);
}

/** Whether a filter on the column could tell rows apart. */
export function varies(info: ColumnInfo): boolean {
  return info.kind === "category" ? info.categories.length > 1 : info.min === null || info.min !== info.max;
}

/** The few columns that are open at first. */
export function usual(columns: readonly ColumnInfo[]): readonly string[] {
  const there = FIRST.filter((name) => columns.some((one) => one.name === name && one.kind !== "text" && varies(one)));
  return there.slice(0, SHOWN);
}

/** Whether every word of a query is in a column's name or meaning. */
export function matches(info: ColumnInfo, query: string): boolean {
  const text = `${info.name} ${info.meaning}`.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

const WORDS = { good: "more is better", bad: "less is better", "": "" } as const;

/** Meaning, unit, range and direction in one sentence. */
export function described(info: ColumnInfo): string {
  const bounds = info.low !== null && info.high !== null ? `${info.low} to ${info.high}` : "";
  const more = [info.unit, bounds, WORDS[info.direction]].filter(Boolean).join(", ");
  return [info.meaning || info.name, more && `(${more})`].filter(Boolean).join(" ");
}
