// @vitest-environment happy-dom
import { cleanup, configure, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Job } from "../src/api";
import { Dialog } from "../src/commit";
import { Edits } from "../src/edits";
import { attend, jobs, losses, started } from "../src/jobs";
import { Live } from "../src/live";
import { commit, committed, drop, follow } from "../src/pending";
import { pending, start } from "../src/state";
import { Training, written } from "../src/training";
import { Server } from "./server";

configure({ asyncUtilTimeout: 20_000 });

const SHELL: Job = { id: "20260101-000000-other", run: "20260101-000000-other", command: "tunewright train --version main", state: "running", progress: 0.4, said: "step 40 of 100, epoch 2.0" };

let server: Server;
let stops: (() => void)[];

async function begin(known: readonly Job[]): Promise<void> {
  server = new Server();
  server.jobs = [...known];
  server.versions = ["main", "typed"];
  await start(server, null);
  stops = [follow(), attend()];
}

beforeEach(() => {
  pending.value = null;
  committed.value = null;
  jobs.value = new Map();
  losses.value = new Map();
  started.value = new Map();
});
afterEach(() => {
  cleanup();
  stops.forEach((stop) => stop());
});

test("every version with a name can be trained, by whomever and whenever it was made", async () => {
  await begin([]);
  render(<Training />);
  fireEvent.change(screen.getByLabelText("Version"), { target: { value: "typed" } });
  expect(screen.getByText("tunewright train --version typed")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Train this version" }));
  await screen.findByText("Waits for its turn");
  expect(server.asked.at(-1)).toEqual({ path: "train", body: { version: "typed" } });
});

test("the version that was just committed comes first", async () => {
  await begin([]);
  render(<Training />);
  fireEvent.change(screen.getByLabelText("Version"), { target: { value: "typed" } });
  await drop(["r0"], "copy");
  server.versions = ["main", "typed", "main-2"];
  await commit("main-2", "copies");
  await screen.findByText(/Written: 1 edit/);
  expect(screen.getByText("tunewright train --version main-2")).toBeTruthy();
});

test("a version that trains already offers no second training; a stopped one does", async () => {
  await begin([{ ...SHELL, id: "job-1" }]);
  render(<Training />);
  await screen.findByText("Training 40%");
  expect(screen.queryByRole("button", { name: "Train this version" })).toBeNull();
  started.value = new Map([["main", "job-1"]]);
  server.tell({ event: "job", data: { ...SHELL, id: "job-1", state: "stopped" } });
  await screen.findByRole("button", { name: "Train it again" });
});

test("a training of a shell cannot be stopped here, and says why", async () => {
  await begin([SHELL]);
  render(<Live />);
  const stop = await screen.findByRole<HTMLButtonElement>("button", { name: "Stop" });
  expect(stop.disabled).toBe(true);
  expect(screen.getByText("It was started in a shell: Ctrl-C stops it there.")).toBeTruthy();
});

test("the panel names the run that trains, what is left of it, and the run whose loss is shown", async () => {
  await begin([{ ...SHELL, id: "job-1" }]);
  const at = (run: string, step: number, heard: number | null) => [{ step, epoch: 2, loss: 0.5, eval_loss: null, heard, run }];
  losses.value = new Map([
    ["run-1", at("run-1", 30, null)],
    [SHELL.run!, [...at(SHELL.run!, 20, 1_000), ...at(SHELL.run!, 40, 11_000)]],
  ]);
  render(<Live />);
  await screen.findByText("other");
  expect(screen.getByText(/about 30 s left/)).toBeTruthy();
  expect(screen.getByRole("region", { name: "Loss of run-1" })).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Stop" }).disabled).toBe(false);
});

test("a commit says what became of as many edits as were pending", () => {
  const made = { id: "h", name: "main-2", command: "", rows: 492 };
  expect(written({ ...made, changes: 3, idle: 2, edits: 2 })).toBe(
    "Written: 3 edits, gathered into 2; 492 rows in all. 2 edits came to nothing: a later one has the last word on their rows, or these are dropped, or are so already.",
  );
  expect(written({ ...made, changes: 1, idle: 0, edits: 1 })).toBe("Written: 1 edit; 492 rows in all.");
});

test("the list of edits and the commit tell of edits that come to nothing", async () => {
  await begin([]);
  await drop(["r0"], "a copy");
  await drop(["r0"], "again");
  pending.value = { ...pending.value!, idle: [pending.value!.changes[0]!.key] };
  render(<Edits />);
  expect(screen.getByText("comes to nothing").getAttribute("title")).toContain("a copy");
  render(<Dialog onClose={() => undefined} />);
  expect(screen.getByText(/1 edit of these will come to nothing/)).toBeTruthy();
});
