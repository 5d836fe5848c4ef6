/** The rows in sight, and nothing else of the list: scrolled, walked through with keys, and selected. */

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { api, during, points, primary, sort } from "../state";
import { at, drawn, type List, type Place, reveal, scaled, scrolled, spacer, stepped, top, TOP } from "../scroll";
import { Line } from "./cells";
import { columns, width } from "./columns";
import { Head } from "./head";
import { act, type Walk } from "./keys";
import { alone, between, rows, tick, ticked } from "./listing";
import { Pages } from "./pages";

/** Two lines of text, CSS pixels; the same in table.css. */
const HEIGHT = 44;
const HEAD = 34;
/** While the reader scrolls on, nothing is asked. */
const REST = 60;

export function Grid() {
  const now = points.value!;
  const held = useRef<HTMLDivElement>(null);
  const viewport = useSignal(600);
  const place = useSignal<Place>(TOP);
  const column = useSignal(1);
  const inHead = useSignal(false);
  const anchor = useRef<number | null>(null);
  const list = useComputed<List>(() => ({ rows: rows.value.length, height: HEIGHT, viewport: viewport.value }));
  const active = useComputed(() => (primary.value === null ? -1 : rows.value.indexOf(primary.value)));
  const pages = usePages(now.run.id, now.run.etag);
  const seen = drawn(list.value, place.value);

  const go = (to: Place): void => {
    const element = held.current!;
    place.value = to;
    element.scrollTop = to.physical;
    place.value = { virtual: to.virtual, physical: element.scrollTop };
  };
  useViewport(held, viewport);
  useWheel(held, (pixels) => scaled(list.value) && (go(stepped(list.value, place.value, pixels)), true));
  useLayoutEffect(() => go(at(list.value, place.value.virtual)), [list.value]);
  useLayoutEffect(() => {
    if (active.value >= 0) go(reveal(list.value, place.value, active.value));
  }, [primary.value, sort.value, alone.value, now.run.id, viewport.value]);
  useEffect(() => {
    const wait = setTimeout(() => pages.want(rows.value, seen.first, seen.last), REST);
    return () => clearTimeout(wait);
  }, [pages, rows.value, seen.first, seen.last, pages.came.value]);

  const walk: Walk = { list, active, column, inHead, anchor, columns: columns.value.length, focus: () => focus(held.current!, walk) };
  const stop = Math.max(0, active.value);
  const parked = active.value >= 0 && (active.value < seen.first || active.value >= seen.last);
  const line = (index: number, sits: number | null) => (
    <Line
      key={rows.value[index]}
      row={rows.value[index]!}
      at={index}
      top={sits}
      found={pages.get(rows.value[index]!)}
      points={now}
      columns={columns.value}
      ticked={ticked.value[rows.value[index]!] === 1}
      primary={index === active.value}
      stop={!inHead.value && index === stop ? Math.min(column.value, columns.value.length) : -1}
    />
  );
  const inSight = Array.from({ length: seen.last - seen.first }, (_, k) => seen.first + k);
  return (
    <div
      class="grid"
      role="grid"
      aria-label="Examples"
      aria-multiselectable="true"
      aria-rowcount={rows.value.length + 1}
      aria-colcount={columns.value.length + 1}
      ref={held}
      style={sizes()}
      onScroll={(event) => (place.value = scrolled(list.value, place.value, event.currentTarget.scrollTop))}
      onKeyDown={(event) => act(event, walk)}
      onClick={(event) => click(event, walk)}
    >
      <Head columns={columns.value} stop={inHead.value ? Math.min(column.value, columns.value.length) : -1} />
      <div class="body" role="rowgroup" style={{ height: `${spacer(list.value)}px` }}>
        {inSight.map((index) => line(index, top(list.value, place.value, index)))}
        {parked && line(active.value, null)}
      </div>
    </div>
  );
}

/** Widths of the columns, as the grid template that every row shares. */
function sizes(): Record<string, string> {
  const all = columns.value.map(width);
  const tracks = all.map(({ least, share }) => (share ? `minmax(${least}px, ${share}fr)` : `${least}px`));
  return { "--tracks": `36px ${tracks.join(" ")}`, "--least": `${36 + all.reduce((sum, one) => sum + one.least, 0)}px` };
}

function usePages(id: string, etag: string): Pages {
  const held = useRef<{ readonly key: string; readonly pages: Pages } | null>(null);
  const key = `${id} ${etag}`;
  if (held.current?.key !== key) {
    held.current?.pages.stop();
    const pages = new Pages(
      (rows, signal) => api().rows(id, rows, signal),
      (error) => void during(() => Promise.reject(error)),
    );
    held.current = { key, pages };
  }
  const { pages } = held.current;
  useEffect(() => () => pages.stop(), [pages]);
  return pages;
}

function useViewport(held: { readonly current: HTMLElement | null }, viewport: { value: number }): void {
  useLayoutEffect(() => {
    const element = held.current!;
    const measure = (): void => void (viewport.value = Math.max(HEIGHT, element.clientHeight - HEAD));
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    measure();
    return () => watch.disconnect();
  }, []);
}

const LINES = [1, HEIGHT, 10 * HEIGHT] as const;

/** Turns of the wheel as exact pixels, where the spacer is shorter than the list. `turned` says whether it took the turn. */
function useWheel(held: { readonly current: HTMLElement | null }, turned: (pixels: number) => boolean): void {
  const latest = useRef(turned);
  latest.current = turned;
  useEffect(() => {
    const stop = new AbortController();
    const heard = (event: WheelEvent): void => {
      const sideways = event.shiftKey || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!sideways && latest.current(event.deltaY * LINES[event.deltaMode as 0 | 1 | 2])) event.preventDefault();
    };
    held.current!.addEventListener("wheel", heard, { passive: false, signal: stop.signal });
    return () => stop.abort();
  }, []);
}

/** Put the focus where the keys went, once it is drawn. */
function focus(grid: HTMLElement, { active, column, inHead }: Walk): void {
  requestAnimationFrame(() => {
    const line = inHead.value ? -1 : Math.max(0, active.value);
    grid.querySelector<HTMLElement>(`[data-at="${line}"] [data-column="${column.value}"]`)?.focus({ preventScroll: true });
  });
}

/** A click makes a row primary; on the checkbox it selects, with Shift all rows since the last one. */
function click(event: MouseEvent, walk: Walk): void {
  const target = event.target as HTMLElement;
  const place = Number(target.closest<HTMLElement>("[data-at]")?.dataset["at"] ?? -1);
  const cell = target.closest<HTMLElement>("[data-column]");
  if (place < 0) return;
  const row = rows.value[place]!;
  const box = target instanceof HTMLInputElement ? target : null;
  if (cell) walk.column.value = Number(cell.dataset["column"]);
  walk.inHead.value = false;
  if (box || event.shiftKey || event.ctrlKey || event.metaKey) {
    const from = event.shiftKey ? (walk.anchor.current ?? Math.max(0, walk.active.value)) : place;
    tick(between(from, place), box ? box.checked : event.shiftKey || ticked.value[row] !== 1, row);
    if (event.shiftKey) getSelection()?.removeAllRanges();
  } else primary.value = row;
  walk.anchor.current = place;
  walk.focus();
}
