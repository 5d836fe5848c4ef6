/** How long a frame, a lasso and a colouring take: `npx vitest bench`. */

import { bench, describe } from "vitest";

import { colouring } from "../src/colouring";
import { inside } from "../src/lasso";
import { density, grid } from "../src/render/cells";
import { nearest } from "../src/render/nearest";
import { order } from "../src/render/order";
import { placed, points } from "../src/render/raster";

const WIDTH = 1100;
const HEIGHT = 780;
const pixels = new Uint32Array(WIDTH * HEIGHT);
const raster = { width: WIDTH, height: HEIGHT, ratio: 1, pixels };
const camera = { x: 0.5, y: 0.5, sx: 1000, sy: 700 };
const palette = { colours: new Uint8Array(1024).map((_, k) => (k % 4 === 3 ? 255 : k % 251)), shapes: new Uint8Array(256).map((_, k) => k % 8) };

for (const rows of [100_000, 1_000_000]) {
  const x = Float32Array.from({ length: rows }, Math.random);
  const y = Float32Array.from({ length: rows }, Math.random);
  const size = Float32Array.from({ length: rows }, () => 2 + 3 * Math.random());
  const codes = Uint8Array.from({ length: rows }, (_, row) => row % 6);
  const flags = new Uint8Array(rows).fill(1);
  const scene = { ax: x, ay: y, bx: x, by: y, colour: codes, size, flags, order: order(codes, true) };
  const [u, v] = [new Float32Array(rows), new Float32Array(rows)];
  const frame = { a: camera, b: camera, mix: 1, size: 2, density: false, cell: 2, dim: false, dark: false };
  const polygon = Array.from({ length: 80 }, (_, k) => ({ x: 0.5 + 0.4 * Math.cos(k / 12.7), y: 0.5 + 0.4 * Math.sin(k / 12.7) }));
  const cells = grid(raster, 2);
  const info = { name: "c", kind: "category", categories: ["a", "b", "c", "d", "e", "f"], direction: "" } as never;
  describe(`${rows.toLocaleString("en")} rows`, () => {
    bench("points", () => {
      placed(scene, frame, raster, u, v);
      points(raster, scene, palette, frame, u, v);
    });
    bench("points on their way", () => {
      placed(scene, { ...frame, mix: 0.5 }, raster, u, v);
      points(raster, scene, palette, frame, u, v);
    });
    bench("density", () => {
      placed(scene, frame, raster, u, v);
      density(raster, cells, scene, palette, frame, u, v);
    });
    bench("lasso of 80 corners", () => {
      inside(polygon, x, y, flags);
    });
    bench("the row under the pointer", () => {
      nearest(scene, palette, { at: { x: 0.5, y: 0.5 }, camera, size: 2, reach: 9 });
    });
    bench("the order to draw in", () => {
      order(codes, true);
    });
    bench("colours of a category", () => {
      colouring(info, codes);
    });
  });
}
