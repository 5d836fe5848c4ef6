import { describe, expect, it } from "vitest";

import { at, drawn, type List, page, reveal, scaled, scrolled, spacer, stepped, top, TOP } from "../src/scroll";

const short: List = { rows: 1000, height: 30, viewport: 600 };
const long: List = { rows: 1_000_000, height: 30, viewport: 600 };

describe("a list that fits", () => {
  it("has its own height and is not scaled", () => {
    expect(spacer(short)).toBe(30_000);
    expect(scaled(short)).toBe(false);
  });
  it("follows the browser pixel by pixel", () => {
    for (const to of [0, 1, 17, 12_345, 29_400]) expect(scrolled(short, TOP, to)).toEqual({ virtual: to, physical: to });
  });
  it("stays inside its ends", () => {
    expect(scrolled(short, TOP, 99_999).virtual).toBe(29_400);
    expect(stepped(short, TOP, -50)).toEqual(TOP);
  });
});

describe("a list beyond the tallest element", () => {
  it("has a capped spacer", () => {
    expect(spacer(long)).toBe(8_000_000);
    expect(scaled(long)).toBe(true);
  });
  it("reaches the first and the last row", () => {
    const end = scrolled(long, TOP, spacer(long) - long.viewport);
    expect(drawn(long, end).last).toBe(1_000_000);
    expect(top(long, end, 999_999) + 30).toBe(spacer(long));
    const start = scrolled(long, end, 0);
    expect(drawn(long, start).first).toBe(0);
    expect(top(long, start, 0)).toBe(0);
  });
  it("moves by exactly the steps of a wheel", () => {
    let place = at(long, 15_000_000);
    for (let turn = 0; turn < 50; turn++) {
      const next = stepped(long, place, 53);
      expect(next.virtual - place.virtual).toBe(53);
      place = next;
    }
  });
  it("moves by exactly the small steps of the browser", () => {
    const place = at(long, 15_000_000);
    expect(scrolled(long, place, place.physical + 40).virtual).toBe(15_000_040);
    expect(scrolled(long, place, place.physical - 40).virtual).toBe(14_999_960);
  });
  it("jumps in proportion", () => {
    const half = (spacer(long) - long.viewport) / 2;
    expect(scrolled(long, TOP, half).virtual).toBeCloseTo((30_000_000 - 600) / 2, 0);
  });
  it("lets the wheel reach every row: from the last page to the last row", () => {
    let place = at(long, 29_990_000);
    for (let turn = 0; turn < 200; turn++) place = stepped(long, place, 100);
    expect(drawn(long, place).last).toBe(1_000_000);
    expect(place.physical).toBe(spacer(long) - long.viewport);
  });
  it("is the same place when the browser says where it already is", () => {
    const place = at(long, 7_777_777);
    expect(scrolled(long, place, place.physical)).toBe(place);
  });
  it("places the drawn rows on the screen", () => {
    const place = at(long, 20_000_000);
    const { first } = drawn(long, place, 0);
    expect(top(long, place, first) - place.physical).toBe(-20);
  });
});

describe("reveal", () => {
  it("does nothing for a row that is seen", () => {
    const place = at(short, 300);
    expect(reveal(short, place, 12)).toBe(place);
  });
  it("moves as little as it must", () => {
    expect(reveal(short, at(short, 300), 5).virtual).toBe(150);
    expect(reveal(short, TOP, 30).virtual).toBe(330);
    expect(reveal(long, TOP, 999_999).virtual).toBe(30_000_000 - 600);
  });
});

it("draws nothing of an empty list", () => {
  expect(drawn({ rows: 0, height: 30, viewport: 600 }, TOP)).toEqual({ first: 0, last: 0 });
});

it("pages by whole rows", () => {
  expect(page(short)).toBe(19);
  expect(page({ rows: 5, height: 30, viewport: 10 })).toBe(1);
});
