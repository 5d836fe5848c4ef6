/** What lies below the points: the reference of a production run, and lines of its density. */

import { computed } from "@preact/signals";

import { Contours, dense } from "./landmarks";
import type { Seen } from "./overlay";
import { camera, extent } from "./plane";
import { type Lying, reference } from "./reference";

const lines = computed(() => (reference.value ? dense(reference.value, new Uint8Array(reference.value.x.length).fill(1)) : []));

export function Underlay() {
  const size = extent.value;
  const found = reference.value;
  if (!found || !camera.value || !size.width) return null;
  const seen = { size, camera: camera.value };
  return (
    <svg class="underlay" viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
      <path class="reference" d={dots(found, seen)} />
      <Contours lines={lines.value} {...seen} />
    </svg>
  );
}

/** Each row as a stroke of no length, which a round cap makes a dot. */
function dots({ x, y }: Lying, { size, camera: { x: across, y: up, sx, sy } }: Seen): string {
  let path = "";
  for (let row = 0; row < x.length; row++) {
    const u = (x[row]! - across) * sx + size.width / 2;
    const v = size.height / 2 - (y[row]! - up) * sy;
    if (u > 0 && u < size.width && v > 0 && v < size.height) path += `M${u.toFixed(1)} ${v.toFixed(1)}h0`;
  }
  return path;
}
