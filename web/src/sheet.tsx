/** The canvas and what lies over it: axes, lasso, rings, arrows, names of clusters, the tip under the pointer. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { api, colour, layout, points, primary, run, select, selection, shown, step } from "./state";
import { bounds, type Camera, fitted, panned, point, zoomed } from "./render/camera";
import { renderer } from "./render/choose";
import { nearest } from "./render/nearest";
import type { Frame, Renderer } from "./render/renderer";
import { inside, type Point } from "./lasso";
import { Overlay, type Size } from "./overlay";
import { colours, crowded, dimmed, here, place, scene, usual } from "./plane";

export type Tool = "move" | "lasso" | "box";

const MARGIN = 36;
const REACH = 9; // pixels from the pointer within which a point is meant
const MORPH = 650; // milliseconds
const CLICK = 4; // pixels that a pointer may move in a click

interface Drag {
  readonly at: Point;
  readonly path: Point[];
  readonly moves: boolean;
  readonly adds: boolean;
}

/** The part of the page's state that belongs to the canvas. */
class Drawing {
  renderer: Renderer | null = null;
  size: Size = { width: 0, height: 0 };
  from: { x: Float32Array; y: Float32Array } | null = null;
  to: { x: Float32Array; y: Float32Array } | null = null;
  began = 0;
  waiting = 0;
  cameras: { a: Camera; b: Camera } | null = null;

  constructor(readonly camera: Signal<Camera | null>) {}

  /** Draw on the next frame, once. */
  readonly ask = (): void => {
    this.waiting ||= requestAnimationFrame(this.frame);
  };

  private readonly frame = (now: number): void => {
    this.waiting = 0;
    const camera = this.camera.value;
    const what = this.to && scene(this.from ?? this.to, this.to);
    if (!this.renderer || !camera || !what || !this.size.width) return;
    const mix = this.from ? Math.min(1, (now - this.began) / MORPH) : 1;
    const palette = colours.value?.palette ?? PLAIN;
    this.renderer.scene(what, palette);
    this.renderer.draw({ ...this.view(camera), mix: eased(mix) });
    if (mix >= 1) this.from = null;
    else this.ask();
  };

  private view(camera: Camera): Frame {
    const a = this.from ? (this.cameras?.a ?? camera) : camera;
    return { a, b: camera, mix: 1, size: usual.value, density: crowded.value, dim: dimmed.value };
  }
}

const PLAIN = { colours: new Uint8Array(1024).fill(128), shapes: new Uint8Array(256) };
const eased = (share: number): number => share * share * (3 - 2 * share);
const still = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function Sheet({ tool }: { readonly tool: Signal<Tool> }) {
  const sheet = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal<Size>({ width: 0, height: 0 });
  const camera = useSignal<Camera | null>(null);
  const drag = useSignal<readonly Point[]>([]);
  const over = useSignal<{ readonly row: number; readonly at: Point } | null>(null);
  const drawing = useRef<Drawing | null>(null);
  drawing.current ??= new Drawing(camera);
  useCanvas(drawing.current, sheet, canvas, size);
  usePositions(drawing.current, size, camera);
  const pointer = usePointer(drawing.current, { tool, size, camera, drag, over });
  const label = `${place.value?.title ?? "Map"} of ${points.value?.rows ?? 0} examples, coloured by ${colour.value}`;
  return (
    <div class="sheet" ref={sheet}>
      <canvas ref={canvas} tabIndex={0} role="img" aria-label={label} {...pointer} />
      <Overlay size={size.value} camera={camera.value} path={drag.value} box={tool.value === "box"} />
      {over.value && <Tip row={over.value.row} at={over.value.at} size={size.value} />}
    </div>
  );
}

type Ref<T> = { readonly current: T | null };

function useCanvas(drawing: Drawing, sheet: Ref<HTMLDivElement>, canvas: Ref<HTMLCanvasElement>, size: Signal<Size>): void {
  useEffect(() => {
    drawing.renderer = renderer(canvas.current!, new URLSearchParams(location.search).get("renderer"));
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      drawing.size = size.value = { width, height };
      drawing.renderer?.fit(width, height);
      drawing.ask();
    });
    watch.observe(sheet.current!);
    return () => {
      watch.disconnect();
      drawing.renderer?.dispose();
      drawing.renderer = null;
    };
  }, []);
}

/** A new layout, epoch or run: fit the camera to it, and let the points travel there. */
function usePositions(drawing: Drawing, size: Signal<Size>, camera: Signal<Camera | null>): void {
  const { width, height } = size.value;
  const ready = width > 0;
  const key = `${run.value?.id} ${place.value?.name}`;
  const last = useRef("");
  useEffect(() => {
    const to = here.value;
    if (!to || !ready) return;
    const moved = last.current !== key;
    const travels = drawing.to && drawing.to.x.length === to.x.length && !still();
    drawing.from = travels ? drawing.to : null;
    drawing.cameras = camera.value ? { a: camera.value, b: camera.value } : null;
    drawing.began = performance.now();
    drawing.to = to;
    if (moved || !camera.value) camera.value = home(to, width, height);
    last.current = key;
    drawing.ask();
  }, [here.value, ready]);
  useEffect(drawing.ask);
  const draws = [colours.value, shown.value, selection.value, primary.value, crowded.value, camera.value, scene];
  useEffect(drawing.ask, draws);
}

function home(to: { x: Float32Array; y: Float32Array }, width: number, height: number): Camera {
  const isMap = place.value?.name === "map";
  const box = isMap ? { left: 0, right: Math.max(0.5, bounds(to.x, to.y).right), low: 0, high: 1 } : bounds(to.x, to.y);
  return fitted(box, width, height, MARGIN, !isMap);
}

