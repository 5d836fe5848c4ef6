// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Curate } from "../src/curate";
import { Edit } from "../src/detail/edit";
import { Mend } from "../src/issues";
import { primary, start } from "../src/state";
import { example } from "./scene";
import { Server, SUSPECTS } from "./server";

beforeEach(async () => {
  const server = new Server();
  server.kind = "production";
  await start(server, null);
  primary.value = 3;
});
afterEach(cleanup);

const ACTS = /^(Relabel|Drop|Tag|Note|Accept|Reject)/;

test("a row of production offers no edit that would be refused, and says why", () => {
  render(<Edit example={example(3)} />);
  expect(screen.queryByRole("button", { name: ACTS })).toBeNull();
  expect(screen.getByText(/Rows of production belong to no version/)).toBeTruthy();
  expect(screen.getByText("tunewright monitor collected --name run-1 --csv label.csv")).toBeTruthy();
});

test("neither does the list of edits, nor an issue", () => {
  const { container } = render(<Mend issue={SUSPECTS} />);
  expect(container.textContent).toBe("");
  render(<Curate />);
  expect(screen.getByText(/Rows of production belong to no version/)).toBeTruthy();
  expect(screen.queryByRole("radiogroup", { name: "What to do" })).toBeNull();
});
