// @vitest-environment happy-dom
import { cleanup, configure, fireEvent, render, screen, within } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Issues } from "../src/issues";
import { follow, yieldTo } from "../src/pending";
import { issues, NOTHING, panel, pending, primary, selection, start } from "../src/state";
import { Server, SUSPECTS } from "./server";

configure({ asyncUtilTimeout: 20_000 });

let server: Server;
let stop: () => void;
let reviewed = 0;

beforeEach(async () => {
  server = new Server();
  server.issues = [{ ...SUSPECTS, id: `suspect-${reviewed++}` }];
  pending.value = null;
  yieldTo();
  selection.value = NOTHING;
  panel.value = "issues";
  await start(server, null);
  stop = follow();
  render(<Issues />);
  fireEvent.click(await screen.findByRole("button", { name: /Suspected mislabels/ }));
  await screen.findByText("text <b>3</b>");
});
afterEach(() => {
  cleanup();
  stop();
  issues.value = null;
});

const press = (key: string): boolean => fireEvent.keyDown(document.body, { key });

test("opening an issue selects its rows in their order, and shows the first as text", () => {
  expect(selection.value.origin).toEqual({ by: "issue", id: server.issues[0]!.id });
  expect([...selection.value.rows]).toEqual([3, 1, 0, 4]);
  expect(primary.value).toBe(3);
  expect(screen.getByText("1 of 4 rows")).toBeTruthy();
});

test("accept, reject and skip go on; undo comes back and takes the edit out", async () => {
  press("a");
  await screen.findByText("text <b>1</b>");
  expect(server.pending.changes).toMatchObject([{ action: "relabel", ids: ["r3"], value: "neg" }]);
  press("r");
  await screen.findByText("text <b>0</b>");
  expect(server.pending.changes.at(-1)).toMatchObject({ action: "reject", ids: ["r1"], value: "neg" });
  press("s");
  await screen.findByText("text <b>4</b>");
  expect(screen.getByText("3 decided")).toBeTruthy();
  press("u");
  await screen.findByText("text <b>0</b>");
  press("u");
  await screen.findByText("text <b>1</b>");
  expect(server.pending.changes.map((one) => one.action)).toEqual(["relabel"]);
});

test("keys that are typed into a field decide nothing", async () => {
  fireEvent.keyDown(screen.getByLabelText("Next"), { key: "a" });
  press("s");
  await screen.findByText("text <b>1</b>");
  expect(server.pending.changes).toEqual([]);
});

test("many are accepted at once above a probability, and the end says what was decided", async () => {
  fireEvent.input(screen.getByLabelText("with probability from"), { target: { value: "0.85" } });
  fireEvent.click(await screen.findByRole("button", { name: "Accept 2 suggestions…" }));
  expect(server.pending.changes).toEqual([]);
  fireEvent.click(screen.getByRole("button", { name: "Accept 2 suggestions" }));
  await screen.findByText("2 decided");
  expect(server.pending.changes.map((one) => [one.value, one.ids])).toEqual([["neg", ["r1"]], ["pos", ["r0"]]]);
  await screen.findByText("text <b>3</b>");
  press("s");
  await screen.findByText("text <b>4</b>");
  press("s");
  await screen.findByText("2 accepted, 0 rejected, 2 skipped.");
  fireEvent.click(screen.getByRole("button", { name: "See the edits and commit" }));
  expect(panel.value).toBe("curate");
});

test("an acceptance that met another person's edit is told beside the decision, and made on top if wanted", async () => {
  server.elsewhere([{ action: "drop", ids: ["r3"], value: null, old: null, weight: null, reason: "" }]);
  press("a");
  const box = await screen.findByRole("alert", { name: "Conflict" });
  expect(box.textContent).toContain("Somebody else edited this row first.");
  expect(box.textContent).toContain("Eve");
  expect(screen.getByText("1 of 4 rows")).toBeTruthy();
  fireEvent.click(within(box).getByRole("button", { name: "Apply mine on top" }));
  await screen.findByText("text <b>1</b>");
  expect(screen.getByText("1 decided")).toBeTruthy();
  expect(server.pending.changes.map((one) => [one.author, one.action])).toEqual([["Eve", "drop"], ["Ann", "relabel"]]);
});

test("a bulk acceptance that met another person's edit leaves the rows undecided, if theirs is left", async () => {
  fireEvent.click(await screen.findByRole("button", { name: /^Accept \d suggestions…$/ }));
  server.elsewhere([{ action: "drop", ids: ["r1"], value: null, old: null, weight: null, reason: "" }]);
  fireEvent.click(screen.getByRole("button", { name: /^Accept \d suggestions$/ }));
  const box = await screen.findByRole("alert", { name: "Conflict" });
  fireEvent.click(within(box).getByRole("button", { name: "Leave theirs" }));
  expect(screen.queryByRole("alert", { name: "Conflict" })).toBeNull();
  expect(screen.getByText("0 decided")).toBeTruthy();
  expect(server.pending.changes).toHaveLength(1);
});

test("a fix that is pending for all rows is not offered again", async () => {
  fireEvent.click(screen.getByRole("button", { name: /All issues/ }));
  fireEvent.click(await screen.findByRole("button", { name: "Relabel as suggested" }));
  await screen.findByText(/Relabel as suggested: in the pending edits/);
  expect(screen.queryByRole("button", { name: "Relabel as suggested" })).toBeNull();
});
