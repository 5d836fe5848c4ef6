/** A text with its marked places. Long texts are cut until asked for; the first mark is scrolled into sight. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";

import type { Span } from "../api";
import { inside, part, type Segment, segments, units, visible } from "./spans";

/** UTF-16 units of a text that are shown at once. */
const MOST = 6_000;

const KINDS: Readonly<Record<string, string>> = {
  gold: "gold",
  predicted: "predicted",
  common: "in both",
};

/** What is marked as gold in the gold summary, and as predicted in the predicted one, is what both have in common. */
const kindIn = (title: string, kind: string): string => (title === kind ? "common" : kind);

interface Text {
  readonly title: string;
  readonly text: string;
  readonly spans: readonly Span[];
  readonly rtl?: boolean;
}

export function Marked({ title, text, spans, rtl = false }: Text) {
  const all = useSignal(false);
  const held = useRef<HTMLDivElement>(null);
  const placed = useMemo(() => units(text, spans.map((span) => ({ ...span, kind: kindIn(title, span.kind) }))), [text, spans]);
  const { start, end } = all.value ? { start: 0, end: text.length } : part(text, placed, MOST);
  const pieces = useMemo(() => segments(visible(text.slice(start, end)), inside(placed, start, end)), [text, placed, start, end]);
  useLayoutEffect(() => toFirstMark(held.current!), [text, placed]);
  const hidden = text.length - (end - start);
  return (
    <>
      <div class="title">
        <h3>{title}</h3>
        <Legend spans={placed} />
      </div>
      <div class="text" dir={rtl ? "rtl" : "auto"} ref={held} role="group" aria-label={title} tabIndex={0}>
        {start > 0 && <span class="muted">… </span>}
        {pieces.map((piece, at) => (
          <Piece key={at} piece={piece} />
        ))}
        {end < text.length && <span class="muted"> …</span>}
        {!text && <span class="muted">empty</span>}
      </div>
      {(hidden > 0 || all.value) && (
        <button type="button" class="quiet small" onClick={() => (all.value = !all.value)}>
          {all.value ? "Show less" : `Show all ${text.length.toLocaleString("en")} characters`}
        </button>
      )}
    </>
  );
}

function Piece({ piece: { text, kinds } }: { readonly piece: Segment }) {
  if (!kinds.length) return <>{text}</>;
  return (
    <mark class={kinds.map(named).join(" ")} title={kinds.map((kind) => KINDS[kind] ?? kind).join(" and ")}>
      {text}
    </mark>
  );
}

/** Class of a kind; kinds that the page does not know share one look. */
const named = (kind: string): string => (kind in KINDS ? `mark-${kind}` : "mark-other");

function Legend({ spans }: { readonly spans: readonly Span[] }) {
  const counts = new Map<string, number>();
  for (const { kind } of spans) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return (
    <span class="legend-marks small">
      {[...counts].map(([kind, count]) => (
        <span key={kind}>
          <mark class={named(kind)}>{KINDS[kind] ?? kind}</mark>
          {count > 1 && <span class="muted"> × {count}</span>}
        </span>
      ))}
    </span>
  );
}

/** Scroll the box, and nothing around it, so that its first mark is a third from its top. */
function toFirstMark(box: HTMLElement): void {
  const mark = box.querySelector("mark");
  box.scrollTop = mark ? Math.max(0, mark.offsetTop - box.clientHeight / 3) : 0;
}
