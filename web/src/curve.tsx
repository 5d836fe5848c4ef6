/** Lines over one axis, with what they say under the pointer. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { ticks } from "./axes";
import "./curve.css";
import { AsPicture } from "./pictured";
import { number } from "./wire";

export interface At {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  /** With x ascending. */
  readonly points: readonly At[];
}

interface Drawn {
  /** The first is drawn through, the second dashed; more are not told apart. */
  readonly lines: readonly Line[];
  /** What the horizontal axis counts. */
  readonly across: string;
  readonly threshold?: { readonly at: number; readonly says: string };
  /** How a value reads. */
  readonly format: (value: number) => string;
  readonly label: string;
}

const HEIGHT = 150;
const USUAL = 380; // CSS pixels, until the width of the panel is known
const EDGE = { left: 46, right: 10, top: 8, bottom: 22 } as const;
const FEW = 60; // points beyond which dots would touch

export function Curve({ lines, across, threshold, format, label }: Drawn) {
  const held = useRef<SVGSVGElement>(null);
  const width = useSignal(USUAL);
  const meant = useSignal<number | null>(null);
  useEffect(() => watched(held.current!, (now) => (width.value = now)), []);
  const scale = scaled(lines, threshold?.at, width.value);
  const near = (event: PointerEvent): number => {
    const at = scale.back(event.clientX - held.current!.getBoundingClientRect().left);
    return nearest(lines.flatMap((one) => one.points), at)?.x ?? at;
  };
  return (
    <div class="curve" data-picture={lines.map((one) => one.name).join("-")}>
      <svg ref={held} height={HEIGHT} role="img" aria-label={label} onPointerMove={(event) => (meant.value = near(event))} onPointerLeave={() => (meant.value = null)}>
        <Grid scale={scale} width={width.value} across={across} format={format} />
        {threshold && <path class="threshold" d={`M${EDGE.left} ${scale.y(threshold.at)}H${width.value - EDGE.right}`} />}
        {meant.value !== null && <path class="meant" d={`M${scale.x(meant.value)} ${EDGE.top}V${HEIGHT - EDGE.bottom}`} />}
        {lines.map((one, at) => (
          <Trace key={one.name} line={one} at={at} scale={scale} />
        ))}
      </svg>
      <Key lines={lines} across={across} meant={meant.value} format={format} />
      <AsPicture what="the curve" />
      {threshold && <p class="small muted">Dashed: {threshold.says}</p>}
    </div>
  );
}

function watched(svg: SVGElement, seen: (width: number) => void): () => void {
  const watch = new ResizeObserver(([entry]) => entry!.contentRect.width && seen(entry!.contentRect.width));
  watch.observe(svg);
  return () => watch.disconnect();
}

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  /** Value of the horizontal axis at a pixel. */
  readonly back: (pixel: number) => number;
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

function scaled(lines: readonly Line[], threshold: number | undefined, width: number): Scale {
  const all = lines.flatMap((one) => one.points);
  const ys = [...all.map((one) => one.y), ...(threshold === undefined ? [] : [threshold])];
  const [low, high] = padded(least(ys), most(ys));
  const [first, last] = all.length ? [least(all.map((one) => one.x)), most(all.map((one) => one.x))] : [0, 1];
  const across = (width - EDGE.left - EDGE.right) / (last - first || 1);
  const down = (HEIGHT - EDGE.top - EDGE.bottom) / (high - low);
  return {
    x: (value) => EDGE.left + (value - first) * across,
    y: (value) => HEIGHT - EDGE.bottom - (value - low) * down,
    back: (pixel) => first + (pixel - EDGE.left) / across,
    first, last, low, high,
  };
}

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

/** A range with some room, and never empty. */
export function padded(low: number, high: number): readonly [number, number] {
  if (!(low <= high)) return [0, 1];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

/** The point whose x is nearest to a value; undefined without points. */
export function nearest(points: readonly At[], x: number): At | undefined {
  return points.reduce<At | undefined>((best, one) => (best && Math.abs(best.x - x) <= Math.abs(one.x - x) ? best : one), undefined);
}

interface Gridded {
  readonly scale: Scale;
  readonly width: number;
  readonly across: string;
  readonly format: (value: number) => string;
}

function Grid({ scale, width, across, format }: Gridded) {
  const { low, high, first, last } = scale;
  const foot = HEIGHT - 6;
  return (
    <g>
      {ticks(low, high, 4).map((value) => (
        <g key={value}>
          <path class="grid" d={`M${EDGE.left} ${scale.y(value)}H${width - EDGE.right}`} />
          <text x={EDGE.left - 6} y={scale.y(value) + 4} text-anchor="end">
            {format(value)}
          </text>
        </g>
      ))}
      <text x={EDGE.left} y={foot}>
        {across} {number(first)}
      </text>
      {last > first && (
        <text x={width - EDGE.right} y={foot} text-anchor="end">
          {number(last)}
        </text>
      )}
    </g>
  );
}

const names = (at: number): string => (at ? "second" : "first");

function Trace({ line: { points }, at, scale }: { readonly line: Line; readonly at: number; readonly scale: Scale }) {
  const path = points.map((one, k) => `${k ? "L" : "M"}${scale.x(one.x).toFixed(1)} ${scale.y(one.y).toFixed(1)}`).join("");
  return (
    <g class={names(at)}>
      <path d={path} />
      {points.length < FEW && points.map((one) => <circle key={one.x} cx={scale.x(one.x)} cy={scale.y(one.y)} r={at ? 3.5 : 2.2} />)}
    </g>
  );
}

interface Keyed extends Pick<Drawn, "lines" | "across" | "format"> {
  readonly meant: number | null;
}

/** Which line is which, and the values under the pointer. */
function Key({ lines, across, meant, format }: Keyed) {
  if (meant === null && lines.length < 2) return <p class="key small muted" data-undrawn>Point at the line to read it.</p>;
  return (
    <p class="key small">
      {meant !== null && (
        <span>
          {across} {number(meant)}
        </span>
      )}
      {lines.map((one, at) => {
        const there = meant === null ? undefined : nearest(one.points, meant);
        return (
          <span key={one.name}>
            <svg class={names(at)} viewBox="0 0 18 8" aria-hidden="true">
              <path d="M0 4H18" />
            </svg>
            {one.name} {there && <strong>{format(there.y)}</strong>}
          </span>
        );
      })}
    </p>
  );
}
