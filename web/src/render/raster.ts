/** The rasteriser: points to pixels, without a canvas. Pure but for the buffer it writes. */

import { stamp, type Stamp } from "./shapes";
import type { Frame, Palette, Scene } from "./renderer";

/** Pixels as little-endian RGBA in one number each, row by row; `ratio` device pixels per CSS pixel. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
  readonly pixels: Uint32Array;
}

/** Points beyond this number are drawn without soft edges: nobody sees them, and blending costs. */
const SOFT = 60_000;
/** Share of colour left to rows outside of the selection. */
const DIMMED = 0.16;
const LARGEST = 60;

/** Place of each row on the raster, device pixels, [rows]; NaN where it has none. */
export function placed(scene: Scene, frame: Frame, raster: Raster, x: Float32Array, y: Float32Array): void {
  const { ax, ay, bx, by } = scene;
  const { a, b, mix } = frame;
  const { ratio } = raster;
  const cx = raster.width / 2;
  const cy = raster.height / 2;
  if (mix === 0) return one(ax, ay, a, ratio, cx, cy, x, y);
  if (mix === 1) return one(bx, by, b, ratio, cx, cy, x, y);
  for (let row = 0; row < x.length; row++) {
    const from = (ax[row]! - a.x) * a.sx;
    const to = (bx[row]! - b.x) * b.sx;
    const up = (ay[row]! - a.y) * a.sy;
    const rise = (by[row]! - b.y) * b.sy;
    x[row] = cx + ratio * (from + (to - from) * mix);
    y[row] = cy - ratio * (up + (rise - up) * mix);
  }
}

function one(
  px: Float32Array,
  py: Float32Array,
  camera: Frame["a"],
  ratio: number,
  cx: number,
  cy: number,
  x: Float32Array,
  y: Float32Array,
): void {
  const sx = ratio * camera.sx;
  const sy = ratio * camera.sy;
  for (let row = 0; row < x.length; row++) {
    x[row] = cx + (px[row]! - camera.x) * sx;
    y[row] = cy - (py[row]! - camera.y) * sy;
  }
}

/** Draw points: first those outside of the selection, then the selected, then the primary one, so that none of these hides. */
export function points(raster: Raster, scene: Scene, palette: Palette, frame: Frame, x: Float32Array, y: Float32Array): void {
  raster.pixels.fill(0);
  const soft = x.length <= SOFT;
  const full = packed(palette.colours, 1);
  const pale = frame.dim ? packed(palette.colours, DIMMED) : full;
  pass(raster, scene, palette, frame, x, y, { mask: 3, want: 1, colours: pale, soft: soft || frame.dim });
  pass(raster, scene, palette, frame, x, y, { mask: 3, want: 3, colours: full, soft });
}

interface Pass {
  readonly mask: number;
  readonly want: number;
  readonly colours: Uint32Array;
  readonly soft: boolean;
}

function pass(
  raster: Raster,
  scene: Scene,
  palette: Palette,
  frame: Frame,
  x: Float32Array,
  y: Float32Array,
  { mask, want, colours, soft }: Pass,
): void {
  const { flags, colour, size } = scene;
  const { width, height, ratio, pixels } = raster;
  const usual = diameter(frame.size, ratio);
  for (let row = 0; row < x.length; row++) {
    if ((flags[row]! & mask) !== want) continue;
    const u = x[row]!;
    const v = y[row]!;
    if (!(u > -LARGEST && u < width + LARGEST && v > -LARGEST && v < height + LARGEST)) continue;
    const code = colour[row]!;
    const mark = stamp(palette.shapes[code]!, size ? diameter(size[row]!, ratio) : usual);
    if (soft) blended(pixels, width, height, u | 0, v | 0, mark, colours[code]!);
    else solid(pixels, width, height, u | 0, v | 0, mark, colours[code]!);
  }
}

const diameter = (size: number, ratio: number): number => Math.max(1, Math.min(LARGEST, Math.round(size * ratio)));

