/** A magnifier for the part of the data map where points pile up: how many lie where in it. A click goes there. */

import { computed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { frame } from "./drawing";
import { dark } from "./ground";
import { lookAt } from "./looking";
import { type Pile, pile } from "./pile";
import { camera, colours, extent, here, isDataMap, palette, type Places, scene } from "./plane";
import { type Bounds, type Camera, fitted, pixel } from "./render/camera";
import { CpuRenderer } from "./render/cpu";
import { selection, shown } from "./state";

const SIDE = 132; // CSS pixels
const CELL = 3; // CSS pixels
const ROOM = 60; // CSS pixels that its frame and its words take beside it
const BARE = { left: 3, right: 3, top: 3, bottom: 3 };

const piled = computed(() => (isDataMap.value && here.value ? pile(here.value, shown.value) : null));

export function Inset() {
  const found = piled.value;
  if (!found || !camera.value || extent.value.width < 3 * SIDE) return null;
  if ((found.box.right - found.box.left) * camera.value.sx > SIDE) return null; // the map shows it as large
  return (
    <>
      <Frame box={found.box} camera={camera.value} />
      <Magnified {...found} aside={below(found.box, camera.value)} />
    </>
  );
}

/** Whether a part lies where the magnifier usually is, at the top right. */
function below({ right, high }: Bounds, camera: Camera): boolean {
  const { width, height } = extent.value;
  const at = pixel(camera, { x: right, y: high }, width, height);
  return at.x > width - SIDE - ROOM && at.y < SIDE + ROOM;
}

function Magnified({ box, rows, of, aside }: Pile & { readonly aside: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const places = here.value;
  useEffect(
    () => (canvas.current && places ? drawn(canvas.current, box, places) : undefined),
    [box, places, colours.value, shown.value, selection.value, dark.value],
  );
  const said = `${rows.toLocaleString("en")} of ${of.toLocaleString("en")} examples lie in this part`;
  return (
    <button type="button" class={aside ? "inset aside" : "inset"} title={`${said}: show it`} onClick={() => lookAt(box)}>
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
      <rect class="magnified" x={from.x} y={from.y} width={Math.max(0, to.x - from.x)} height={Math.max(0, to.y - from.y)} />
    </svg>
  );
}
