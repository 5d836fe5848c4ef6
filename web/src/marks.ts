/** The shapes of the map as SVG paths, 12 × 12. */

import type { Shape } from "./render/shapes";

export const PATHS: Readonly<Record<Shape, string>> = {
  circle: "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9",
  square: "M2 2h8v8H2z",
  triangle: "M6 1l5 9.5H1z",
  diamond: "M6 .5L11.5 6L6 11.5L.5 6z",
  plus: "M4.2 1h3.6v3.2H11v3.6H7.8V11H4.2V7.8H1V4.2h3.2z",
  cross: "M2.5 1L6 4.4L9.5 1L11 2.5L7.6 6L11 9.5L9.5 11L6 7.6L2.5 11L1 9.5L4.4 6L1 2.5z",
  ring: "M6 1a5 5 0 1 1 0 10a5 5 0 1 1 0-10M6 3.6a2.4 2.4 0 1 0 0 4.8a2.4 2.4 0 1 0 0-4.8",
  bar: "M1 4h10v4H1z",
};
