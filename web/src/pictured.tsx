/** Buttons that save what they stand beside as a picture: the nearest element around them that names one. */

import { filed, pictured } from "./picture";
import { save } from "./save";
import { during, run } from "./state";

/** Of the element around with `data-picture`, which is the name of the file. */
export function AsPicture({ what }: { readonly what: string }) {
  const take = (event: Event, kind: "png" | "svg"): Promise<unknown> => {
    const of = (event.currentTarget as Element).closest<HTMLElement>("[data-picture]")!;
    return during(async () => save(await filed(pictured(of), kind), `${run.peek()?.id ?? "run"}-${of.dataset["picture"]}.${kind}`));
  };
  return (
    <div class="row small" data-undrawn>
      <span class="muted">Save as</span>
      {(["png", "svg"] as const).map((kind) => (
        <button key={kind} type="button" class="quiet small" aria-label={`Save ${what} as ${kind.toUpperCase()}`} onClick={(event) => void take(event, kind)}>
          {kind.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
