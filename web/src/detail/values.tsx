/** Every other value of an example, in groups, each with its meaning. */

import type { Cell, Example } from "../api";
import { run } from "../state";
import { digits, worded } from "../table/columns";
import { number } from "../wire";
import { Section } from "./section";

const GROUPS: readonly (readonly [string, RegExp])[] = [
  ["Training dynamics", /^(confidence|variability|correctness|forgetting|never_learnt|aum|el2n|closeness|epochs_seen|region|across_.*|.*_error|runs_seen|agreement)$/],
  ["Label", /^(suspicion|suspect|suggested.*|votes?|vote_.*|evidence|weight)$/],
  ["Latent space", /^(pc\d|umap.*|cluster.*|density|neighbour.*|duplicate_.*)$/],
  ["Prediction", /^(predicted.*|probability|gold_probability|gold_logit|other.*|loss|margin|correct|logits|log_sum_exp|sum_of_squares|exact_match|f1|rouge.*|window.*|n_best|stop_reason|generated_tokens|tokens?|token_.*|.*truncated|error_.*|solution)$/],
];
const REST = "Data";
/** Characters of a value before it is cut. */
const MOST = 400;

/** Names of values by group, in the order of the groups; what none knows is the data's own. */
export function grouped(names: readonly string[]): readonly (readonly [string, readonly string[]])[] {
  const found = new Map<string, string[]>([...GROUPS.map(([title]) => [title, [] as string[]] as const), [REST, []]]);
  for (const name of names) found.get(GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? REST)!.push(name);
  return [...found].filter(([, some]) => some.length);
}

export function Values({ values }: { readonly values: Example["values"] }) {
  const names = Object.keys(values).filter((name) => values[name] !== null);
  if (!names.length) return null;
  return (
    <Section title="All values" note={`${names.length}`}>
      {() =>
        grouped(names).map(([title, some]) => (
          <div key={title} role="group" aria-label={title}>
            <h4>{title}</h4>
            <dl class="values small">
              {some.map((name) => (
                <Value key={name} name={name} value={values[name] ?? null} />
              ))}
            </dl>
          </div>
        ))
      }
    </Section>
  );
}

function Value({ name, value }: { readonly name: string; readonly value: Cell }) {
  const info = run.value?.columns.find((one) => one.name === name);
  const text = typeof value === "number" && info ? digits(info, value) : worded(value);
  return (
    <div title={info?.meaning}>
      <dt>{name}</dt>
      <dd dir="auto" class={typeof value === "number" ? "number" : ""}>
        {text.length > MOST ? `${text.slice(0, MOST)} …` : text}
        {info?.unit && typeof value === "number" && <span class="muted"> {info.unit}</span>}
      </dd>
    </div>
  );
}

/** Metrics of the row. */
export function Scores({ scores }: { readonly scores: Example["scores"] }) {
  const known = Object.entries(scores).filter((one): one is [string, number] => one[1] !== null);
  if (!known.length) return null;
  return (
    <div class="block" role="group" aria-label="Scores">
      <ul class="plain scores">
        {known.map(([name, value]) => (
          <li key={name} title={run.value?.columns.find((one) => one.name === name)?.meaning}>
            <span class="muted small">{name}</span> <strong class="number">{Number.isInteger(value) ? number(value) : value.toFixed(3)}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}
