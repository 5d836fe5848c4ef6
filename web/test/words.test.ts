import { expect, test } from "vitest";

import { advised } from "../src/parts";
import { metrics, shortly } from "../src/runs";
import { number, sentence } from "../src/wire";

test("what the server says is a sentence of the page", () => {
  expect(sentence("run r has no embeddings")).toBe("Run r has no embeddings.");
  expect(sentence("look again.")).toBe("Look again.");
  expect(sentence("")).toBe("");
});

test("a run is named by what tells it apart", () => {
  expect(shortly("20260102-030405-news-main-1a2b")).toBe("news-main-1a2b");
  expect(shortly("production")).toBe("production");
});

test("metrics of a run read as words", () => {
  const run = { metrics: { validation_accuracy: 0.91234, a: 1, b: 2, c: 3 } };
  expect(metrics(run as never)).toBe("validation accuracy 0.912 · a 1.000 · b 2");
});

test("three digits, whole numbers whole", () => {
  expect([number(0.12345), number(12345), number(1.5)]).toEqual(["0.123", "12,345", "1.5"]);
});

test("a command at the end of a sentence is found, one within it is not", () => {
  expect(advised("Copies were not looked for: tunewright lint run-1")).toEqual(["Copies were not looked for:", "tunewright lint run-1"]);
  expect(advised("Run r has no embeddings. Make them: tunewright analyze 20260102-030405-r")[1]).toBe("tunewright analyze 20260102-030405-r");
  expect(advised("`tunewright analyze` asks the final model.")).toEqual(["`tunewright analyze` asks the final model.", ""]);
  expect(advised("All is well.")).toEqual(["All is well.", ""]);
});
