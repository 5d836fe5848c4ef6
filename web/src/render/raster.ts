/** The rasteriser: points to pixels, without a canvas. Pure but for the buffers it writes. */

import type { Frame, Palette, Scene } from "./renderer";
import { dimmed } from "./renderer";
import { LARGEST, offsets, type Stamp, stamp } from "./shapes";

/** Pixels as little-endian RGBA in one number each, row by row; `ratio` device pixels per CSS pixel. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
  readonly pixels: Uint32Array;
}

/** Rows beyond this number are drawn without soft edges: nobody sees these in a crowd, and blending costs. */
const SOFT = 60_000;
const HALF = 110; // a pixel covered less than this (of 255) is left out where edges are hard

/** Place of each row on the raster, device pixels, [rows]; NaN where it has none. */
export function placed(scene: Scene, frame: Frame, raster: Raster, x: Float32Array, y: Float32Array): void {
  const { ax, ay, bx, by } = scene;
  const { a, b, mix } = frame;
  if (mix === 0) return still(ax, ay, a, raster, x, y);
  if (mix === 1) return still(bx, by, b, raster, x, y);
  const { ratio } = raster;
  const cx = raster.width / 2;
  const cy = raster.height / 2;
  for (let row = 0; row < x.length; row++) {
    const from = (ax[row]! - a.x) * a.sx;
    const to = (bx[row]! - b.x) * b.sx;
    const up = (ay[row]! - a.y) * a.sy;
    const rise = (by[row]! - b.y) * b.sy;
    x[row] = cx + ratio * (from + (to - from) * mix);
    y[row] = cy - ratio * (up + (rise - up) * mix);
  }
}

function still(px: Float32Array, py: Float32Array, camera: Frame["a"], raster: Raster, x: Float32Array, y: Float32Array): void {
  const sx = raster.ratio * camera.sx;
  const sy = raster.ratio * camera.sy;
  const left = raster.width / 2 - camera.x * sx;
  const top = raster.height / 2 + camera.y * sy;
  for (let row = 0; row < x.length; row++) {
    x[row] = left + px[row]! * sx;
    y[row] = top - py[row]! * sy;
  }
}

/** Draw points: first those outside of the selection, then the selected ones, so that none of these hides. */
export function points(raster: Raster, scene: Scene, palette: Palette, frame: Frame, x: Float32Array, y: Float32Array): void {
  raster.pixels.fill(0);
  const soft = x.length <= SOFT;
  const paint = { raster, scene, palette, size: frame.size, x, y };
  if (!frame.dim) return pass(paint, { mask: 1, want: 1, colours: packed(palette.colours, 1), soft });
  pass(paint, { mask: 3, want: 1, colours: packed(palette.colours, dimmed(frame.dark)), soft });
  pass(paint, { mask: 3, want: 3, colours: packed(palette.colours, 1), soft });
}

interface Paint {
  readonly raster: Raster;
  readonly scene: Scene;
  readonly palette: Palette;
  readonly size: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

interface Pass {
  /** Rows whose flags, under the mask, are these. */
  readonly mask: number;
  readonly want: number;
  readonly colours: Uint32Array;
  readonly soft: boolean;
}

function pass({ raster, scene, palette, size, x, y }: Paint, { mask, want, colours, soft }: Pass): void {
  const { flags, colour, order } = scene;
  const { width, height, ratio } = raster;
  const { shapes } = palette;
  const usual = diameter(size, ratio);
  const pen = new Pen(raster, soft);
  for (let k = 0; k < x.length; k++) {
    const row = order ? order[k]! : k;
    if ((flags[row]! & mask) !== want) continue;
    const u = x[row]!;
    const v = y[row]!;
    if (!(u > -LARGEST && u < width + LARGEST && v > -LARGEST && v < height + LARGEST)) continue;
    const code = colour[row]!;
    pen.put(shapes[code]!, scene.size ? diameter(scene.size[row]!, ratio) : usual, Math.floor(u), Math.floor(v), colours[code]!);
  }
}

const diameter = (size: number, ratio: number): number => Math.max(1, Math.min(LARGEST, Math.round(size * ratio)));

interface Nib {
  readonly mark: Stamp;
  /** Offsets in the raster, and covers, of the pixels that are drawn. */
  readonly at: Int32Array;
  readonly cover: Uint8Array;
}

/** Puts stamps on a raster; those wholly inside it need no test per pixel. */
class Pen {
  private readonly nibs: (Nib | undefined)[] = new Array(8 * (LARGEST + 1));

