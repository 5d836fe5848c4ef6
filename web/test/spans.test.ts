import { describe, expect, it } from "vitest";

import { inside, part, segments, units, visible } from "../src/detail/spans";

const at = (start: number, end: number, kind = "gold") => ({ start, end, kind });

describe("units", () => {
  it("are the same where every character is one unit", () => {
    expect(units("plain text", [at(0, 5)])).toEqual([at(0, 5)]);
  });
  it("count a surrogate pair as two", () => {
    const text = "a😀b👨‍👩‍👧c";
    // Python: "a😀b👨‍👩‍👧c"[2:8] == "b👨‍👩‍👧"
    const [span] = units(text, [at(2, 8)]);
    expect(text.slice(span!.start, span!.end)).toBe("b👨‍👩‍👧");
  });
  it("stay inside the text, and drop what is empty", () => {
    expect(units("abc", [at(1, 99), at(2, 2), at(7, 9), at(-4, 1)])).toEqual([at(1, 3), at(0, 1)]);
    expect(units("😀", [at(0, 99)])).toEqual([at(0, 2)]);
  });
  it("take spans in any order", () => {
    const text = "😀😀😀";
    expect(units(text, [at(2, 3), at(0, 1)])).toEqual([at(4, 6), at(0, 2)]);
  });
});

describe("segments", () => {
  it("cover the text once, overlaps with all their kinds", () => {
    const found = segments("the big red house", [at(4, 11), at(8, 17, "predicted")]);
    expect(found).toEqual([
      { text: "the ", kinds: [] },
      { text: "big ", kinds: ["gold"] },
      { text: "red", kinds: ["gold", "predicted"] },
      { text: " house", kinds: ["predicted"] },
    ]);
  });
  it("name a kind once where its spans overlap", () => {
    expect(segments("abcd", [at(0, 3), at(1, 4)]).map((one) => one.kinds)).toEqual([["gold"], ["gold"], ["gold"]]);
  });
  it("hold one span inside another, and equal ones", () => {
    const found = segments("abcdef", [at(0, 6), at(2, 4, "predicted"), at(2, 4, "common")]);
    expect(found.map((one) => `${one.text}:${one.kinds.join("+")}`)).toEqual(["ab:gold", "cd:gold+predicted+common", "ef:gold"]);
  });
  it("give the whole text back", () => {
    const text = "0123456789".repeat(30);
    const spans = Array.from({ length: 200 }, (_, k) => at((k * 7) % 250, ((k * 7) % 250) + (k % 40) + 1, String(k % 3)));
    expect(segments(text, spans).map((one) => one.text).join("")).toBe(text);
  });
  it("are one where nothing is marked, none where nothing is written", () => {
    expect(segments("abc", [])).toEqual([{ text: "abc", kinds: [] }]);
    expect(segments("", [])).toEqual([]);
  });
  it("take thousands of spans", () => {
    const text = "word ".repeat(20_000);
    const spans = Array.from({ length: 20_000 }, (_, k) => at(5 * k, 5 * k + 4));
    expect(segments(text, spans)).toHaveLength(40_000);
  });
});

describe("part", () => {
  it("is the whole of a short text, the beginning of a long one", () => {
    expect(part("abc", [], 10)).toEqual({ start: 0, end: 3 });
    expect(part("x".repeat(100), [], 10)).toEqual({ start: 0, end: 10 });
  });
  it("holds the first span", () => {
    const { start, end } = part("x".repeat(1000), [at(700, 705), at(900, 910)], 100);
    expect(start).toBeLessThan(700);
    expect(end).toBeGreaterThan(705);
  });
  it("never cuts a character in two", () => {
    const text = "😀".repeat(100);
    const { start, end } = part(text, [at(151, 153)], 21);
    expect(start % 2).toBe(0);
    expect(end % 2).toBe(0);
  });
});

it("spans inside a part count from its start", () => {
  expect(inside([at(0, 5), at(8, 12), at(20, 30)], 3, 10)).toEqual([at(0, 2), at(5, 7)]);
});

it("control characters show as pictures, in place; lines and tabs stay", () => {
  expect(visible("a\0b\u001b[31m\n\tc\u007f")).toBe("a␀b␛[31m\n\tc␡");
});
