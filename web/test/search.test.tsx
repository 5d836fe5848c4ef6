// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, it } from "vitest";

import { Search } from "../src/search/search";
import { found, LONGEST, query, start } from "../src/state";
import { Scene } from "./scene";

class Searching extends Scene {
  fails = false;

  override async json<T>(path: string): Promise<T> {
    if (!path.includes("/search?")) return super.json(path);
    this.asked.push(path);
    if (this.fails) throw new Error("no");
    return { rows: [2], total: 1, ms: 3 } as T;
  }
}

let scene: Searching;
const type = (value: string): boolean => fireEvent.input(screen.getByRole("searchbox"), { target: { value } });
const searches = (): number => scene.asked.filter((path) => path.includes("/search?")).length;

beforeEach(async () => {
  scene = new Searching(10);
  query.value = "";
  await start(scene, null);
  render(<Search />);
});
afterEach(cleanup);

it("finds signs as well as words", async () => {
  type("😀");
  await waitFor(() => expect(screen.getByRole("status").textContent).toBe("1 in 3 ms"));
  expect(scene.asked.at(-1)).toContain(encodeURIComponent("😀"));
  expect([...found.value!]).toEqual([2]);
});

it("says that a search is too long, and shows no rows as if it had found them", async () => {
  type("😀".repeat(LONGEST));
  await waitFor(() => expect(searches()).toBe(1)); // as many characters as the service takes
  type("a".repeat(LONGEST + 1));
  expect(screen.getByRole("status").textContent).toBe("Too long: 501 of 500 characters");
  expect(found.value).toHaveLength(0);
  await new Promise((done) => setTimeout(done, 250));
  expect(searches()).toBe(1);
  type("");
  expect(found.value).toBeNull();
});

it("finds nothing where the search failed", async () => {
  scene.fails = true;
  type("good");
  await waitFor(() => expect(found.value).toHaveLength(0));
});
