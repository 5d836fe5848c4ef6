/** Draws on a 2-D canvas with the rasteriser: no GPU, the same pixels on every machine. */

import { type Cells, density, grid, inDevice } from "./cells";
import { placed, points, type Raster } from "./raster";
import type { Frame, Palette, Renderer, Scene } from "./renderer";

const EMPTY = new Float32Array(0);

export class CpuRenderer implements Renderer {
  readonly name = "cpu";
  private readonly context: CanvasRenderingContext2D;
  private image: ImageData | null = null;
  private raster: Raster = { width: 0, height: 0, ratio: 1, pixels: new Uint32Array(0) };
  private cells: Cells | null = null;
  private now: Scene | null = null;
  private palette: Palette | null = null;
  private x = EMPTY;
  private y = EMPTY;

  /** `ratio`: device pixels per CSS pixel, that of the screen unless given. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly ratio: number | null = null,
  ) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser has no 2-D canvas");
    this.context = context;
  }

  scene(scene: Scene, palette: Palette): void {
    if (this.x.length !== scene.flags.length) {
      this.x = new Float32Array(scene.flags.length);
      this.y = new Float32Array(scene.flags.length);
    }
    this.now = scene;
    this.palette = palette;
  }

  fit(width: number, height: number): void {
    const ratio = this.ratio ?? Math.min(2, globalThis.devicePixelRatio || 1);
    const wide = Math.max(1, Math.round(width * ratio));
    const tall = Math.max(1, Math.round(height * ratio));
    this.canvas.width = wide;
    this.canvas.height = tall;
    this.image = this.context.createImageData(wide, tall);
    this.raster = { width: wide, height: tall, ratio, pixels: new Uint32Array(this.image.data.buffer) };
    this.cells = null;
  }

  draw(frame: Frame): void {
    if (!this.now || !this.palette || !this.image) return;
    placed(this.now, frame, this.raster, this.x, this.y);
    if (frame.density) density(this.raster, this.counting(frame), this.now, this.palette, frame, this.x, this.y);
    else points(this.raster, this.now, this.palette, frame, this.x, this.y);
    this.context.putImageData(this.image, 0, 0);
  }

  private counting({ cell }: Frame): Cells {
    const side = inDevice(cell, this.raster.ratio);
    if (this.cells?.side !== side) this.cells = grid(this.raster, side);
    return this.cells;
  }

  dispose(): void {
    this.now = null;
    this.image = null;
    this.cells = null;
  }
}
