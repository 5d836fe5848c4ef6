/** The filters in use, each with a button that takes it away. */

import { signal } from "@preact/signals";

import type { ColumnInfo } from "../api";
import type { Filter } from "../filter";
import { filter, filters, query, run } from "../state";
import { number } from "../wire";

/** Categories that a chip names. */
const NAMED = 2;

/** Said once to those who do not see the chips go. */
const cleared = signal("");

export function Chips() {
  const text = query.value.trim();
  const used = [...filters.value];
  return (
    <div class="chips" role="group" aria-label="Filters in use">
      {text && <Chip title={`text: ${text}`} onClear={() => (query.value = "")} />}
      {used.map(([name, value]) => (
        <Chip key={name} title={said(run.value?.columns.find((one) => one.name === name), name, value)} onClear={() => filter(name, null)} />
      ))}
      {used.length + (text ? 1 : 0) > 1 && (
        <button type="button" class="quiet small" onClick={clear}>
          Clear all
        </button>
      )}
      <span class="sr" role="status">
        {cleared.value}
      </span>
    </div>
  );
}

export function clear(): void {
  filters.value = new Map();
  query.value = "";
  cleared.value = "All filters are cleared.";
}

function Chip({ title, onClear }: { readonly title: string; readonly onClear: () => void }) {
  return (
    <span class="used-filter">
      <bdi class="cut" title={title}>
        {title}
      </bdi>
      <button type="button" aria-label={`Clear: ${title}`} onClick={onClear}>
        ×
      </button>
    </span>
  );
}

/** A filter in words.
 *
 * said(info, "loss", { by: "range", low: 0.5, high: Infinity }) is "loss ≥ 0.5" */
export function said(info: ColumnInfo | undefined, name: string, value: Filter): string {
  const missing = value.missing ? " or no value" : "";
  if (value.by === "codes") {
    const names = info?.kind === "flag" ? ["no", "yes"] : (info?.categories ?? []);
    const kept = [...value.codes].map((code) => names[code] || (names[code] === "" ? "empty" : String(code)));
    const few = kept.length > NAMED ? `${kept.slice(0, NAMED).join(", ")} + ${kept.length - NAMED}` : kept.join(", ");
    return `${name}: ${few || "no value"}${few ? missing : ""}`;
  }
  const { low, high } = value;
  const range =
    low === -Infinity ? (high === Infinity ? "has a value" : `≤ ${number(high)}`) : high === Infinity ? `≥ ${number(low)}` : `${number(low)} to ${number(high)}`;
  return `${name} ${range}${missing}`;
}
