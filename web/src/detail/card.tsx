/** All that is known of one example: texts first, then what the model made of them, then what to do about it. */

import type { Example } from "../api";
import { api, run } from "../state";
import { Blocks } from "./blocks";
import { Dynamics } from "./dynamics";
import { Edit } from "./edit";
import { useFetched } from "./fetched";
import { Head } from "./head";
import { Explain } from "./heat";
import { History } from "./history";
import { Neighbours } from "./neighbours";
import { Prediction } from "./prediction";
import { Scores, Values } from "./values";
import { WhatIf } from "./whatif";

/** `beside`: the pinned example, to be compared and not worked on. */
export function Card({ row, beside = false }: { readonly row: number; readonly beside?: boolean }) {
  const now = run.value!;
  const key = `${now.id} ${now.etag} ${row}`;
  const { value, failed, key: had } = useFetched(key, (signal) => api().example(now.id, row, signal));
  if (failed) return <p role="alert">{failed}</p>;
  if (!value) return <p class="muted">Reading the example …</p>;
  return (
    <article class={`card${had === key ? "" : " stale"}`} aria-label={beside ? `Pinned example ${value.id}` : `Example ${value.id}`} aria-busy={had !== key}>
      <Head example={value} beside={beside} />
      <Blocks blocks={value.blocks} of={key} />
      <Prediction example={value} />
      {!beside && <Edit key={value.id} example={value} />}
      <Scores scores={value.scores} />
      <Dynamics epochs={value.epochs} />
      {!beside && <Work key={value.id} example={value} />}
      <History history={value.history} />
      <Values values={value.values} />
    </article>
  );
}

/** What is asked of the model on demand, begun anew for each example. */
function Work({ example }: { readonly example: Example }) {
  return (
    <>
      <Explain example={example} />
      <WhatIf example={example} />
      {!api().read_only && <Neighbours example={example} />}
    </>
  );
}
