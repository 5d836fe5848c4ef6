// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Change } from "../src/api";
import * as edits from "../src/pending";
import { pending, run, start } from "../src/state";
import { Server } from "./server";

let server: Server;
let stop: () => void;

const dropped = (id: string): Change => ({ action: "drop", ids: [id], value: null, old: null, weight: null, reason: "" });
const settled = (): Promise<unknown> => new Promise((done) => setTimeout(done, 5));

beforeEach(async () => {
  server = new Server();
  pending.value = null;
  edits.yieldTo();
  await start(server, null);
  stop = edits.follow();
  await settled();
});
afterEach(() => stop());

test("edits apply to the version of the open run", () => {
  expect(run.value?.id).toBe("run-1");
  expect(edits.version.value).toBe("main");
  expect(pending.value?.revision).toBe(0);
});

test("a relabelling tells the label that the reader saw", async () => {
  expect(await edits.relabel(["r1", "r2"], "neg", "irony")).toBe(true);
  expect(server.pending.changes).toMatchObject([{ action: "relabel", ids: ["r1", "r2"], value: "neg", old: { r1: "pos", r2: "neg" }, reason: "irony" }]);
});

test("an accepted suggestion names the run that made it; labels are gathered", async () => {
  await edits.accept(new Map([["r1", "neg"], ["r0", "pos"], ["r3", "neg"]]), "suspect");
  expect(server.pending.changes.map(({ value, ids, run: from }) => [value, ids, from])).toEqual([
    ["neg", ["r1", "r3"], "run-1"],
    ["pos", ["r0"], "run-1"],
  ]);
});

test("a rejection names the label that is refused", async () => {
  await edits.reject(["r1"]);
  expect(server.pending.changes).toMatchObject([{ action: "reject", ids: ["r1"], value: "neg", old: { r1: "pos" } }]);
});

test("edits asked for at once name one revision after the other", async () => {
  const done = await Promise.all([edits.drop(["r0"], ""), edits.drop(["r1"], ""), edits.tag(["r2"], "odd")]);
  expect(done).toEqual([true, true, true]);
  expect(pending.value?.changes.map((one) => one.action)).toEqual(["drop", "drop", "tag"]);
  expect(edits.conflict.value).toBeNull();
});

test("an edit that another person's edit of another row overtook is done on top of it", async () => {
  server.elsewhere([dropped("r5")]);
  expect(await edits.drop(["r0"], "")).toBe(true);
  expect(pending.value?.changes.map((one) => [one.author, one.ids])).toEqual([["Eve", ["r5"]], ["Ann", ["r0"]]]);
  expect(edits.conflict.value).toBeNull();
});

test("an edit of a row that another person edited waits for the reader, and nothing is lost", async () => {
  server.elsewhere([dropped("r0")]);
  expect(await edits.relabel(["r0"], "pos", "")).toBe(false);
  expect(pending.value?.changes.map((one) => one.author)).toEqual(["Eve"]);
  expect(edits.conflict.value?.theirs.map((one) => one.author)).toEqual(["Eve"]);
  expect(edits.conflict.value?.mine).toMatchObject([{ action: "relabel", ids: ["r0"] }]);
  expect(await edits.insist()).toBe(true);
  expect(edits.conflict.value).toBeNull();
  expect(pending.value?.changes.map((one) => [one.author, one.action, one.old])).toEqual([
    ["Eve", "drop", null],
    ["Ann", "relabel", null],
  ]);
});

test("a conflict is told as it is now: what others add, and what they take back", async () => {
  server.elsewhere([{ ...dropped("r0"), action: "tag", value: "odd" }]);
  await edits.relabel(["r0"], "pos", "");
  expect(edits.conflict.value).toMatchObject({ message: "", theirs: [{ action: "tag" }] });
  server.elsewhere([dropped("r0")]);
  server.tell({ event: "pending", data: { version: "main", revision: server.pending.revision } });
  await settled();
  expect(edits.conflict.value?.theirs.map((one) => one.action)).toEqual(["tag", "drop"]);
  await edits.drop(["r4"], "mine, of another row");
  expect(edits.conflict.value?.theirs).toHaveLength(2);
  await edits.discard(server.pending.changes.map((one) => one.key));
  expect(edits.conflict.value).toMatchObject({ theirs: [], mine: [{ action: "relabel" }] });
});

test("asking once more after a refusal settles the conflict", async () => {
  server.elsewhere([dropped("r0")]);
  await edits.relabel(["r0"], "pos", "");
  expect(await edits.relabel(["r0"], "pos", "")).toBe(true);
  expect(edits.conflict.value).toBeNull();
});

test("an undo that was overtaken undoes nothing of the other person's", async () => {
  await edits.drop(["r0"], "");
  server.elsewhere([dropped("r5")]);
  expect(await edits.undoPending()).toBe(false);
  expect(pending.value?.changes).toHaveLength(2);
  expect(edits.conflict.value?.theirs).toHaveLength(1);
});

test("an edit is taken out whatever others added meanwhile", async () => {
  await edits.drop(["r0"], "");
  const { key } = pending.value!.changes[0]!;
  server.elsewhere([dropped("r0")]);
  expect(await edits.discard([key])).toBe(true);
  expect(edits.conflict.value).toBeNull();
  expect(pending.value?.changes.map((one) => one.author)).toEqual(["Eve"]);
});

test("the edits of others show when the server tells of them", async () => {
  server.elsewhere([dropped("r5")]);
  server.tell({ event: "pending", data: { version: "main", revision: server.pending.revision } });
  await settled();
  expect(pending.value?.changes).toHaveLength(1);
});

test("a commit empties the list and names what it made", async () => {
  await edits.drop(["r0"], "copy");
  expect((await edits.commit("main-2", "copies"))?.name).toBe("main-2");
  expect(edits.committed.value?.edits).toBe(1);
  expect(pending.value?.changes).toEqual([]);
});

test("what was edited in a row is found by its id", async () => {
  await edits.drop(["r0", "r1"], "");
  expect(edits.pendingOf("r1").map((one) => one.action)).toEqual(["drop"]);
  expect(edits.pendingOf("r2")).toEqual([]);
});
