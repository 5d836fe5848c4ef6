import { describe, expect, it } from "vitest";

import { framed, unframed } from "../src/part";

describe("a part of a map in an address", () => {
  it.each([
    [{ x: 1 / 3, y: 0.5, wide: 0.1, tall: null }, "0.3333_0.5_0.1"],
    [{ x: 0.0148241, y: 0.5049666, wide: 0.0143212, tall: 0.0291649 }, "0.01482_0.50497_0.01432_0.02916"],
    [{ x: -12.345, y: 1234.56, wide: 5000, tall: 1e-6 }, "-12_1234.56_5000_0.000001"],
  ])("%o is %s, and stays so", (part, text) => {
    expect(framed(part)).toBe(text);
    expect(framed(unframed(text)!)).toBe(text);
  });

  it.each(["", "1_2", "1_2_0", "1_2_-3", "1_2_3_0", "1_2_3_4_5", "a_2_3", "1__3", "1_2_Infinity", "_"])("%j says none", (text) => {
    expect(unframed(text)).toBeNull();
  });
});
