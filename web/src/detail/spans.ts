/** Marked places of a text. The server counts code points, as Python does; JavaScript counts UTF-16 units. Pure. */

import type { Span } from "../api";

/** A stretch of text, and the kinds of all spans that cover it; no kinds: plain. */
export interface Segment {
  readonly text: string;
  readonly kinds: readonly string[];
}

/** Spans in UTF-16 units, inside the text; those without characters are left out. */
export function units(text: string, spans: readonly Span[]): readonly Span[] {
  const place = places(text, spans.flatMap(({ start, end }) => [start, end]));
  return spans.flatMap(({ start, end, kind }) => {
    const [from, to] = [place(start), place(end)];
    return from < to ? [{ start: from, end: to, kind }] : [];
  });
}

/** From places in code points to places in UTF-16 units, for the wanted ones. One pass over the text. */
function places(text: string, wanted: readonly number[]): (codePoint: number) => number {
  const within = (at: number): number => Math.max(0, Math.min(text.length, at));
  if (!/[\ud800-\udbff][\udc00-\udfff]/.test(text)) return within;
  const found = new Map<number, number>();
  let unit = 0;
  let point = 0;
  for (const next of [...new Set(wanted)].sort((a, b) => a - b)) {
    while (point < next && unit < text.length) {
      unit += text.codePointAt(unit)! > 0xffff ? 2 : 1;
      point++;
    }
    found.set(next, unit);
  }
  return (codePoint) => found.get(codePoint) ?? 0;
}

/** The text cut where spans (in UTF-16 units) begin and end: every stretch with all kinds that cover it, once each, in the order of the spans. */
export function segments(text: string, spans: readonly Span[]): readonly Segment[] {
  const edges = [...new Set([0, text.length, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const starts = spans.map((span, order) => ({ ...span, order })).sort((a, b) => a.start - b.start);
  let open: typeof starts = [];
  let next = 0;
  const found: Segment[] = [];
  for (let at = 0; at + 1 < edges.length; at++) {
    const [from, to] = [edges[at]!, edges[at + 1]!];
    while (next < starts.length && starts[next]!.start <= from) open.push(starts[next++]!);
    open = open.filter((span) => span.end > from);
    const kinds = [...new Set([...open].sort((a, b) => a.order - b.order).map((span) => span.kind))];
    found.push({ text: text.slice(from, to), kinds });
  }
  return found;
}

/** The part of a long text to show first, in UTF-16 units: its beginning, or the surroundings of the first span. Never half a character. */
export function part(text: string, spans: readonly Span[], most: number): { readonly start: number; readonly end: number } {
  if (text.length <= most * 1.2) return { start: 0, end: text.length };
  const first = Math.min(...spans.map((span) => span.start));
  const start = Number.isFinite(first) && first > 0.8 * most ? whole(text, first - Math.floor(most / 4)) : 0;
  return { start, end: whole(text, Math.min(text.length, start + most)) };
}

function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

/** Spans inside a part, counted from its start. */
export function inside(spans: readonly Span[], start: number, end: number): readonly Span[] {
  return spans.flatMap((span) => {
    const [from, to] = [Math.max(span.start, start) - start, Math.min(span.end, end) - start];
    return from < to ? [{ start: from, end: to, kind: span.kind }] : [];
  });
}

/** Control characters as pictures of themselves, one for one: places stay where they are. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (found) => String.fromCharCode(found === "\u007f" ? 0x2421 : 0x2400 + found.charCodeAt(0)));
}
