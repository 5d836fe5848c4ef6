import { describe, expect, it, test } from "vitest";

import type { ColumnInfo } from "../src/api";
import type { Filter } from "../src/filter";
import { condition, quoted, rowsCommand, rule } from "../src/shell";

const info = (name: string, kind: ColumnInfo["kind"], more: Partial<ColumnInfo> = {}): ColumnInfo => ({
  name, kind, meaning: "known", unit: "", low: null, high: null, direction: "", categories: [], min: null, max: null, missing: 0, base: true, ...more,
});
const loss = info("loss", "number");
const label = info("label", "category", { categories: ["neg", "it's", "pos"] });
const correct = info("correct", "flag");
const from = (low: number, high: number, missing = false): Filter => ({ by: "range", low, high, ...(missing ? { missing } : {}) });
const codes = (...some: number[]): Filter => ({ by: "codes", codes: new Set(some) });

test.each([
  ["toy-1", "toy-1"],
  ["a b", '"a b"'],
  ["", '""'],
  ['say "$HOME" it\'s', "'say \"$HOME\" it'\\''s'"],
])("the word %j is typed as %s", (text, said) => {
  expect(quoted(text)).toBe(said);
});

test.each<[ColumnInfo, Filter, string]>([
  [loss, from(2, Infinity), "loss >= 2"],
  [loss, from(-Infinity, Math.fround(0.1)), "loss <= 0.1"],
  [loss, from(0.5, 1.5, true), "(loss >= 0.5 AND loss <= 1.5 OR loss IS NULL)"],
  [loss, from(-Infinity, Infinity), "loss IS NOT NULL"],
  [loss, { by: "codes", codes: new Set(), missing: true }, "loss IS NULL"],
  [label, codes(1), "label = 'it''s'"],
  [label, codes(0, 2), "label IN ('neg', 'pos')"],
  [correct, codes(0), "correct = false"],
  [info("order", "number", { meaning: "" }), from(1, Infinity), '"order" >= 1'],
  [info('a"b', "number"), from(1, Infinity), '"a""b" >= 1'],
])("a filter on %o is a condition", (column, filter, said) => {
  expect(condition(column, filter)).toBe(said);
});

describe("a command", () => {
  it("has all filters, and the search", () => {
    const sql = rule([loss, label, correct], new Map([["label", codes(0)], ["loss", from(2, Infinity)], ["gone", codes(1)]]));
    expect(rowsCommand({ run: "toy", search: "a film", rule: sql, out: "rows.csv" })).toBe(
      "tunewright rows toy --search \"a film\" --rule \"loss >= 2 AND label = 'neg'\" --out rows.csv",
    );
  });
  it("names the rows", () => {
    expect(rowsCommand({ run: "toy", ids: ["a", "b c"], out: "rows.jsonl" })).toBe('tunewright rows toy --id a --id "b c" --out rows.jsonl');
  });
});
