/** What lies over the points, as SVG: axes, names, arrows to a second run, rings, the lasso. */

import { Arrows } from "./arrows";
import { Axes } from "./axes";
import { Landmarks } from "./landmarks";
import { camera, extent, here, hasAxes, place, type Size, there, tool } from "./plane";
import { drawn } from "./pointing";
import { type Camera, pixel } from "./render/camera";
import { pinned, primary } from "./state";

/** Through which a view of the plane is drawn. */
export interface Seen {
  readonly size: Size;
  readonly camera: Camera;
}

export function Overlay() {
  const size = extent.value;
  if (!camera.value || !size.width || !place.value) return null;
  const seen = { size, camera: camera.value };
  return (
    <svg class="overlay" viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
      {hasAxes.value ? <Axes {...seen} /> : <Landmarks {...seen} />}
      {there.value && <Arrows {...seen} />}
      <Ring row={pinned.value} kind="pin" {...seen} />
      <Ring row={primary.value} kind="ring" {...seen} />
      <Lasso />
    </svg>
  );
}

function Ring({ row, kind, size, camera }: Seen & { readonly row: number | null; readonly kind: string }) {
  const x = row === null ? Number.NaN : (here.value?.x[row] ?? Number.NaN);
  if (row === null || Number.isNaN(x)) return null;
  const at = pixel(camera, { x, y: here.value!.y[row]! }, size.width, size.height);
  return (
    <g class={kind}>
      <circle cx={at.x} cy={at.y} r={9} />
      <circle cx={at.x} cy={at.y} r={9} />
    </g>
  );
}

function Lasso() {
  const path = drawn.value;
  if (path.length < 2) return null;
  const line = path.map(({ x, y }, k) => `${k ? "L" : "M"}${x} ${y}`).join("");
  return <path class="lasso" d={`${line}${tool.value === "box" || path.length > 2 ? "Z" : ""}`} />;
}
