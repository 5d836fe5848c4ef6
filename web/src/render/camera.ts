/** From coordinates of a layout to pixels, and back. */

import type { Point } from "../lasso";

/** The coordinate in the middle of the canvas, and CSS pixels per unit. The vertical axis points up. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly sx: number;
  readonly sy: number;
}

export interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly low: number;
  readonly high: number;
}

/** Bounds of finite points; the unit square when there are none. */
export function bounds(x: Float32Array, y: Float32Array): Bounds {
  let left = Infinity;
  let right = -Infinity;
  let low = Infinity;
  let high = -Infinity;
  for (let row = 0; row < x.length; row++) {
    const u = x[row]!;
    const v = y[row]!;
    if (!(u - v === u - v)) continue;
    if (u < left) left = u;
    if (u > right) right = u;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return left <= right ? { left, right, low, high } : { left: 0, right: 1, low: 0, high: 1 };
}

/** Bounds of both. */
export function joined(a: Bounds, b: Bounds): Bounds {
  return { left: Math.min(a.left, b.left), right: Math.max(a.right, b.right), low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
}

/** Pixels kept free at the edges of the canvas. */
export interface Margin {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The camera that shows bounds whole within margins; `even`: one unit is as long in both directions. */
export function fitted(box: Bounds, width: number, height: number, margin: Margin, even: boolean): Camera {
  const wide = Math.max(1, width - margin.left - margin.right) / (box.right - box.left || 1);
  const tall = Math.max(1, height - margin.top - margin.bottom) / (box.high - box.low || 1);
  const sx = even ? Math.min(wide, tall) : wide;
  const sy = even ? Math.min(wide, tall) : tall;
  return {
    x: (box.left + box.right) / 2 - (margin.left - margin.right) / 2 / sx,
    y: (box.low + box.high) / 2 - (margin.bottom - margin.top) / 2 / sy,
    sx,
    sy,
  };
}

/** Pixel of a point. */
export function pixel(camera: Camera, at: Point, width: number, height: number): Point {
  return { x: (at.x - camera.x) * camera.sx + width / 2, y: height / 2 - (at.y - camera.y) * camera.sy };
}

/** Point under a pixel. */
export function point(camera: Camera, at: Point, width: number, height: number): Point {
  return { x: (at.x - width / 2) / camera.sx + camera.x, y: (height / 2 - at.y) / camera.sy + camera.y };
}

/** Zoom by a factor so that the point under a pixel stays there. */
export function zoomed(camera: Camera, by: number, at: Point, width: number, height: number): Camera {
  const fixed = point(camera, at, width, height);
  return {
    x: fixed.x + (camera.x - fixed.x) / by,
    y: fixed.y + (camera.y - fixed.y) / by,
    sx: camera.sx * by,
    sy: camera.sy * by,
  };
}

/** Move by pixels: what was under the pointer follows it. */
export function panned(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.sx, y: camera.y + dy / camera.sy };
}
