/** The point under the pointer. */

import type { Point } from "../lasso";
import type { Camera } from "./camera";

/** The visible row nearest to a coordinate, within `reach` CSS pixels; -1: none. */
export function nearest(x: Float32Array, y: Float32Array, flags: Uint8Array, at: Point, camera: Camera, reach: number): number {
  let best = -1;
  let least = reach * reach;
  for (let row = 0; row < x.length; row++) {
    const dx = (x[row]! - at.x) * camera.sx;
    const dy = (y[row]! - at.y) * camera.sy;
    const far = dx * dx + dy * dy;
    if (far <= least && flags[row]! & 1) {
      least = far;
      best = row;
    }
  }
  return best;
}
