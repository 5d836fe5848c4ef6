/** Lines of equal density: points counted on a grid, smoothed, and followed by marching squares. Pure. */

import type { Bounds } from "./render/camera";

const CELLS = 72;
const SMOOTHINGS = 3;
/** Levels, as shares of the densest cell. */
const LEVELS = [0.06, 0.18, 0.42] as const;

export interface Field {
  /** Points per cell, smoothed, [CELLS + 1] × [CELLS + 1] corners. */
  readonly values: Float32Array;
  readonly side: number;
  readonly box: Bounds;
}

/** Density of the visible points within bounds. */
export function field(x: Float32Array, y: Float32Array, flags: Uint8Array, box: Bounds): Field {
  const side = CELLS + 1;
  const values = new Float32Array(side * side);
  const sx = CELLS / (box.right - box.left || 1);
  const sy = CELLS / (box.high - box.low || 1);
  for (let row = 0; row < x.length; row++) {
    if (!(flags[row]! & 1) || Number.isNaN(x[row]!)) continue;
    const at = Math.round((y[row]! - box.low) * sy) * side + Math.round((x[row]! - box.left) * sx);
    values[at] = values[at]! + 1;
  }
  for (let k = 0; k < SMOOTHINGS; k++) smooth(values, side);
  return { values, side, box };
}

function smooth(values: Float32Array, side: number): void {
  for (const [step, line] of [
    [1, side],
    [side, 1],
  ] as const) {
    for (let k = 0; k < side; k++) {
      let before = 0;
      for (let j = 0; j < side; j++) {
        const at = k * line + j * step;
        const now = values[at]!;
        const after = j + 1 < side ? values[at + step]! : 0;
        values[at] = (before + 2 * now + after) / 4;
        before = now;
      }
    }
  }
}

/** Segments [x1, y1, x2, y2] in coordinates of the layout, one list per level, lowest first. */
export function contours({ values, side, box }: Field): number[][] {
  const top = values.reduce((most, value) => Math.max(most, value), 0);
  const dx = (box.right - box.left) / (side - 1);
  const dy = (box.high - box.low) / (side - 1);
  return LEVELS.map((level) => {
    const found: number[] = [];
    for (let row = 0; row + 1 < side; row++) {
      for (let column = 0; column + 1 < side; column++) square(values, side, row, column, level * top, found);
    }
    return found.map((value, k) => (k % 2 ? box.low + value * dy : box.left + value * dx));
  });
}

/** Where the level crosses the edges of one cell, two crossings to a segment, in cells. */
function square(values: Float32Array, side: number, row: number, column: number, level: number, found: number[]): void {
  const at = row * side + column;
  const [a, b, c, d] = [values[at]!, values[at + 1]!, values[at + side + 1]!, values[at + side]!];
  const crossings: number[] = [];
  const edge = (from: number, to: number, x: number, y: number, u: number, v: number): void => {
    if (from >= level === to >= level) return;
    const share = (level - from) / (to - from);
    crossings.push(column + x + u * share, row + y + v * share);
  };
  edge(a, b, 0, 0, 1, 0);
  edge(b, c, 1, 0, 0, 1);
  edge(c, d, 1, 1, -1, 0);
  edge(d, a, 0, 1, 0, -1);
  found.push(...crossings.slice(0, 4 * Math.floor(crossings.length / 4)));
}