function solid(pixels: Uint32Array, width: number, height: number, u: number, v: number, mark: Stamp, colour: number): void {
  const { dx, dy, cover } = mark;
  for (let k = 0; k < dx.length; k++) {
    const px = u + dx[k]!;
    const py = v + dy[k]!;
    if (cover[k]! > 110 && px >= 0 && px < width && py >= 0 && py < height) pixels[py * width + px] = colour;
  }
}

function blended(pixels: Uint32Array, width: number, height: number, u: number, v: number, mark: Stamp, colour: number): void {
  const { dx, dy, cover } = mark;
  for (let k = 0; k < dx.length; k++) {
    const px = u + dx[k]!;
    const py = v + dy[k]!;
    if (px < 0 || px >= width || py < 0 || py >= height) continue;
    const at = py * width + px;
    pixels[at] = over(colour, (cover[k]! * (colour >>> 24)) / 65025, pixels[at]!);
  }
}

/** `colour` with a share of cover (0 to 1) over what is there; alpha is not premultiplied. */
export function over(colour: number, share: number, below: number): number {
  const rest = ((below >>> 24) / 255) * (1 - share);
  const alpha = share + rest;
  if (alpha <= 0) return 0;
  const mix = (shift: number): number =>
    Math.round((((colour >>> shift) & 255) * share + ((below >>> shift) & 255) * rest) / alpha) << shift;
  return ((Math.round(alpha * 255) << 24) | mix(16) | mix(8) | mix(0)) >>> 0;
}

/** Colours of a palette as one number each, their alpha times `share`. */
export function packed(colours: Uint8Array, share: number): Uint32Array {
  const found = new Uint32Array(256);
  for (let k = 0; k < 256; k++) {
    const alpha = Math.round(colours[4 * k + 3]! * share);
    found[k] = ((alpha << 24) | (colours[4 * k + 2]! << 16) | (colours[4 * k + 1]! << 8) | colours[4 * k]!) >>> 0;
  }
  return found;
}

/** Draw how many points lie in each cell of 2 × 2 pixels: opacity grows with the logarithm of the count, the colour is the mean
 * of the classes in it, so that none hides another. */
export function cells(raster: Raster, scene: Scene, palette: Palette, frame: Frame, x: Float32Array, y: Float32Array): void {
  const { width, height, pixels } = raster;
  const wide = (width + 1) >> 1;
  const tall = (height + 1) >> 1;
  const sums = new Float32Array(wide * tall * 4);
  const want = frame.dim ? 3 : 1;
  for (let row = 0; row < x.length; row++) {
    const u = x[row]!;
    const v = y[row]!;
    if ((scene.flags[row]! & want) !== want || !(u >= 0 && u < width && v >= 0 && v < height)) continue;
    const at = 4 * ((v >> 1) * wide + (u >> 1));
    const code = 4 * scene.colour[row]!;
    sums[at]! += palette.colours[code]!;
    sums[at + 1]! += palette.colours[code + 1]!;
    sums[at + 2]! += palette.colours[code + 2]!;
    sums[at + 3]! += 1;
  }
  toned(pixels, width, height, sums, wide);
}

function toned(pixels: Uint32Array, width: number, height: number, sums: Float32Array, wide: number): void {
  let most = 1;
  for (let at = 3; at < sums.length; at += 4) if (sums[at]! > most) most = sums[at]!;
  const scale = 1 / Math.log1p(most);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const at = 4 * ((v >> 1) * wide + (u >> 1));
      const count = sums[at + 3]!;
      pixels[v * width + u] = count ? tone(sums, at, count, 0.12 + 0.88 * Math.log1p(count) * scale) : 0;
    }
  }
}

const tone = (sums: Float32Array, at: number, count: number, alpha: number): number =>
  (((alpha * 255) << 24) | ((sums[at + 2]! / count) << 16) | ((sums[at + 1]! / count) << 8) | (sums[at]! / count)) >>> 0;
