/** What colours and shapes mean. A click shows or hides a category, a double click shows it alone. */

import { computed } from "@preact/signals";
import { useRef } from "preact/hooks";

import "./legend.css";
import { type Entry, end } from "./colouring";
import { PASSES } from "./filtering/crossed";
import { colours, info } from "./plane";
import { PATHS } from "./marks";
import { lying, wanted } from "./reference";
import { SHAPES } from "./render/shapes";
import { blame, colour, filter, filters } from "./state";
import { named } from "./wire";

export function Legend() {
  const found = colours.value;
  if (!found) return null;
  return (
    <div class="legend" role="group" aria-label={`Legend: ${found.column}`}>
      <Reference />
      <strong title={info(found.column)?.meaning}>{lying.value ? `production, ${found.column}` : found.column}</strong>
      {found.ramp && <Ramp low={found.ramp.low} high={found.ramp.high} />}
      {found.entries.map((entry) => (
        <Item key={entry.name} entry={entry} />
      ))}
    </div>
  );
}

/** Rows that were there before production, where the map shows them. */
function Reference() {
  const rows = lying.value?.x.length ?? 0;
  if (!rows) return null;
  return (
    <button type="button" class="entry" aria-pressed={wanted.value} title="The rows that this map was fitted on, and lines of their density. Click: show or hide." onClick={() => (wanted.value = !wanted.value)}>
      <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
        <circle class="reference" cx="6" cy="6" r="2.5" />
      </svg>
      <span class="name">reference</span>
      <span class="muted number">{rows.toLocaleString("en")}</span>
    </button>
  );
}

/** Rows by index into the palette that pass the other filters and the search: what the map would show of each entry. */
const counts = computed<Uint32Array>(() => {
  const found = new Uint32Array(256);
  const own = [...filters.value.keys()].indexOf(colour.value) + 1;
  const bits = blame.value;
  colours.value?.codes.forEach((code, row) => (bits[row] === PASSES || bits[row] === own) && found[code]!++);
  return found;
});

/** Whether the filter of the coloured column lets an entry through. */
function isShown(entry: Entry): boolean {
  const now = filters.value.get(colour.value);
  if (!now) return true;
  if (isMissing(entry)) return !!now.missing;
  return now.by !== "codes" || entry.codes.some((code) => now.codes.has(code));
}

const isMissing = (entry: Entry): boolean => entry.codes.length === 0;

function all(): readonly Entry[] {
  return colours.value?.entries ?? [];
}

/** Show these entries and no others; a ramp has only one, of rows without a value. */
function show(entries: readonly Entry[]): void {
  const codes = entries.flatMap((entry) => entry.codes);
  const absent = entries.some(isMissing);
  if (entries.length === all().length) return filter(colour.value, null);
  filter(colour.value, { by: "codes", codes: new Set(codes), ...(absent ? { missing: true } : {}) });
}

/** Hide a shown entry, or show a hidden one; hiding the last one shows all. */
function toggle(entry: Entry): void {
  const left = all().filter((one) => (one === entry) !== isShown(one));
  show(left.length ? left : all());
}

const isAlone = (entry: Entry): boolean => all().every((one) => isShown(one) === (one === entry));

function Item({ entry }: { readonly entry: Entry }) {
  const shown = isShown(entry);
  const alone = useRef(false);
  const click = (event: MouseEvent): void => {
    if (event.detail > 1) return show(alone.current ? all() : [entry]);
    alone.current = isAlone(entry);
    toggle(entry);
  };
  return (
    <button
      type="button"
      class="entry"
      aria-pressed={shown}
      disabled={!!colours.value?.ramp}
      title={colours.value?.ramp ? "rows without a value" : `${named(colour.value, entry.name)}. Click: show or hide. Double click: show alone, or all again.`}
      onClick={click}
    >
      <Mark entry={entry} />
      <span class="name" dir="auto">
        {named(colour.value, entry.name)}
      </span>
      <span class="muted number">{counts.value[entry.index]!.toLocaleString("en")}</span>
    </button>
  );
}

/** The mark of an entry as the map draws it. */
export function Mark({ entry }: { readonly entry: Pick<Entry, "colour" | "shape"> }) {
  return (
    <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
      <path d={PATHS[SHAPES[entry.shape]!]} fill={entry.colour} />
    </svg>
  );
}

function Ramp({ low, high }: { readonly low: number; readonly high: number }) {
  const steps = colours.value?.ramp?.colours ?? [];
  return (
    <span class="ramp">
      <span class="number">{end(low)}</span>
      <svg viewBox={`0 0 ${steps.length} 1`} preserveAspectRatio="none" aria-hidden="true">
        {steps.map((step, at) => (
          <rect key={step} x={at} width="1.02" height="1" fill={step} />
        ))}
      </svg>
      <span class="number">{end(high)}</span>
    </span>
  );
}
