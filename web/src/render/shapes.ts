/** Shapes beside colours, so that no reader depends on colour alone. */

/** In the order in which categories get them. */
export const SHAPES = ["circle", "square", "triangle", "diamond", "plus", "cross", "ring", "bar"] as const;

export type Shape = (typeof SHAPES)[number];

/** Diameter of the largest stamp, device pixels. */
export const LARGEST = 63;

/** Whether a shape covers (u, v), both -1 to 1 within its diameter, v downwards. Areas are alike, so that none looks heavier. */
export function covers(shape: Shape, u: number, v: number): boolean {
  const x = Math.abs(u);
  const y = Math.abs(v);
  switch (shape) {
    case "circle":
      return u * u + v * v <= 0.92;
    case "square":
      return x <= 0.8 && y <= 0.8;
    case "triangle":
      return v <= 0.8 && v >= -0.95 && x <= (v + 0.95) * 0.57;
    case "diamond":
      return x + y <= 1.08;
    case "plus":
      return (x <= 0.32 && y <= 0.98) || (y <= 0.32 && x <= 0.98);
    case "cross":
      return Math.abs(x - y) <= 0.42 && x <= 0.86 && y <= 0.86;
    case "ring":
      return u * u + v * v <= 1 && u * u + v * v >= 0.3;
    case "bar":
      return x <= 0.98 && y <= 0.4;
  }
}

/** A shape as pixels: offsets from its middle and how much of each is covered, 0 to 255. */
export interface Stamp {
  readonly dx: Int16Array;
  readonly dy: Int16Array;
  readonly cover: Uint8Array;
  /** Pixels from the middle to the farthest one. */
  readonly reach: number;
}

const SAMPLES = 4;
const FAINT = 0.1; // less than this share of a pixel is not worth a write
const made: (Stamp | undefined)[] = new Array(SHAPES.length * (LARGEST + 1));

/** The stamp of a shape (index into `SHAPES`) of a diameter in device pixels, 1 to `LARGEST`, made once. */
export function stamp(shape: number, diameter: number): Stamp {
  return (made[shape * (LARGEST + 1) + diameter] ??= drawn(SHAPES[shape]!, diameter));
}

/** Pixels of a stamp in a raster of a width, as one offset each. */
export function offsets({ dx, dy }: Stamp, width: number): Int32Array {
  return Int32Array.from(dx, (x, k) => dy[k]! * width + x);
}

function drawn(shape: Shape, diameter: number): Stamp {
  const reach = diameter === 1 ? 0 : Math.ceil(diameter / 2);
  const dx: number[] = [];
  const dy: number[] = [];
  const cover: number[] = [];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const share = diameter === 1 ? 1 : coverage(shape, x, y, diameter / 2);
      if (share < FAINT) continue;
      dx.push(x);
      dy.push(y);
      cover.push(Math.round(share * 255));
    }
  }
  return { dx: Int16Array.from(dx), dy: Int16Array.from(dy), cover: Uint8Array.from(cover), reach };
}

function coverage(shape: Shape, x: number, y: number, radius: number): number {
  let inside = 0;
  for (let i = 0; i < SAMPLES; i++) {
    for (let j = 0; j < SAMPLES; j++) {
      const u = (x - 0.5 + (i + 0.5) / SAMPLES) / radius;
      const v = (y - 0.5 + (j + 0.5) / SAMPLES) / radius;
      if (Math.abs(u) <= 1 && Math.abs(v) <= 1 && covers(shape, u, v)) inside++;
    }
  }
  return inside / SAMPLES ** 2;
}
