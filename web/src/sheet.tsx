/** The canvas and what lies over it: axes, lasso, rings, arrows, names of clusters, the tip under the pointer. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { RunInfo } from "./api";
import { Drawing } from "./drawing";
import { Entire } from "./entire";
import { dark, watchGround } from "./ground";
import { Inset } from "./inset";
import { following } from "./jobs";
import { Overlay } from "./overlay";
import { resize } from "./looking";
import { here, place, tool } from "./plane";
import { hovered, usePointing } from "./pointing";
import { chosen } from "./render/choose";
import type { Renderer } from "./render/renderer";
import { colour, listed, points, run, selection, workspace } from "./state";
import { Tip } from "./tip";
import { Underlay } from "./underlay";

/** States of a training whose first epoch has not ended. */
const UNDER_WAY: ReadonlySet<string> = new Set(["created", "running"]);

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
  const now = run.value;
  if (!now || place.value) return null;
  return (
    <p class="nowhere" role="status">
      {why(now)} <span class="muted">The table lists its examples.</span>
    </p>
  );
}

/** Why no point of a run has a position. */
function why({ id, summary }: RunInfo): string {
  const status = workspace.value?.runs.find((one) => one.id === id)?.status ?? summary.status;
  if (!UNDER_WAY.has(status)) return "This run has no positions to draw: no training dynamics and no embeddings were kept.";
  const then = following.value ? "Its map is drawn when it ends." : "Follow on the map, under Training, draws its map when it ends.";
  return `The first epoch is under way. ${then}`;
}
