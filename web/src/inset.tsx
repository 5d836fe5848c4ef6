/** A magnifier for the corner of the data map where points pile up: how many lie where in it. A click goes there. */

import { computed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { frame } from "./drawing";
import { dark } from "./ground";
import { camera, colours, extent, here, home, isDataMap, palette, type Places, scene } from "./plane";
import { type Bounds, type Camera, fitted, pixel } from "./render/camera";
import { CpuRenderer } from "./render/cpu";
import { selection, shown } from "./state";

const SIDE = 132; // CSS pixels
/** The corner is this share of the map in both directions, and worth magnifying with this share of the points. */
const PART = 1 / 16;
const CROWDED = 0.25;
const CELL = 3; // CSS pixels
const LEAST = 300; // rows below which a pile can be seen through
const BARE = { left: 3, right: 3, top: 3, bottom: 3 };

export interface Pile {
  readonly box: Bounds;
  /** Visible rows in it, and in all. */
  readonly rows: number;
  readonly of: number;
}

/** The corner of the data map (sure and right, or sure and wrong) in which more than a quarter of the visible points lie. */
export function pile({ x, y }: Places, bits: Uint8Array): Pile | null {
  let top = 0;
  let foot = 0;
  let of = 0;
  for (let row = 0; row < x.length; row++) {
    if (!(bits[row]! & 1) || Number.isNaN(x[row]!)) continue;
    of++;
    if (x[row]! > 0.5 * PART) continue;
    if (y[row]! >= 1 - PART) top++;
    else if (y[row]! <= PART) foot++;
  }
  const rows = Math.max(top, foot);
  if (of < LEAST || rows < CROWDED * of) return null;
  const low = top >= foot ? 1 - PART : 0;
  return { box: { left: 0, right: 0.5 * PART, low, high: low + PART }, rows, of };
}

const corner = computed(() => (isDataMap.value && here.value ? pile(here.value, shown.value) : null));

export function Inset() {
  const found = corner.value;
  if (!found || !camera.value || extent.value.width < 3 * SIDE) return null;
  if ((found.box.right - found.box.left) * camera.value.sx > SIDE) return null; // the map shows it as large
  return (
    <>
      <Frame box={found.box} camera={camera.value} />
      <Magnified {...found} />
    </>
  );
}

function Magnified({ box, rows, of }: Pile) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const places = here.value;
  useEffect(
    () => (canvas.current && places ? drawn(canvas.current, box, places) : undefined),
    [box, places, colours.value, shown.value, selection.value, dark.value],
  );
  const said = `${rows.toLocaleString("en")} of ${of.toLocaleString("en")} examples lie in this corner`;
  return (
    <button type="button" class="inset" title={`${said}: show it`} onClick={() => home(box)}>
      <canvas ref={canvas} aria-hidden="true" />
      <span>{said}</span>
    </button>
  );
}

function drawn(canvas: HTMLCanvasElement, box: Bounds, places: Places): () => void {
  const renderer = new CpuRenderer(canvas);
  renderer.fit(SIDE, SIDE);
  renderer.scene(scene(places, places), palette());
  renderer.draw({ ...frame(fitted(box, SIDE, SIDE, BARE, false)), density: true, cell: CELL });
  return () => renderer.dispose();
}

/** Marks on the map what the inset shows. */
function Frame({ box, camera }: { readonly box: Bounds; readonly camera: Camera }) {
  const { width, height } = extent.value;
  const from = pixel(camera, { x: box.left, y: box.high }, width, height);
  const to = pixel(camera, { x: box.right, y: box.low }, width, height);
  return (
    <svg class="overlay" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <rect class="corner" x={from.x} y={from.y} width={Math.max(0, to.x - from.x)} height={Math.max(0, to.y - from.y)} />
    </svg>
  );
}
