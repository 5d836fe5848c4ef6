/** What the model said, against the label. */

import type { Cell, Example, Probability } from "../api";
import { Advice } from "../parts";
import { run } from "../state";
import { worded } from "../table/columns";
import { Bar } from "./bar";
import { classified } from "./texts";

export function Prediction({ example }: { readonly example: Example }) {
  const { label, predicted, probabilities } = example;
  if (classified() && probabilities.length) return <Labels example={example} />;
  const told = new Set(example.blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])));
  const left = ([["Gold", label], ["Predicted", predicted]] as const).filter(([, value]) => value !== null && !told.has(worded(value)));
  const why = unasked(predicted);
  if (!left.length && !why) return null;
  return (
    <div class="block" role="group" aria-label="Prediction">
      <h3>Prediction</h3>
      {why && (
        <div class="muted small advice">
          <Advice text={why} />
        </div>
      )}
      {left.length > 0 && (
        <dl class="facts">
          {left.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd dir="auto">
                {answers(value)}
                {name === "Predicted" && probabilities[0] && <span class="muted"> ({probabilities[0].probability.toFixed(3)})</span>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** Why an example of a training has no prediction, and what makes one; empty where there is one, or no model to ask. */
function unasked(predicted: Cell): string {
  const now = run.value;
  if (predicted !== null || now?.kind !== "train" || !now.methods.length) return "";
  return `The model was not asked about this example; to ask it: tunewright analyze ${now.id}`;
}

/** A value, or the different ones of a list: several people gave the same answer. */
function answers(value: Cell): string {
  return Array.isArray(value) ? [...new Set(value.map(worded))].join(" · ") : worded(value);
}

function Labels({ example: { label, predicted, probabilities } }: { readonly example: Example }) {
  const wrong = label !== null && predicted !== null && label !== predicted;
  return (
    <div class="block" role="group" aria-label="Prediction">
      <div class="title">
        <h3>Prediction</h3>
        {label !== null && predicted !== null && <strong class={`small ${wrong ? "bad" : "good"}`}>{wrong ? "≠ not the label" : "✓ the label"}</strong>}
      </div>
      <ul class="bars plain">
        {ranked(probabilities).map(({ label: name, probability }) => (
          <Bar key={name} name={name} share={probability} said={probability.toFixed(3)}>
            <span class="tags small">
              {name === label && <mark class="mark-gold">label</mark>}
              {name === predicted && <mark class="mark-predicted">predicted</mark>}
            </span>
          </Bar>
        ))}
      </ul>
    </div>
  );
}

/** Most probable first. */
export function ranked(probabilities: readonly Probability[]): readonly Probability[] {
  return [...probabilities].sort((a, b) => b.probability - a.probability);
}
