/** Which part of a layout the map shows: all of it, or where the reader, or an address, went. */

import { computed, effect, signal, untracked } from "@preact/signals";

import type { Part } from "./part";
import { camera, extent, hasAxes, overEpochs, place, type Size, there, whole } from "./plane";
import { lying } from "./reference";
import { type Bounds, type Camera, fitted, type Margin } from "./render/camera";
import { points } from "./state";

const BESIDE_AXES: Margin = { left: 72, right: 18, top: 18, bottom: 50 };
const PLAIN: Margin = { left: 32, right: 32, top: 32, bottom: 32 };

/** The camera that `home` set last: while it is the one in use, the reader has not moved the map. */
let homed: Camera | null = null;

/** The camera that shows bounds whole; null before there is a canvas. */
function showing(box: Bounds): Camera | null {
  const { width, height } = extent.value;
  return width ? fitted(box, width, height, hasAxes.value ? BESIDE_AXES : PLAIN, !hasAxes.value) : null;
}

/** Show all of the layout. */
export function home(): void {
  const all = showing(whole());
  if (all) camera.value = homed = all;
}

/** Show these bounds of the layout. */
export function lookAt(box: Bounds): void {
  camera.value = showing(box);
}

/** Names the layout in use, of the open run. */
const layoutOf = (): string => `${points.value?.run.id} ${place.value?.name}`;

/** What to show as soon as its layout is there: an address said so. */
export const asked = signal<{ readonly of: string; readonly part: Part } | null>(null);

/** What the canvas shows since the reader moved the map, or what was asked for; null: the layout whole. */
export const looked = computed<Part | null>(() => {
  const now = camera.value;
  if (asked.value) return asked.value.of === layoutOf() ? asked.value.part : null;
  if (!now || now === homed) return null;
  const { width, height } = extent.value;
  return { x: now.x, y: now.y, wide: width / now.sx, tall: hasAxes.value ? height / now.sy : null };
});

/** The camera that shows a part from edge to edge. */
function through({ x, y, wide, tall }: Part): Camera {
  const { width, height } = extent.value;
  return { x, y, sx: width / wide, sy: tall === null ? width / wide : height / tall };
}

let arrivedAt = "";

/** A layout is there: show what was asked for, else all of it when it is another layout, or of another run. Epochs share a camera. */
export function arrive(): void {
  const here = layoutOf();
  const wanted = asked.value;
  if (wanted?.of === here) camera.value = through(wanted.part);
  else if (here !== arrivedAt || !camera.value) home();
  arrivedAt = here;
  asked.value = null;
}

/** Show a part of the layout, from edge to edge; all of it where that is none of it. */
export function revisit(part: Part | null): void {
  const isOne = part !== null && hasAxes.value === (part.tall !== null);
  asked.value = isOne ? { of: layoutOf(), part } : null;
  if (!isOne && camera.value !== homed) home();
}

/** The canvas has another size: what was shown whole is shown whole again. */
export function resize(size: Size): void {
  const isHome = camera.value !== null && camera.value === homed;
  extent.value = size;
  if (isHome) home();
}

/** The reference, the epochs or a second run have come: what was shown whole is shown whole again. */
effect(() => {
  void [lying.value, overEpochs.value, there.value];
  untracked(() => camera.value && camera.value === homed && home());
});
