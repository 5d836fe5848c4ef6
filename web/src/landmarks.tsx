/** What helps to find one's way on a latent map: lines of equal density, and the names of clusters. */

import { computed } from "@preact/signals";

import { contours, field } from "./contours";
import { placedLabels } from "./labels";
import { measured } from "./measured";
import type { Seen } from "./overlay";
import { here, info, placed, type Places, whole } from "./plane";
import { reference } from "./reference";
import { type Bounds, type Camera, pixel } from "./render/camera";
import { points, shown } from "./state";
import { missing } from "./wire";

/** A cluster is named from this many visible rows on. */
const LEAST = 5;
const ENOUGH = 200; // visible rows below which lines of density say nothing

export function Landmarks(seen: Seen) {
  return (
    <g>
      {!reference.value && <Contours lines={lines.value} {...seen} />}
      <Names {...seen} />
    </g>
  );
}

type Lines = readonly (readonly number[])[];

const lines = computed<Lines>(() => (here.value ? dense(here.value, shown.value) : []));

/** Lines of equal density of the visible points, one list of segments per level; none around a few. */
export function dense({ x, y }: Places, bits: Uint8Array): Lines {
  return placed(x, bits) < ENOUGH ? [] : contours(field(x, y, bits, wider(whole())));
}

/** Room for the lowest line to close around the outermost points. */
function wider({ left, right, low, high }: Bounds): Bounds {
  const dx = (right - left) / 16;
  const dy = (high - low) / 16;
  return { left: left - dx, right: right + dx, low: low - dy, high: high + dy };
}

export function Contours({ lines: levels, size, camera }: Seen & { readonly lines: Lines }) {
  const across = (value: number): string => ((value - camera.x) * camera.sx + size.width / 2).toFixed(1);
  const down = (value: number): string => (size.height / 2 - (value - camera.y) * camera.sy).toFixed(1);
  return (
    <g class="contours">
      {levels.map((segments, level) => (
        <path key={level} d={drawnAs(segments, across, down)} />
      ))}
    </g>
  );
}

function drawnAs(segments: readonly number[], across: (x: number) => string, down: (y: number) => string): string {
  let path = "";
  for (let k = 0; k + 3 < segments.length; k += 4) {
    path += `M${across(segments[k]!)} ${down(segments[k + 1]!)}L${across(segments[k + 2]!)} ${down(segments[k + 3]!)}`;
  }
  return path;
}

interface Middle {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly weight: number;
}

/** Middle of each cluster's visible rows, in coordinates of the layout. */
const clusters = computed<readonly Middle[]>(() => {
  const places = here.value;
  const codes = points.value?.values.get("cluster_name");
  const names = info("cluster_name")?.categories ?? [];
  if (!places || !codes) return [];
  const sums = names.map(() => ({ x: 0, y: 0, n: 0 }));
  const none = missing(codes);
  const bits = shown.value;
  for (let row = 0; row < codes.length; row++) {
    const sum = codes[row] === none ? undefined : sums[codes[row]!];
    if (!sum || !(bits[row]! & 1) || Number.isNaN(places.x[row]!)) continue;
    sum.x += places.x[row]!;
    sum.y += places.y[row]!;
    sum.n++;
  }
  return sums.flatMap(({ x, y, n }, k) => (n >= LEAST ? [{ text: short(names[k]!), x: x / n, y: y / n, weight: n }] : []));
});

/** Without what follows in brackets, the value of a column that prevails. */
const short = (name: string): string => name.replace(/ \(.*$/, "");

function Names({ size, camera }: Seen) {
  const wanted = clusters.value.map((one) => ({ ...one, ...inPixels(one, size, camera) }));
  return (
    <g>
      {placedLabels(wanted, size, (text) => measured(text, FONT)).map(({ text, x, y }) => (
        <text key={`${text} ${x}`} class="cluster" x={x} y={y + 4}>
          {text}
        </text>
      ))}
    </g>
  );
}

const FONT = "600 11px"; // as the style sheet has it

const inPixels = (at: Middle, size: Seen["size"], camera: Camera) => pixel(camera, at, size.width, size.height);
