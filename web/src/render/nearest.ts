/** The point under the pointer. */

import type { Point } from "../lasso";
import type { Camera } from "./camera";
import type { Palette, Scene } from "./renderer";
import { covers, SHAPES } from "./shapes";

export interface Aim {
  /** In coordinates of layout b. */
  readonly at: Point;
  readonly camera: Camera;
  /** Diameter in CSS pixels where the scene has no sizes. */
  readonly size: number;
  /** CSS pixels from the pointer within which a point is meant. */
  readonly reach: number;
}

/** The row that is seen under the pointer: of the marks that cover it the one drawn last, else the nearest visible one; -1: none. */
export function nearest({ bx, by, colour, size, flags, order }: Scene, { shapes }: Pick<Palette, "shapes">, aim: Aim): number {
  const { at, camera } = aim;
  let covering = -1;
  let best = -1;
  let least = aim.reach * aim.reach;
  for (let k = bx.length - 1; k >= 0; k--) {
    const row = order ? order[k]! : k;
    const dx = (at.x - bx[row]!) * camera.sx;
    const dy = (by[row]! - at.y) * camera.sy;
    const far = dx * dx + dy * dy;
    if (!(far <= aim.reach * aim.reach) || !(flags[row]! & 1)) continue;
    const radius = (size ? size[row]! : aim.size) / 2;
    if (covers(SHAPES[shapes[colour[row]!]!]!, dx / radius, dy / radius)) {
      if (flags[row]! & 2) return row; // selected rows lie above all others
      if (covering < 0) covering = row;
    }
    if (far < least || best < 0) {
      least = far;
      best = row;
    }
  }
  return covering < 0 ? best : covering;
}
