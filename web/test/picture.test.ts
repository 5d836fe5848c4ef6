// @vitest-environment happy-dom
import { expect, it, test } from "vitest";

import { pictured, plain } from "../src/picture";

test.each([
  ["color(srgb 1 0.5 0)", "rgb(255, 128, 0)"],
  ["color(srgb 0 0 1 / 0.5)", "rgba(0, 0, 255, 0.5)"],
  ["rgb(1, 2, 3)", "rgb(1, 2, 3)"],
])("the colour %s is written as %s", (colour, said) => {
  expect(plain(colour)).toBe(said);
});

it("draws no buttons, and nothing for listeners alone", () => {
  const part = document.body.appendChild(document.createElement("div"));
  part.innerHTML = '<svg><path d="M0 0"/></svg><p class="sr">heard</p><p data-undrawn>PNG</p>';
  const { svg } = pictured(part);
  expect(svg).toContain("M0 0");
  expect(svg).not.toMatch(/heard|PNG/);
});
