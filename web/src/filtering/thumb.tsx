/** One end of a range, moved with the pointer or with the arrow keys. */

import { useRef } from "preact/hooks";

import type { ColumnInfo } from "../api";
import { number } from "../wire";
import type { Bins } from "./bins";
import type { Extent } from "./histogram";

interface Moved {
  readonly info: ColumnInfo;
  readonly of: Bins;
  readonly at: Extent;
  readonly end: "from" | "to";
  readonly onMove: (next: Extent) => void;
}

/** Bars that Page Up and Page Down move by. */
const PAGE = 4;

/** Where a key takes an end of the range; null: the key does nothing. */
export function moved(key: string, now: number, low: number, high: number): number | null {
  const by: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -PAGE, PageUp: PAGE };
  if (key === "Home") return low;
  if (key === "End") return high;
  const step = by[key];
  if (step === undefined) return null;
  const next = step < 0 ? Math.ceil(now) + step : Math.floor(now) + step;
  return Math.max(low, Math.min(high, next));
}

export function Thumb({ info, of, at, end, onMove }: Moved) {
  const drags = useRef(false);
  const low = end === "from" ? 0 : Math.min(of.count, Math.floor(at.from) + 1);
  const high = end === "from" ? Math.max(0, Math.ceil(at.to) - 1) : of.count;
  const set = (bar: number): void => onMove({ ...at, [end]: bar });
  const keys = (event: KeyboardEvent): void => {
    const next = moved(event.key, at[end], low, high);
    if (next === null) return;
    event.preventDefault();
    set(next);
  };
  const drag = (event: PointerEvent): void => {
    if (!drags.current) return;
    const box = (event.currentTarget as Element).parentElement!.getBoundingClientRect();
    const bar = Math.round(((event.clientX - box.left) / box.width) * of.count);
    const next = Math.max(low, Math.min(high, bar));
    if (next !== at[end]) set(next);
  };
  return (
    <div
      class={`thumb ${end}`}
      role="slider"
      tabIndex={0}
      aria-label={`${end === "from" ? "Least" : "Most"} ${info.name}`}
      aria-valuemin={low}
      aria-valuemax={high}
      aria-valuenow={at[end]}
      aria-valuetext={spoken(of, at[end], info)}
      style={{ left: `${(100 * at[end]) / of.count}%` }}
      onKeyDown={keys}
      onPointerDown={(event) => {
        drags.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={drag}
      onPointerUp={() => (drags.current = false)}
      onPointerCancel={() => (drags.current = false)}
    />
  );
}

/** The value at the end of a bar; the ends of the whole are those of the data. */
function spoken(of: Bins, bar: number, info: ColumnInfo): string {
  const value = bar <= 0 ? info.min : bar >= of.count ? info.max : of.edges[Math.round(bar)];
  return number(value ?? 0);
}
