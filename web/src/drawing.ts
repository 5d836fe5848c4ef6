/** Draws the map on a canvas: when something it shows has changed, on the next frame, once; while points travel, every frame. */

import { effect } from "@preact/signals";

import { dark } from "./ground";
import { arrive, asked } from "./looking";
import { camera, cell, chosen, colours, crowded, extent, here, palette, place, type Places, scene, usual } from "./plane";
import type { Camera } from "./render/camera";
import { renderer } from "./render/choose";
import type { Frame, Renderer } from "./render/renderer";
import { run } from "./state";

const TRAVEL = 650; // milliseconds that points take to their new positions
/** Coordinates that are pixels from the middle of the canvas. */
const PIXELS: Camera = { x: 0, y: 0, sx: 1, sy: 1 };

interface Journey {
  readonly from: Places;
  readonly camera: Camera;
  readonly began: number;
}

/** Fast at first, slow at the end. */
const eased = (share: number): number => share * share * (3 - 2 * share);
const still = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Drawing {
  private readonly renderer: Renderer;
  private readonly stop: () => void;
  private waiting = 0;
  private to: Places | null = null;
  /** Run whose positions are drawn. */
  private of: string | undefined;
  private seen: Camera | null = null;
  private journey: Journey | null = null;

  /** `lost` is called when the canvas can be drawn on no more. */
  constructor(canvas: HTMLCanvasElement, name: Renderer["name"], lost: () => void) {
    this.renderer = renderer(canvas, name, lost);
    this.stop = effect(() => {
      const { width, height } = extent.value;
      if (width) this.renderer.fit(width, height);
      this.ask();
    });
    const follow = effect(() => this.follow());
    const halt = this.stop;
    this.stop = () => (halt(), follow());
  }

  dispose(): void {
    this.stop();
    cancelAnimationFrame(this.waiting);
    this.renderer.dispose();
  }

  /** Read all that the picture depends on, so that a change of it draws again. */
  private follow(): void {
    const to = here.value;
    const of = run.value?.id;
    if (!to && (!place.value || of !== this.of)) this.leave();
    this.of = of;
    if (to && extent.value.width) this.reach(to);
    this.seen = camera.value;
    if (to) scene(to, to);
    void [colours.value, crowded.value, chosen.value, dark.value, usual.value, cell.value];
    this.ask();
  }

  /** Draw nothing: those positions say nothing of the run that is open now. */
  private leave(): void {
    this.to = null;
    this.journey = null;
  }

  private reach(to: Places): void {
    const isNew = to.x !== this.to?.x || to.y !== this.to.y;
    if (isNew) this.travel(to);
    if (isNew || asked.value) arrive();
  }

  private travel(to: Places): void {
    const before = this.to;
    const goes = before?.x.length === to.x.length && this.seen && !still();
    this.journey = goes ? this.departure(before) : null;
    this.to = to;
  }

  /** Where points set off from: on the way between two places, from where they are. */
  private departure(before: Places): Journey {
    const began = performance.now();
    const seen = this.seen!;
    const now = this.journey;
    if (!now) return { from: before, camera: seen, began };
    const mix = eased(Math.min(1, (began - now.began) / TRAVEL));
    return { from: between(now.from, now.camera, before, seen, mix), camera: PIXELS, began };
  }

  private readonly ask = (): void => {
    this.waiting ||= requestAnimationFrame(this.frame);
  };

  private readonly frame = (now: number): void => {
    this.waiting = 0;
    const { journey, to } = this;
    const target = camera.peek();
    if (!target || !extent.peek().width) return;
    const nowhere = { x: new Float32Array(0), y: new Float32Array(0) };
    const mix = journey ? Math.max(0, Math.min(1, (now - journey.began) / TRAVEL)) : 1;
    if (mix >= 1) this.journey = null;
    this.renderer.scene(to ? scene(journey?.from ?? to, to) : { ...scene(nowhere, nowhere), flags: new Uint8Array(0), order: null }, palette());
    this.renderer.draw({ ...frame(target), a: journey?.camera ?? target, mix: eased(mix) });
    if (mix < 1) this.ask();
  };
}

/** What the map looks like at rest. */
export function frame(at: Camera): Frame {
  return { a: at, b: at, mix: 1, size: usual.peek(), density: crowded.peek(), cell: cell.peek(), dim: chosen.peek(), dark: dark.peek() };
}

function between(from: Places, a: Camera, to: Places, b: Camera, mix: number): Places {
  const meet = (p: Float32Array, q: Float32Array, ca: number, cb: number, sa: number, sb: number): Float32Array =>
    p.map((value, row) => (value - ca) * sa * (1 - mix) + (q[row]! - cb) * sb * mix);
  return { x: meet(from.x, to.x, a.x, b.x, a.sx, b.sx), y: meet(from.y, to.y, a.y, b.y, a.sy, b.sy) };
}