  constructor(
    private readonly raster: Raster,
    private readonly soft: boolean,
  ) {}

  put(shape: number, size: number, u: number, v: number, colour: number): void {
    const { width, height, pixels } = this.raster;
    const nib = (this.nibs[shape * (LARGEST + 1) + size] ??= this.made(shape, size));
    const { reach } = nib.mark;
    if (u < reach || v < reach || u >= width - reach || v >= height - reach) return this.edge(nib.mark, u, v, colour);
    const at = v * width + u;
    if (this.soft) blended(pixels, at, nib, colour);
    else for (let k = 0; k < nib.at.length; k++) pixels[at + nib.at[k]!] = colour;
  }

  private made(shape: number, size: number): Nib {
    const mark = stamp(shape, size);
    const at = offsets(mark, this.raster.width);
    const kept = (_: number, k: number): boolean => this.soft || mark.cover[k]! > HALF;
    return { mark, at: at.filter(kept), cover: mark.cover.filter(kept) };
  }

  private edge({ dx, dy, cover }: Stamp, u: number, v: number, colour: number): void {
    const { width, height, pixels } = this.raster;
    for (let k = 0; k < dx.length; k++) {
      const px = u + dx[k]!;
      const py = v + dy[k]!;
      if (px < 0 || px >= width || py < 0 || py >= height) continue;
      const at = py * width + px;
      if (this.soft) pixels[at] = over(colour, cover[k]!, pixels[at]!);
      else if (cover[k]! > HALF) pixels[at] = colour;
    }
  }
}

function blended(pixels: Uint32Array, from: number, { at, cover }: Nib, colour: number): void {
  const opaque = colour >>> 24 === 255;
  for (let k = 0; k < at.length; k++) {
    const share = cover[k]!;
    const pixel = from + at[k]!;
    if (opaque && share === 255) pixels[pixel] = colour;
    else pixels[pixel] = over(colour, share, pixels[pixel]!);
  }
}

/** `colour` over what is there, where it covers `cover` (0 to 255) of a pixel; alpha is not premultiplied. */
export function over(colour: number, cover: number, below: number): number {
  const mine = ((colour >>> 24) * cover) / 255;
  if (below === 0) return (((mine + 0.5) << 24) | (colour & 0xffffff)) >>> 0;
  if (below >>> 24 === 255) return mixed(colour, (mine + 0.5) | 0, below);
  const rest = ((below >>> 24) * (255 - mine)) / 255;
  const alpha = mine + rest;
  if (alpha <= 0) return 0;
  const keep = rest / alpha;
  const take = 1 - keep;
  const red = (colour & 255) * take + (below & 255) * keep + 0.5;
  const green = ((colour >>> 8) & 255) * take + ((below >>> 8) & 255) * keep + 0.5;
  const blue = ((colour >>> 16) & 255) * take + ((below >>> 16) & 255) * keep + 0.5;
  return (((alpha + 0.5) << 24) | (blue << 16) | ((green << 8) & 0xff00) | (red & 0xff)) >>> 0;
}

/** `colour` with a share (0 to 255) over an opaque one: whole numbers only, two channels at a time. */
function mixed(colour: number, share: number, below: number): number {
  const take = share + (share >> 7); // 0 to 256
  const keep = 256 - take;
  const outer = (((colour & 0xff00ff) * take + (below & 0xff00ff) * keep) >>> 8) & 0xff00ff;
  const green = (((colour & 0xff00) * take + (below & 0xff00) * keep) >>> 8) & 0xff00;
  return (0xff000000 | outer | green) >>> 0;
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
