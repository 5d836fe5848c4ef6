// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ACTIONS, Help, helping, pressed } from "../src/keys";
import { start, workspace } from "../src/state";
import { Scene } from "./scene";

beforeEach(async () => {
  await start(new Scene(4), null);
  helping.value = true;
});
afterEach(cleanup);

const titles = (): (string | null)[] => screen.getAllByRole("heading", { level: 3, hidden: true }).map((one) => one.textContent);

describe("the list of keys", () => {
  it("says where those hold that hold in one place", () => {
    workspace.value = { ...workspace.value!, read_only: false };
    render(<Help />);
    expect(titles()).toEqual(["Rows", "Map", "Table, with the focus in it", "Review, while an issue is open", "Page", "Edits"]);
  });
  it("has no edits where nothing can be edited", () => {
    render(<Help />);
    expect(titles()).toEqual(["Rows", "Map", "Table, with the focus in it", "Page"]);
  });
});

it("leaves letters to what is typed", () => {
  const field = document.body.appendChild(document.createElement("input"));
  const press = (on: Element): string | null => {
    let found: string | null = null;
    on.addEventListener("keydown", (event) => (found = pressed(event as KeyboardEvent)), { once: true });
    on.dispatchEvent(new KeyboardEvent("keydown", { key: "m" }));
    return found;
  };
  expect([press(field), press(document.body)]).toEqual([null, "m"]);
});

it.each(["+", "=", "-", "0"])("has %s for the map, wherever the focus is", (key) => {
  const map = document.body.appendChild(document.createElement("div"));
  map.className = "map";
  const heard: string[] = [];
  map.appendChild(document.createElement("canvas")).addEventListener("keydown", (event) => heard.push(event.key));
  ACTIONS[key]!();
  map.remove();
  expect(heard).toEqual([key]);
});
