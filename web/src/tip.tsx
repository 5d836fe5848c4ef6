/** What is said of the row under the pointer. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { colours, extent, info } from "./plane";
import { hovered } from "./pointing";
import { api, points, run, size } from "./state";
import { named, shown } from "./wire";

const PAUSE = 60; // milliseconds that the pointer must rest before the texts are asked for
const MOST = 240; // characters of a text

export function Tip() {
  const said = useSignal<{ readonly row: number; readonly texts: readonly string[] } | null>(null);
  const over = hovered.value;
  const now = run.value;
  useEffect(() => {
    if (!now || !over) return undefined;
    const stop = new AbortController();
    const clock = setTimeout(() => {
      const asked = api().rows(now.id, [over.row], stop.signal);
      asked.then(({ rows }) => (said.value = { row: over.row, texts: texts(rows[0]?.values ?? {}, now.fields) })).catch(() => undefined);
    }, PAUSE);
    return () => {
      clearTimeout(clock);
      stop.abort();
    };
  }, [over?.row, now?.id]);
  if (!over) return null;
  const { width, height } = extent.value;
  const side = over.at.x > width / 2 ? { right: `${width - over.at.x + 14}px` } : { left: `${over.at.x + 14}px` };
  const level = over.at.y > height / 2 ? { bottom: `${height - over.at.y + 14}px` } : { top: `${over.at.y + 14}px` };
  return (
    <div class="tip" style={{ ...side, ...level }} role="presentation">
      {said.value?.row === over.row && said.value.texts.map((text, at) => <p key={at} dir="auto">{text}</p>)}
      <dl>
        {facts().map((name) => (
          <div key={name}>
            <dt>{name}</dt> <dd>{value(name, over.row)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function texts(values: Readonly<Record<string, unknown>>, fields: readonly string[]): string[] {
  return fields
    .map((field) => String(values[field] ?? ""))
    .filter(Boolean)
    .map((text) => (text.length > MOST ? `${text.slice(0, MOST)}…` : text));
}

/** Columns worth a word: what the colour and the size say, the label and the prediction. */
function facts(): string[] {
  const names = [colours.value?.column, "label", "predicted", size.value];
  return [...new Set(names)].filter((name): name is string => !!name && !!points.value?.values.has(name));
}

function value(name: string, row: number): string {
  const of = info(name);
  const values = points.value?.values.get(name);
  return of && values ? named(name, shown(of, values, row)) : "–";
}
