/** What lies over the points, as SVG: axes, the lasso, rings, arrows to a second run, names of clusters. */

import { computed } from "@preact/signals";

import type { Point } from "./lasso";
import { here, info, place, there } from "./plane";
import { type Camera, pixel, point } from "./render/camera";
import { pinned, points, primary, selection, shown } from "./state";
import { missing, number } from "./wire";

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Seen {
  readonly size: Size;
  readonly camera: Camera | null;
  readonly path: readonly Point[];
  readonly box: boolean;
}

/** Arrows beyond this number hide each other. */
const ARROWS = 400;
/** A cluster is named from this many visible rows on. */
const LEAST = 5;

export function Overlay({ size, camera, path, box }: Seen) {
  if (!camera || !size.width) return null;
  const line = path.map((at, k) => `${k ? "L" : "M"}${at.x} ${at.y}`).join("");
  return (
    <svg viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
      {place.value?.name === "map" && <Axes size={size} camera={camera} />}
      {there.value && <Arrows size={size} camera={camera} />}
      {place.value?.name !== "map" && <Names size={size} camera={camera} />}
      <Ring row={pinned.value} kind="pin" size={size} camera={camera} />
      <Ring row={primary.value} kind="ring" size={size} camera={camera} />
      {line && <path class="lasso" d={`${line}${box || path.length > 2 ? "Z" : ""}`} />}
    </svg>
  );
}

interface Placed {
  readonly size: Size;
  readonly camera: Camera;
}

function at(row: number, { size, camera }: Placed, of = here.value): Point | null {
  if (!of || Number.isNaN(of.x[row]!) || of.x[row] === undefined) return null;
  return pixel(camera, { x: of.x[row], y: of.y[row]! }, size.width, size.height);
}

function Ring({ row, kind, ...placed }: Placed & { readonly row: number | null; readonly kind: string }) {
  const where = row === null ? null : at(row, placed);
  return where && <circle class={kind} cx={where.x} cy={where.y} r={8} />;
}

/** Round numbers between two ends, about `count` of them.
 *
 * ticks(0, 1, 5) is [0, 0.2, 0.4, 0.6, 0.8, 1] */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].find((one) => one * power >= rough)! * power;
  const first = Math.ceil(low / unit - 1e-9);
  const last = Math.floor(high / unit + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => Number(((first + k) * unit).toPrecision(12)));
}

function Axes({ size, camera }: Placed) {
  const { width, height } = size;
  const from = point(camera, { x: 0, y: height }, width, height);
  const to = point(camera, { x: width, y: 0 }, width, height);
  const level = (value: number): number => pixel(camera, { x: 0, y: value }, width, height).y;
  const along = (value: number): number => pixel(camera, { x: value, y: 0 }, width, height).x;
  return (
    <g>
      {ticks(from.y, to.y, 5).map((value) => (
        <text key={`y${value}`} class="axis" x={6} y={level(value) + 4}>
          {number(value)}
        </text>
      ))}
      {ticks(from.x, to.x, 6).map((value) => (
        <text key={`x${value}`} class="axis" x={along(value)} y={height - 6} text-anchor="middle">
          {number(value)}
        </text>
      ))}
      <text class="axis" x={6} y={14}>
        {place.value?.y} ↑
      </text>
      <text class="axis" x={width - 6} y={height - 20} text-anchor="end">
        {place.value?.x} →
      </text>
    </g>
  );
}

/** From where a row lies in the first run to where it lies in the second: of the selected rows, or of those that moved most. */
const movers = computed<readonly number[]>(() => {
  const from = here.value;
  const to = there.value;
  if (!from || !to) return [];
  const rows = selection.value.rows.length ? [...selection.value.rows] : [...shown.value.keys()];
  const far = (row: number): number => Math.hypot(to.x[row]! - from.x[row]!, to.y[row]! - from.y[row]!);
  return rows
    .filter((row) => shown.value[row]! & 1 && far(row) > 0)
    .sort((a, b) => far(b) - far(a))
    .slice(0, ARROWS);
});

function Arrows(placed: Placed) {
  return (
    <g>
      <marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" markerHeight="5" orient="auto">
        <path d="M0 0L6 3L0 6z" fill="currentColor" />
      </marker>
      {movers.value.map((row) => {
        const from = at(row, placed);
        const to = at(row, placed, there.value);
        return from && to && <line key={row} class="arrow" x1={from.x} y1={from.y} x2={to.x} y2={to.y} marker-end="url(#head)" />;
      })}
    </g>
  );
}

interface Named {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Middle of each cluster's visible rows, in coordinates of the layout. */
const clusters = computed<readonly Named[]>(() => {
  const now = points.value;
  const where = here.value;
  const codes = now?.values.get("cluster_name");
  const named = info("cluster_name")?.categories ?? [];
  if (!where || !codes) return [];
  const sums = named.map(() => ({ x: 0, y: 0, n: 0 }));
  const none = missing(codes);
  for (let row = 0; row < codes.length; row++) {
    if (codes[row] === none || !(shown.value[row]! & 1) || Number.isNaN(where.x[row]!)) continue;
    const sum = sums[codes[row]!]!;
    sum.x += where.x[row]!;
    sum.y += where.y[row]!;
    sum.n++;
  }
  return sums.flatMap(({ x, y, n }, k) => (n >= LEAST ? [{ name: named[k]!, x: x / n, y: y / n }] : []));
});

function Names({ size, camera }: Placed) {
  return (
    <g>
      {clusters.value.map((one) => {
        const where = pixel(camera, one, size.width, size.height);
        return (
          <text key={one.name} class="cluster" x={where.x} y={where.y}>
            {one.name}
          </text>
        );
      })}
    </g>
  );
}