interface Pointing {
  readonly tool: Signal<Tool>;
  readonly size: Signal<Size>;
  readonly camera: Signal<Camera | null>;
  readonly drag: Signal<readonly Point[]>;
  readonly over: Signal<{ readonly row: number; readonly at: Point } | null>;
}

function usePointer(drawing: Drawing, { tool, size, camera, drag, over }: Pointing) {
  const held = useRef<Drag | null>(null);
  const at = (event: PointerEvent | WheelEvent): Point => ({ x: event.offsetX, y: event.offsetY });
  const pick = (pixel: Point): number => (drawing.to && camera.value ? picked(drawing.to, camera.value, pixel, size.value) : -1);

  return {
    onPointerDown: (event: PointerEvent) => {
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      over.value = null;
      const moves = tool.value === "move" || event.button === 1 || event.altKey;
      held.current = { at: at(event), path: [at(event)], moves, adds: event.shiftKey };
    },
    onPointerMove: (event: PointerEvent) => {
      const now = at(event);
      const drags = held.current;
      if (!drags) return hover(pick(now), now, over);
      const before = drags.path.at(-1)!;
      drags.path.push(now);
      if (drags.moves && camera.value) camera.value = panned(camera.value, now.x - before.x, now.y - before.y);
      else drag.value = tool.value === "box" ? rectangle(drags.at, now) : [...drags.path];
    },
    onPointerUp: (event: PointerEvent) => {
      const drags = held.current;
      held.current = null;
      drag.value = [];
      if (!drags || !camera.value) return;
      const far = Math.hypot(event.offsetX - drags.at.x, event.offsetY - drags.at.y);
      if (far < CLICK && drags.path.length < 8) return clicked(pick(at(event)), drags.adds);
      if (drags.moves) return;
      const path = tool.value === "box" ? rectangle(drags.at, at(event)) : drags.path;
      const { width, height } = size.value;
      enclosed(path.map((pixel) => point(camera.value!, pixel, width, height)), drags.adds);
    },
    onPointerLeave: () => (over.value = null),
    onDblClick: () => {
      if (drawing.to) camera.value = home(drawing.to, size.value.width, size.value.height);
    },
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      if (!camera.value) return;
      over.value = null;
      camera.value = zoomed(camera.value, Math.exp(-event.deltaY * 0.0015), at(event), size.value.width, size.value.height);
    },
    onKeyDown: (event: KeyboardEvent) => {
      const { width, height } = size.value;
      const middle = { x: width / 2, y: height / 2 };
      if (!camera.value) return;
      if (event.key === "+" || event.key === "=") camera.value = zoomed(camera.value, 1.3, middle, width, height);
      else if (event.key === "-") camera.value = zoomed(camera.value, 1 / 1.3, middle, width, height);
      else if (event.key === "0" && drawing.to) camera.value = home(drawing.to, width, height);
      else if (event.key === "ArrowRight" || event.key === "ArrowDown") step(1);
      else if (event.key === "ArrowLeft" || event.key === "ArrowUp") step(-1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}

function hover(row: number, at: Point, over: Pointing["over"]): void {
  if (row < 0) over.value = null;
  else if (over.value?.row !== row) over.value = { row, at };
}

function clicked(row: number, adds: boolean): void {
  if (row < 0) {
    if (!adds) select(new Uint32Array(0));
    return;
  }
  if (adds) select(Uint32Array.from(new Set([...selection.value.rows, row])).sort());
  primary.value = row;
}

/** Select what a polygon in coordinates of the layout encloses; with `adds`, beside what was selected. */
function enclosed(polygon: readonly Point[], adds: boolean): void {
  const now = here.value;
  if (!now) return;
  const rows = inside(polygon, now.x, now.y, shown.value);
  if (!adds) return select(rows, { by: "lasso", layout: layout.value, polygon });
  select(Uint32Array.from(new Set([...selection.value.rows, ...rows])).sort());
}

const rectangle = (a: Point, b: Point): Point[] => [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];

function picked(to: { x: Float32Array; y: Float32Array }, camera: Camera, pixel: Point, { width, height }: Size): number {
  return nearest(to.x, to.y, shown.value, point(camera, pixel, width, height), camera, REACH);
}

function Tip({ row, at, size }: { readonly row: number; readonly at: Point; readonly size: Size }) {
  const said = useSignal<readonly (readonly [string, string])[] | null>(null);
  const now = run.value;
  useEffect(() => {
    if (!now) return undefined;
    const stop = new AbortController();
    const clock = setTimeout(() => {
      api()
        .rows(now.id, [row], stop.signal)
        .then(({ rows }) => {
          said.value = now.fields.map((field) => [field, String(rows[0]?.values[field] ?? "")] as const);
        })
        .catch(() => undefined);
    }, 60);
    return () => {
      clearTimeout(clock);
      stop.abort();
    };
  }, [row, now?.id]);
  const entry = colours.value;
  const code = entry?.codes[row];
  const side = at.x > size.width / 2 ? { right: `${size.width - at.x + 12}px` } : { left: `${at.x + 12}px` };
  const level = at.y > size.height / 2 ? { bottom: `${size.height - at.y + 12}px` } : { top: `${at.y + 12}px` };
  return (
    <div class="tip" style={{ ...side, ...level }} role="presentation">
      {said.value?.map(([field, text]) => (
        <p key={field} dir="auto">
          {text}
        </p>
      ))}
      {entry && code !== undefined && <span class="muted">{`${entry.column}: ${entry.entries.find((one) => one.codes.includes(code))?.name ?? ""}`}</span>}
    </div>
  );
}
