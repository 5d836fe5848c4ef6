/** What draws the points: one surface, two machines (WebGL2, and a rasteriser on the CPU). */

import type { Camera } from "./camera";

/** All points. Arrays have one entry per row; positions may be NaN (not drawn). */
export interface Scene {
  /** Layout a (mix 0) and layout b (mix 1). */
  readonly ax: Float32Array;
  readonly ay: Float32Array;
  readonly bx: Float32Array;
  readonly by: Float32Array;
  /** Index into the palette. */
  readonly colour: Uint8Array;
  /** Diameter in CSS pixels; null: all alike. */
  readonly size: Float32Array | null;
  /** Bit 0 visible, bit 1 selected. */
  readonly flags: Uint8Array;
  /** Rows from the lowest drawn to the topmost; null: as they come. Selected rows lie above the rest in any case. */
  readonly order: Uint32Array | null;
}

/** What a point of a colour index looks like. */
export interface Palette {
  /** 256 × RGBA, 0 to 255. */
  readonly colours: Uint8Array;
  /** 256 indices into `SHAPES`. */
  readonly shapes: Uint8Array;
}

export interface Frame {
  /** Cameras of the two layouts. */
  readonly a: Camera;
  readonly b: Camera;
  /** 0: layout a, 1: layout b. */
  readonly mix: number;
  /** Diameter in CSS pixels where the scene has no sizes. */
  readonly size: number;
  /** Draw how many, not which. */
  readonly density: boolean;
  /** Side of a cell in which the density counts, CSS pixels. */
  readonly cell: number;
  /** Something is selected: the rest is dimmed. */
  readonly dim: boolean;
  /** The ground is dark: faint marks need more opacity to be seen. */
  readonly dark: boolean;
}

export interface Renderer {
  readonly name: "gl" | "cpu";
  /** New points; arrays are kept and not changed. A later scene that shares arrays uploads only the others. */
  scene(scene: Scene, palette: Palette): void;
  /** The canvas has another size, in CSS pixels. */
  fit(width: number, height: number): void;
  draw(frame: Frame): void;
  dispose(): void;
}

/** Share of their colour that rows outside of the selection keep. */
export const dimmed = (dark: boolean): number => (dark ? 0.26 : 0.18);

/** Opacity of a cell with one point in the density mode; a full cell has 1. */
export const faintest = (dark: boolean): number => (dark ? 0.3 : 0.22);
