/** Loss over steps on a canvas, drawn by uPlot in the page's colours. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { dark } from "./ground";
import type { Loss } from "./jobs";
import { decimal } from "./parts";

const HEIGHT = 220;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Steps, training loss and validation loss side by side; null where nothing was logged. */
export function series(losses: readonly Loss[]): [number[], (number | null)[], (number | null)[]] {
  return [losses.map((one) => one.step), losses.map((one) => one.loss), losses.map((one) => one.eval_loss)];
}

function options(width: number): uPlot.Options {
  const text = token("--muted");
  const axis = { stroke: text, grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const value = (_: uPlot, of: number | null): string => (of === null ? "–" : decimal(of));
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [
      { ...axis, label: "step", labelFont: "12px system-ui", labelSize: 18, size: 30 },
      { ...axis, size: 48 },
    ],
    cursor: { drag: { x: false, y: false } },
    series: [
      { label: "step" },
      { label: "training", stroke: token("--accent"), width: 1.5, points: { show: false }, spanGaps: true, value },
      { label: "validation", stroke: token("--warn"), width: 2, dash: [5, 4], points: { show: true, size: 6, fill: token("--warn") }, spanGaps: true, value },
    ],
  };
}

export function Chart({ losses }: { readonly losses: readonly Loss[] }) {
  const held = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const look = dark.value;
  useEffect(() => {
    const into = held.current!;
    const made = new uPlot(options(into.clientWidth), series(losses), into);
    const watch = new ResizeObserver(() => made.setSize({ width: into.clientWidth, height: HEIGHT }));
    watch.observe(into);
    plot.current = made;
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look]);
  useEffect(() => plot.current?.setData(series(losses)), [losses]);
  return <div ref={held} class="chart" role="img" aria-label="Loss over steps; the table below has the figures" />;
}
