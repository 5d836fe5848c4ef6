import { describe, expect, test } from "vitest";

import { density, grid } from "../src/render/cells";
import { over, packed, placed, points, type Raster } from "../src/render/raster";
import { dimmed, type Frame, type Palette, type Scene } from "../src/render/renderer";
import { covers, SHAPES, stamp } from "../src/render/shapes";

const RED = [255, 0, 0, 255];
const BLUE = [0, 0, 255, 255];

function palette(): Palette {
  const colours = new Uint8Array(1024);
  colours.set([...RED, ...BLUE]);
  return { colours, shapes: new Uint8Array(256) };
}

function raster(width = 20, height = 20, ratio = 1): Raster {
  return { width, height, ratio, pixels: new Uint32Array(width * height) };
}

const camera = { x: 0, y: 0, sx: 1, sy: 1 };
const frame: Frame = { a: camera, b: camera, mix: 1, size: 1, density: false, cell: 2, dim: false, dark: false };

function scene(rows: readonly { x: number; y: number; colour?: number; flag?: number; size?: number }[]): Scene {
  const x = Float32Array.from(rows, (row) => row.x);
  const y = Float32Array.from(rows, (row) => row.y);
  return {
    ax: x,
    ay: y,
    bx: x,
    by: y,
    colour: Uint8Array.from(rows, (row) => row.colour ?? 0),
    size: rows.some((row) => row.size) ? Float32Array.from(rows, (row) => row.size ?? 1) : null,
    flags: Uint8Array.from(rows, (row) => row.flag ?? 1),
    order: null,
  };
}

function drawn(what: Scene, how: Partial<Frame> = {}, on = raster()): Raster {
  const x = new Float32Array(what.flags.length);
  const y = new Float32Array(what.flags.length);
  const now = { ...frame, ...how };
  placed(what, now, on, x, y);
  if (now.density) density(on, grid(on, now.cell), what, palette(), now, x, y);
  else points(on, what, palette(), now, x, y);
  return on;
}

const rgba = ({ pixels, width }: Raster, x: number, y: number): number[] => {
  const value = pixels[y * width + x]!;
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
};

const inked = ({ pixels }: Raster): number => pixels.filter((value) => value >>> 24).length;

describe("points", () => {
  test("one of one pixel lies where the camera says, the vertical axis upwards", () => {
    const picture = drawn(scene([{ x: 3, y: 4 }]));
    expect(rgba(picture, 13, 6)).toEqual(RED);
    expect(inked(picture)).toBe(1);
  });

  test("a row that is hidden, without a place or outside draws nothing", () => {
    expect(inked(drawn(scene([{ x: 0, y: 0, flag: 0 }, { x: Number.NaN, y: 0 }, { x: 500, y: 0 }])))).toBe(0);
  });

  test("one at the edge is cut, not wrapped to the other side", () => {
    const picture = drawn(scene([{ x: 9.5, y: 0, size: 7 }]));
    expect(rgba(picture, 19, 10)[3]).toBe(255);
    for (let y = 0; y < 20; y++) expect(rgba(picture, 0, y)[3]).toBe(0);
  });

  test("half of the way lies in the middle of both places", () => {
    const what = scene([{ x: -4, y: 0 }]);
    const picture = drawn({ ...what, bx: Float32Array.of(4) }, { mix: 0.5 });
    expect(rgba(picture, 10, 10)).toEqual(RED);
  });

  test("outside of the selection only a share of the colour is left, and the selected row lies on top", () => {
    const picture = drawn(scene([{ x: 2, y: 0, flag: 3, colour: 1 }, { x: 2, y: 0 }, { x: -5, y: 0 }]), { dim: true });
    expect(rgba(picture, 12, 10)).toEqual(BLUE);
    expect(rgba(picture, 5, 10)).toEqual([255, 0, 0, Math.round(255 * dimmed(false))]);
  });

  test("device pixels: twice as large on a screen of twice the density", () => {
    const one = inked(drawn(scene([{ x: 0, y: 0, size: 6 }])));
    const two = inked(drawn(scene([{ x: 0, y: 0, size: 6 }]), {}, raster(40, 40, 2)));
    expect(two / one).toBeGreaterThan(3);
  });
});

describe("density", () => {
  test("a cell of many is more opaque than a cell of one, and neither fades away", () => {
    const many = Array.from({ length: 50 }, () => ({ x: 4, y: 4 }));
    const picture = drawn(scene([...many, { x: -4, y: -4 }]), { density: true });
    expect(rgba(picture, 14, 6)[3]).toBe(255);
    expect(rgba(picture, 6, 14)[3]).toBeGreaterThan(50);
    expect(rgba(picture, 6, 14)[3]).toBeLessThan(150);
  });

  test("the colour of a cell is the mean of its points: the class drawn last hides none", () => {
    const picture = drawn(scene([{ x: 0, y: 0 }, { x: 0, y: 0 }, { x: 0, y: 0 }, { x: 0, y: 0, colour: 1 }]), { density: true });
    expect(rgba(picture, 10, 10).slice(0, 3)).toEqual([191, 0, 63]);
  });

  test("what is not selected stays in sight, paler", () => {
    const picture = drawn(scene([{ x: 4, y: 4, flag: 3 }, { x: -4, y: -4 }]), { density: true, dim: true });
    expect(rgba(picture, 14, 6)[3]).toBe(255);
    expect(rgba(picture, 6, 14)[3]).toBeGreaterThan(0);
    expect(rgba(picture, 6, 14)[3]).toBeLessThan(80);
  });

  test("points in one cell are one square, as large as was asked for", () => {
    const picture = drawn(scene([{ x: 0, y: 0 }, { x: 3, y: -3 }]), { density: true, cell: 5 });
    expect(inked(picture)).toBe(25);
    expect(rgba(picture, 10, 10)).toEqual(RED);
    expect(inked(drawn(scene([{ x: 9, y: 0 }]), { density: true, cell: 6 }))).toBe(12); // the last column of cells is cut
  });

  test("a canvas of odd size is filled to its edges", () => {
    const picture = drawn(scene([{ x: 10, y: -10 }]), { density: true }, raster(21, 21));
    expect(rgba(picture, 20, 20)[3]).toBeGreaterThan(0);
  });
});

describe("colours", () => {
  test("over nothing the colour stays; over an opaque one it mixes", () => {
    const red = packed(Uint8Array.from({ length: 1024 }, (_, k) => RED[k % 4]!), 1)[0]!;
    expect(over(red, 128, 0)).toBe(((128 << 24) | 255) >>> 0);
    expect(over(red, 255, 0xff00ff00)).toBe(red);
    const half = over(red, 128, 0xffff0000);
    expect(half >>> 24).toBe(255);
    expect(half & 255).toBe(128);
    expect((half >>> 16) & 255).toBe(126);
  });
});

describe("shapes", () => {
  test("cover about as much as each other", () => {
    const areas = SHAPES.map((_, shape) => stamp(shape, 20).cover.reduce((sum, value) => sum + value, 0));
    expect(Math.max(...areas) / Math.min(...areas)).toBeLessThan(1.9);
  });

  test("all differ at five pixels", () => {
    const marks = SHAPES.map((_, shape) => JSON.stringify(Object.values(stamp(shape, 5)).map(String)));
    expect(new Set(marks).size).toBe(SHAPES.length);
  });

  test("the triangle points up", () => {
    expect(covers("triangle", 0.5, 0.7)).toBe(true);
    expect(covers("triangle", 0.5, -0.7)).toBe(false);
  });
});
