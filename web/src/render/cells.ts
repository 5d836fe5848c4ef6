/** Density: how many points lie in each cell of a grid, and of which colours. */

import type { Raster } from "./raster";
import { dimmed, faintest, type Frame, type Palette, type Scene } from "./renderer";

/** Sums per cell: red, green, blue and number of points, four floats each; kept between frames of one size. */
export interface Cells {
  /** Of a cell, device pixels. */
  readonly side: number;
  readonly wide: number;
  readonly tall: number;
  readonly sums: Float32Array;
}

export function grid({ width, height }: Pick<Raster, "width" | "height">, side: number): Cells {
  const wide = Math.ceil(width / side);
  const tall = Math.ceil(height / side);
  return { side, wide, tall, sums: new Float32Array(wide * tall * 4) };
}

/** Side of a cell in whole device pixels, of so many to a CSS pixel. */
export const inDevice = (cell: number, ratio: number): number => Math.max(2, Math.round(cell * ratio));

/** Draw how many points lie in each cell: opacity grows with the logarithm of the count, the colour is the mean of the points in
 * it, so that the class drawn last hides none. Where something is selected, the rest lies pale below it. */
export function density(raster: Raster, cells: Cells, scene: Scene, palette: Palette, frame: Frame, x: Float32Array, y: Float32Array): void {
  const counts = { raster, cells, scene, colours: Float32Array.from(palette.colours), x, y };
  const least = faintest(frame.dark);
  raster.pixels.fill(0);
  counted(counts, frame.dim ? 3 : 1, 1);
  toned(raster, cells, least, frame.dim ? dimmed(frame.dark) : 1);
  if (!frame.dim) return;
  counted(counts, 3, 3);
  toned(raster, cells, least, 1);
}

interface Counting {
  readonly raster: Raster;
  readonly cells: Cells;
  readonly scene: Scene;
  readonly colours: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Sums over the rows whose flags, under the mask, are `want`. */
function counted({ raster: { width, height }, cells: { side, wide, sums }, scene: { flags, colour }, colours, x, y }: Counting, mask: number, want: number): void {
  sums.fill(0);
  for (let row = 0; row < x.length; row++) {
    const u = x[row]!;
    const v = y[row]!;
    if ((flags[row]! & mask) !== want || !(u >= 0 && u < width && v >= 0 && v < height)) continue;
    const at = 4 * (((v / side) | 0) * wide + ((u / side) | 0));
    const code = 4 * colour[row]!;
    sums[at] = sums[at]! + colours[code]!;
    sums[at + 1] = sums[at + 1]! + colours[code + 1]!;
    sums[at + 2] = sums[at + 2]! + colours[code + 2]!;
    sums[at + 3] = sums[at + 3]! + 1;
  }
}

function toned(raster: Raster, { side, wide, tall, sums }: Cells, least: number, share: number): void {
  const scale = (1 - least) / Math.max(Math.log(2), Math.log1p(most(sums)));
  for (let v = 0; v < tall; v++) {
    for (let u = 0; u < wide; u++) {
      const at = 4 * (v * wide + u);
      const count = sums[at + 3]!;
      if (!count) continue;
      const alpha = 255 * share * Math.min(1, least + scale * Math.log1p(count));
      const pixel = ((alpha << 24) | ((sums[at + 2]! / count) << 16) | ((sums[at + 1]! / count) << 8) | (sums[at]! / count)) >>> 0;
      block(raster, side * u, side * v, side, pixel);
    }
  }
}

/** Fill a square; what of it lies beyond the raster is left out. */
function block({ width, height, pixels }: Raster, left: number, top: number, side: number, pixel: number): void {
  const right = Math.min(width, left + side);
  const foot = Math.min(height, top + side);
  for (let y = top; y < foot; y++) {
    for (let at = y * width + left; at < y * width + right; at++) pixels[at] = pixel;
  }
}

function most(sums: Float32Array): number {
  let found = 1;
  for (let at = 3; at < sums.length; at += 4) if (sums[at]! > found) found = sums[at]!;
  return found;
}
