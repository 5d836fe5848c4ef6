/** The way from a part of the map to all of it, where only a part is in sight. */

import { lookAt } from "./looking";
import { camera, DATA_MAP, extent, isDataMap, place, type Size, whole } from "./plane";
import type { Bounds, Camera } from "./render/camera";

export function Entire() {
  const now = camera.value;
  const size = extent.value;
  if (!now || !size.width || !place.value) return null;
  const all = isDataMap.value ? DATA_MAP : whole();
  if (holds(now, size, all)) return null;
  return (
    <button type="button" class="entire small" title="Show all of the map. The key 0, or a double click, goes to where its points are." onClick={() => lookAt(all)}>
      Whole map
    </button>
  );
}

/** Whether a canvas shows all of these bounds. */
export function holds({ x, y, sx, sy }: Camera, { width, height }: Size, { left, right, low, high }: Bounds): boolean {
  const [across, up] = [width / 2 / sx, height / 2 / sy];
  return x - across <= left && x + across >= right && y - up <= low && y + up >= high;
}
