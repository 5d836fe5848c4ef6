/** The canvas and what lies over it: axes, lasso, rings, arrows, names of clusters, the tip under the pointer. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { Drawing } from "./drawing";
import { Entire } from "./entire";
import { dark, watchGround } from "./ground";
import { Inset } from "./inset";
import { Overlay } from "./overlay";
import { here, place, resize, tool } from "./plane";
import { hovered, usePointing } from "./pointing";
import { chosen } from "./render/choose";
import type { Renderer } from "./render/renderer";
import { colour, listed, points, selection } from "./state";
import { Tip } from "./tip";
import { Underlay } from "./underlay";

export function Sheet() {
  const sheet = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const machine = useSignal<Renderer["name"]>(chosen(new URLSearchParams(location.search).get("renderer")));
  useEffect(watchGround, []);
  useEffect(() => watched(sheet.current!), []);
  useEffect(() => drawn(canvas.current!, machine), [machine.value]);
  const pointing = usePointing();
  return (
    <div class={`sheet ${tool.value} ${hovered.value ? "over" : ""}`} ref={sheet} data-renderer={machine.value} data-dark={dark.value}>
      <Underlay />
      <canvas key={machine.value} ref={canvas} tabIndex={0} role="img" aria-label={described()} {...pointing} />
      <Overlay />
      <Inset />
      <Entire />
      {here.value ? <Tip /> : <Nowhere />}
    </div>
  );
}

/** Draw on a canvas until the returned function is called. A card that takes its context away, or never gives one, leaves the map to the
 * rasteriser, on a canvas of its own. */
function drawn(canvas: HTMLCanvasElement, machine: Signal<Renderer["name"]>): (() => void) | undefined {
  try {
    const drawing = new Drawing(canvas, machine.value, () => (machine.value = "cpu"));
    return () => drawing.dispose();
  } catch (error) {
    if (machine.value === "cpu") throw error;
    machine.value = "cpu";
    return undefined;
  }
}

function watched(sheet: HTMLElement): () => void {
  const watch = new ResizeObserver(([entry]) => resize({ width: entry!.contentRect.width, height: entry!.contentRect.height }));
  watch.observe(sheet);
  return () => watch.disconnect();
}

function described(): string {
  const rows = points.value?.rows ?? 0;
  const picked = selection.value.rows.length ? `${listed.value.length.toLocaleString("en")} selected of ` : "";
  const keys = "Arrow keys step through the examples, plus and minus zoom, Shift and arrows move the map.";
  return `${place.value?.title ?? "Map"}: ${picked}${rows.toLocaleString("en")} examples, coloured by ${colour.value}. ${keys}`;
}

function Nowhere() {
  if (!points.value || place.value) return null;
  return (
    <p class="nowhere">
      This run has no positions to draw: no training dynamics and no embeddings were kept. <span class="muted">The table lists its examples.</span>
    </p>
  );
}
