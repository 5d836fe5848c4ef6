/** What the pointer and the keys do on the map. */

import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";

import type { Point } from "./lasso";
import { home } from "./looking";
import { camera, enclose, extent, here, palette, scene, tool, usual } from "./plane";
import { panned, point, zoomed } from "./render/camera";
import { nearest } from "./render/nearest";
import { primary, select, selection, step } from "./state";

/** The polygon that is being drawn, pixels. */
export const drawn = signal<readonly Point[]>([]);
/** The row under the pointer. */
export const hovered = signal<{ readonly row: number; readonly at: Point } | null>(null);

const REACH = 9; // pixels from the pointer within which a point is meant
const CLICK = 4; // pixels that a pointer may move in a click
const FINE = 3; // pixels between two corners of a lasso
const STEP = 48; // pixels that an arrow key moves the map

interface Drag {
  readonly at: Point;
  readonly path: Point[];
  readonly moves: boolean;
  readonly adds: boolean;
  far: boolean;
}

const pixelOf = (event: MouseEvent): Point => ({ x: event.offsetX, y: event.offsetY });
const apart = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
const rectangle = (a: Point, b: Point): Point[] => [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
const middle = (): Point => ({ x: extent.value.width / 2, y: extent.value.height / 2 });

function under(at: Point): number {
  const places = here.value;
  const view = camera.value;
  if (!places || !view) return -1;
  const aim = { at: point(view, at, extent.value.width, extent.value.height), camera: view, size: usual.value, reach: REACH };
  return nearest(scene(places, places), palette(), aim);
}

function zoom(by: number, at: Point): void {
  hovered.value = null;
  if (camera.value) camera.value = zoomed(camera.value, by, at, extent.value.width, extent.value.height);
}

function pan(dx: number, dy: number): void {
  if (camera.value) camera.value = panned(camera.value, dx, dy);
}

function hover(at: Point): void {
  const row = under(at);
  if (row < 0) hovered.value = null;
  else if (hovered.value?.row !== row) hovered.value = { row, at };
}

function click(row: number, adds: boolean): void {
  if (row < 0) {
    if (!adds) select(new Uint32Array(0));
    return;
  }
  primary.value = row;
  if (adds) select(toggled(selection.value.rows, row));
}

/** Rows with one more, or without it if it was there. */
function toggled(rows: Uint32Array, row: number): Uint32Array {
  return rows.includes(row) ? rows.filter((one) => one !== row) : Uint32Array.from([...rows, row]).sort();
}

function outline({ path, at }: Drag, now: Point): readonly Point[] {
  return tool.value === "box" ? rectangle(at, now) : [...path, now];
}

function closed(path: readonly Point[], adds: boolean): void {
  const { width, height } = extent.value;
  const view = camera.value;
  if (view) enclose(path.map((at) => point(view, at, width, height)), adds);
}

/** Handlers for the canvas. */
export function usePointing() {
  const held = useRef<Drag | null>(null);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button > 1) return;
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      hovered.value = null;
      const at = pixelOf(event);
      const moves = tool.value === "move" || event.button === 1 || event.altKey;
      held.current = { at, path: [at], moves, adds: event.shiftKey, far: false };
    },
    onPointerMove: (event: PointerEvent) => {
      const now = pixelOf(event);
      const drag = held.current;
      if (!drag) return hover(now);
      drag.far ||= apart(now, drag.at) >= CLICK;
      const last = drag.path.at(-1)!;
      if (drag.moves) {
        pan(now.x - last.x, now.y - last.y);
        drag.path.push(now);
      } else {
        if (apart(now, last) >= FINE) drag.path.push(now);
        if (drag.far) drawn.value = outline(drag, now);
      }
    },
    onPointerUp: (event: PointerEvent) => {
      const drag = held.current;
      held.current = null;
      drawn.value = [];
      if (!drag) return;
      if (!drag.far) click(under(pixelOf(event)), drag.adds);
      else if (!drag.moves) closed(outline(drag, pixelOf(event)), drag.adds);
    },
    onPointerCancel: () => {
      held.current = null;
      drawn.value = [];
    },
    onPointerLeave: () => (hovered.value = null),
    onDblClick: () => home(),
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), pixelOf(event));
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || !pressed(event)) return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};

/** Whether a key means something here: + - 0 zoom, arrows step through the listed rows, with Shift they move the map. */
function pressed({ key, shiftKey }: KeyboardEvent): boolean {
  const arrow = ARROWS[key];
  if (arrow && shiftKey) pan(-STEP * arrow[0], -STEP * arrow[1]);
  else if (arrow) step(arrow[0] + arrow[1] > 0 ? 1 : -1);
  else if (key === "+" || key === "=") zoom(1.3, middle());
  else if (key === "-") zoom(1 / 1.3, middle());
  else if (key === "0") home();
  else return false;
  return true;
}
