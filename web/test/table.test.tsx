// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { NOTHING, panel, primary, select, selection, sort, start } from "../src/state";
import { Table } from "../src/table";
import { chosen, moved } from "../src/table/columns";
import { target } from "../src/table/keys";
import { HOSTILE, Scene } from "./scene";

let scene: Scene;

beforeEach(async () => {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(634);
  scene = new Scene(1000);
  await start(scene, null);
  selection.value = NOTHING;
  primary.value = null;
  sort.value = null;
  chosen.value = null;
  render(<Table />);
});
afterEach(cleanup);

const grid = (): HTMLElement => screen.getByRole("grid");
const names = (): (string | null)[] => within(grid()).getAllByRole("columnheader").slice(1).map((one) => one.textContent);
const line = (at: number): HTMLElement => grid().querySelector<HTMLElement>(`[data-at="${at}"]`)!;
const key = (name: string, more: object = {}): boolean => fireEvent.keyDown(grid(), { key: name, ...more });
const box = (at: number): HTMLElement => within(line(at)).getByRole("checkbox");

describe("the grid", () => {
  it("says how large it is, and draws what is in sight", () => {
    expect(grid().getAttribute("aria-rowcount")).toBe("1001");
    expect(grid().getAttribute("aria-colcount")).toBe("5");
    expect(line(0).getAttribute("aria-rowindex")).toBe("2");
    expect(grid().querySelectorAll(".body [role=row]").length).toBeLessThan(40);
  });
  it("shows texts as text once they came", async () => {
    await waitFor(() => expect(within(line(0)).getByText(HOSTILE[0])).toBeTruthy());
    expect(grid().querySelector("script, img")).toBeNull();
    expect(scene.asked.filter((path) => path.includes("/rows"))).toHaveLength(1);
  });
  it("shows control characters by their pictures", async () => {
    await waitFor(() => expect(within(line(3)).getByText("nul ␀ and bell ␇")).toBeTruthy());
  });
  it("marks a prediction that is not the label by more than colour", () => {
    expect(line(3).querySelector(".wrong")!.textContent).toContain("≠");
    expect(line(1).querySelector(".wrong")).toBeNull();
  });
});

describe("order", () => {
  it("goes up, down, and back to the rows as they come", async () => {
    const header = within(grid()).getByRole("button", { name: "confidence" });
    fireEvent.click(header);
    await waitFor(() => expect(header.closest("[role=columnheader]")!.getAttribute("aria-sort")).toBe("ascending"));
    expect(within(line(0)).getByText("0.000")).toBeTruthy();
    fireEvent.click(header);
    await waitFor(() => expect(within(line(0)).getByText("0.900")).toBeTruthy());
    fireEvent.click(header);
    await waitFor(() => expect(header.closest("[role=columnheader]")!.getAttribute("aria-sort")).toBe("none"));
  });
});

describe("keys", () => {
  it("walk, and reach the ends", async () => {
    key("ArrowDown");
    expect(primary.value).toBe(0);
    key("ArrowDown");
    expect(primary.value).toBe(1);
    key("End");
    expect(primary.value).toBe(999);
    await waitFor(() => expect(line(999)).toBeTruthy());
    key("Home");
    expect(primary.value).toBe(0);
    key("Enter");
    expect(panel.value).toBe("detail");
  });
  it("page by what is in sight", () => {
    const list = { rows: 1000, height: 44, viewport: 600 };
    expect(target("PageDown", 0, list)).toBe(12);
    expect(target("PageUp", 5, list)).toBe(0);
    expect(target("ArrowUp", 0, list)).toBe(-1);
    expect(target("x", 0, list)).toBeNull();
  });
  it("select with Space, and extend with Shift", () => {
    key("ArrowDown");
    key(" ");
    expect([...selection.value.rows]).toEqual([0]);
    key("ArrowDown", { shiftKey: true });
    key("ArrowDown", { shiftKey: true });
    expect([...selection.value.rows]).toEqual([0, 1, 2]);
    key("Escape");
    expect(selection.value.rows).toHaveLength(0);
  });
});

describe("checkboxes", () => {
  it("select without hiding the rest, and ranges with Shift", async () => {
    fireEvent.click(box(2));
    expect([...selection.value.rows]).toEqual([2]);
    expect(primary.value).toBe(2);
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("1001"));
    fireEvent.click(box(5), { shiftKey: true });
    expect([...selection.value.rows]).toEqual([2, 3, 4, 5]);
  });
  it("select and leave all", async () => {
    fireEvent.click(screen.getByRole("checkbox", { name: "Select all listed examples" }));
    expect(selection.value.rows).toHaveLength(1000);
    await waitFor(() => screen.getByText(", 1,000 selected"));
    fireEvent.click(screen.getByRole("checkbox", { name: "Select all listed examples" }));
    expect(selection.value.rows).toHaveLength(0);
  });
  it("list a selection from elsewhere alone, until asked for the rest", async () => {
    select(Uint32Array.of(7, 9));
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("3"));
    fireEvent.click(screen.getByRole("checkbox", { name: "selected only" }));
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("1001"));
  });
});

describe("columns", () => {
  it("are the texts first, then what matters", () => {
    expect(names()).toEqual(["text", "label", "predicted", "confidence"]);
  });
  it("come, go and move", async () => {
    fireEvent.click(screen.getByRole("button", { name: "Columns" }));
    fireEvent.click(screen.getByRole("checkbox", { name: "label" }));
    await waitFor(() => expect(names()).toEqual(["text", "predicted", "confidence"]));
    fireEvent.click(screen.getByRole("button", { name: "Move confidence to the left" }));
    await waitFor(() => expect(names()).toEqual(["text", "confidence", "predicted"]));
  });
  it("stay where they are at the ends", () => {
    expect(moved(["a", "b"], "a", -1)).toEqual(["a", "b"]);
    expect(moved(["a", "b"], "a", 1)).toEqual(["b", "a"]);
  });
});
