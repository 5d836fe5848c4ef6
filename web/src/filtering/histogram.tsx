/** A column of numbers as bars, with a range that is drawn with the pointer, moved with two sliders, or typed. */

import { useRef } from "preact/hooks";

import type { ColumnInfo } from "../api";
import type { Filter } from "../filter";
import { filter, filters } from "../state";
import { number, type Values } from "../wire";
import { type Bins, extent, range } from "./bins";
import { type Seen, seen } from "./counts";
import { Thumb } from "./thumb";

interface Shown {
  readonly info: ColumnInfo;
  readonly values: Values;
}

export interface Extent {
  readonly from: number;
  readonly to: number;
}

export function Histogram({ info, values }: Shown) {
  const now = seen(info, values);
  const used = filters.value.get(info.name);
  const at = place(now.of, used);
  const set = (next: Extent): void => choose(info, now.of, next, filters.peek().get(info.name)?.missing);
  return (
    <div class="histogram body" role="group" aria-label={info.name}>
      <Plot now={now} at={at} used={!!used} onDraw={set}>
        <Thumb info={info} of={now.of} at={at} end="from" onMove={set} />
        <Thumb info={info} of={now.of} at={at} end="to" onMove={set} />
      </Plot>
      <Ends info={info} used={used} of={now.of} />
      {info.missing > 0 && <Missing info={info} used={used} count={now.passing.at(-1)!} />}
    </div>
  );
}

/** Bars that a filter keeps; all of them where there is none. */
function place(of: Bins, used: Filter | undefined): Extent {
  if (!used) return { from: 0, to: of.count };
  return used.by === "range" ? extent(of, used.low, used.high) : { from: 0, to: 0 };
}

function choose(info: ColumnInfo, of: Bins, { from, to }: Extent, missing: boolean | undefined): void {
  const { low, high } = range(of, Math.round(from), Math.round(to));
  keep(info.name, low, high, missing);
}

/** A range that keeps everything is no filter. */
function keep(name: string, low: number, high: number, missing: boolean | undefined): void {
  const all = low === -Infinity && high === Infinity && missing !== false;
  filter(name, all ? null : { by: "range", low, high, ...(missing ? { missing } : {}) });
}

interface Plotted {
  readonly now: Seen;
  readonly at: Extent;
  readonly used: boolean;
  readonly onDraw: (next: Extent) => void;
  readonly children: preact.ComponentChildren;
}

function Plot({ now, at, used, onDraw, children }: Plotted) {
  const start = useRef<number | null>(null);
  const bars = now.of.count;
  const under = (event: PointerEvent): number => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return Math.max(0, Math.min(bars - 1e-6, ((event.clientX - box.left) / box.width) * bars));
  };
  const draw = (to: number): void => {
    const from = start.current!;
    onDraw({ from: Math.floor(Math.min(from, to)), to: Math.floor(Math.max(from, to)) + 1 });
  };
  return (
    <div class="plot" title="Drag to keep a range. Heights are square roots of counts; grey: all, blue: those that pass the other filters">
      <svg
        viewBox={`0 0 ${bars} 1`}
        preserveAspectRatio="none"
        aria-hidden="true"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = under(event);
        }}
        onPointerMove={(event) => start.current !== null && Math.floor(under(event)) !== Math.floor(start.current) && draw(under(event))}
        onPointerUp={(event) => {
          if (start.current !== null) draw(under(event));
          start.current = null;
        }}
        onPointerCancel={() => (start.current = null)}
      >
        <Bars now={now} />
        {used && <rect class="out" x={0} y={0} width={at.from} height={1} />}
        {used && <rect class="out" x={at.to} y={0} width={bars - at.to} height={1} />}
      </svg>
      {children}
    </div>
  );
}

/** All rows behind, those that pass in front, the selected ones before them. */
function Bars({ now }: { readonly now: Seen }) {
  const { of, all, passing, selected } = now;
  let most = 1;
  for (let bar = 0; bar < of.count; bar++) most = Math.max(most, all[bar]!);
  return (
    <>
      <path class="all" d={outline(all, of.count, most)} />
      <path class="passing" d={outline(passing, of.count, most)} />
      {selected && <path class="selected" d={outline(selected, of.count, most)} />}
    </>
  );
}

/** Bars of a row of counts as one path in a box of `bars` by 1. Heights are square roots: a bar of few rows is still seen. */
export function outline(counts: Uint32Array, bars: number, most: number): string {
  let path = "";
  for (let bar = 0; bar < bars; bar++) {
    const height = counts[bar] ? Math.max(0.03, Math.sqrt(counts[bar]! / most)) : 0;
    if (height) path += `M${bar + 0.06} 1V${(1 - height).toFixed(4)}h0.88V1z`;
  }
  return path;
}

interface Used {
  readonly info: ColumnInfo;
  readonly used: Filter | undefined;
}

/** The two ends as numbers that can be typed; empty: no end. */
function Ends({ info, used, of }: Used & { readonly of: Bins }) {
  const range = used?.by === "range" ? used : { low: -Infinity, high: Infinity };
  const said = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "");
  const typed = (low: number, high: number): void => keep(info.name, low, high, used?.missing);
  const read = (text: string, none: number): number => (text.trim() === "" || Number.isNaN(Number(text)) ? none : Number(text));
  return (
    <div class="ends small">
      <input
        inputMode="decimal"
        aria-label={`Least ${info.name}`}
        placeholder={number(info.min ?? 0)}
        value={said(range.low)}
        onChange={(event) => typed(read(event.currentTarget.value, -Infinity), range.high)}
      />
      <span class="muted">{of.clipped ? "the last bar is all above" : info.unit}</span>
      <input
        inputMode="decimal"
        aria-label={`Most ${info.name}`}
        placeholder={number(info.max ?? 0)}
        value={said(range.high)}
        onChange={(event) => typed(range.low, read(event.currentTarget.value, Infinity))}
      />
    </div>
  );
}

/** Whether rows without a value pass. Without a filter everything passes. */
function Missing({ info, used, count }: Used & { readonly count: number }) {
  const passes = !used || !!used.missing;
  const turn = (): void => {
    const { low, high } = used?.by === "range" ? used : { low: -Infinity, high: Infinity };
    keep(info.name, low, high, !passes);
  };
  return (
    <label class="small absent">
      <input type="checkbox" checked={passes} onChange={turn} /> <span>no value</span>
      <span class="number muted">
        {count === info.missing ? "" : `${count.toLocaleString("en")} / `}
        {info.missing.toLocaleString("en")}
      </span>
    </label>
  );
}
