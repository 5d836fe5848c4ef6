/** A column of names as bars: all rows behind, those that pass in front. A click keeps a category, another lets it go. */

import { useSignal } from "@preact/signals";

import type { ColumnInfo } from "../api";
import { filter, filters } from "../state";
import { named, type Values } from "../wire";
import { type Seen, seen } from "./counts";

/** Categories shown at once; a longer list can be searched. */
const FEW = 8;
const MOST = 200;

interface Listed {
  readonly code: number;
  readonly name: string;
  readonly all: number;
  readonly passing: number;
  readonly selected: number | null;
}

export function Categories({ info, values }: { readonly info: ColumnInfo; readonly values: Values }) {
  const query = useSignal("");
  const more = useSignal(false);
  const now = seen(info, values);
  const items = listed(info, now);
  const text = query.value.trim().toLowerCase();
  const wanted = text ? items.filter((one) => one.name.toLowerCase().includes(text)) : items;
  const cut = wanted.slice(0, text || more.value ? MOST : FEW);
  const most = Math.max(1, ...now.all);
  return (
    <div class="categories body" role="group" aria-label={info.name}>
      {items.length > FEW && (
        <input type="search" class="find" aria-label={`Find a value of ${info.name}`} placeholder={`Find one of ${items.length}`} value={query.value} onInput={(event) => (query.value = event.currentTarget.value)} />
      )}
      {cut.map((one) => (
        <Category key={one.code} info={info} item={one} most={most} none={now.of.count} />
      ))}
      {!text && items.length > FEW && (
        <button type="button" class="quiet small" onClick={() => (more.value = !more.value)}>
          {more.value ? "Fewer" : `${items.length - FEW} more`}
        </button>
      )}
      {wanted.length > MOST && (text || more.value) && <p class="muted small">The first {MOST} of {wanted.length}.</p>}
    </div>
  );
}

/** Categories, the most frequent first, and last the rows without one. */
function listed(info: ColumnInfo, now: Seen): readonly Listed[] {
  const names = info.kind === "flag" ? ["no", "yes"] : info.categories;
  const item = (code: number, name: string): Listed => ({
    code,
    name,
    all: now.all[code]!,
    passing: now.passing[code]!,
    selected: now.selected && now.selected[code]!,
  });
  const items = names.map((name, code) => item(code, name));
  return now.all[names.length] ? [...items, item(names.length, "no value")] : items;
}

interface Shown {
  readonly info: ColumnInfo;
  readonly item: Listed;
  readonly most: number;
  /** Code that stands for no value here. */
  readonly none: number;
}

function Category({ info, item, most, none }: Shown) {
  const now = filters.value.get(info.name);
  const missing = item.code === none;
  const kept = now ? (missing ? !!now.missing : now.by === "codes" && now.codes.has(item.code)) : false;
  return (
    <label class={`category ${now && !kept ? "out" : ""} ${missing ? "missing" : ""}`}>
      <input type="checkbox" checked={kept} onChange={() => toggle(info.name, item.code, missing)} />
      <bdi class="cut" title={item.name}>
        {item.name || <em>{named(info.name, item.name)}</em>}
      </bdi>
      <Count item={item} />
      <span class="track" aria-hidden="true">
        <span class="all" style={{ width: share(item.all, most) }} />
        <span class="passing" style={{ width: share(item.passing, most) }} />
        {item.selected !== null && <span class="selected" style={{ width: share(item.selected, most) }} />}
      </span>
    </label>
  );
}

function Count({ item }: { readonly item: Listed }) {
  const all = item.all.toLocaleString("en");
  const passing = item.passing.toLocaleString("en");
  const title = `${passing} of ${all} pass the other filters${item.selected === null ? "" : `; ${item.selected.toLocaleString("en")} selected`}`;
  return (
    <span class="number small" title={title}>
      {passing}
      {item.passing !== item.all && <span class="muted"> / {all}</span>}
    </span>
  );
}

const share = (count: number, most: number): string => `${Math.max(count ? 1 : 0, (100 * count) / most)}%`;

/** Keep a category too, or no longer; the last one that goes takes the filter with it. */
function toggle(name: string, code: number, isMissing: boolean): void {
  const now = filters.value.get(name);
  const codes = new Set(now?.by === "codes" ? now.codes : []);
  const missing = isMissing ? !now?.missing : (now?.missing ?? false);
  if (!isMissing && !codes.delete(code)) codes.add(code);
  filter(name, codes.size || missing ? { by: "codes", codes, ...(missing ? { missing } : {}) } : null);
}
