/** Which example it is, and the way to the next. */

import { useSignal } from "@preact/signals";

import type { Example } from "../api";
import { ordered, pinned, run, step } from "../state";

export function Head({ example, beside }: { readonly example: Example; readonly beside: boolean }) {
  const place = beside ? -1 : ordered.value.indexOf(example.row);
  const of = ordered.value.length;
  return (
    <header class="head">
      <div class="who">
        <h2 dir="auto" title={example.id}>
          {example.id}
        </h2>
        {example.split && <span class="badge">{example.split}</span>}
        {beside && <span class="badge">pinned</span>}
      </div>
      <div class="acts" role="group" aria-label="Example">
        {!beside && (
          <>
            <button type="button" aria-label="Previous example" title="Previous of the list" disabled={of < 2} onClick={() => step(-1)}>
              ←
            </button>
            <button type="button" aria-label="Next example" title="Next of the list" disabled={of < 2} onClick={() => step(1)}>
              →
            </button>
            <span class="muted small place">{place < 0 ? "" : `${(place + 1).toLocaleString("en")} of ${of.toLocaleString("en")}`}</span>
          </>
        )}
        <Pin row={example.row} />
        <CopyId id={example.id} />
        <a href={`?${new URLSearchParams({ run: run.value?.id ?? "", id: example.id })}`} title="Address of this example">
          Link
        </a>
      </div>
    </header>
  );
}

function Pin({ row }: { readonly row: number }) {
  const on = pinned.value === row;
  return (
    <button type="button" aria-pressed={on} title="Keep it beside the next ones" onClick={() => (pinned.value = on ? null : row)}>
      {on ? "Unpin" : "Pin"}
    </button>
  );
}

function CopyId({ id }: { readonly id: string }) {
  const copied = useSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(id);
    copied.value = true;
    setTimeout(() => (copied.value = false), 1500);
  };
  return (
    <button type="button" onClick={() => void copy()}>
      <span aria-live="polite">{copied.value ? "Copied" : "Copy id"}</span>
    </button>
  );
}
