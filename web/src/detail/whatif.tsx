/** What if the text were another? Edited here, predicted at once; the example itself stays as it is. */

import { batch, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Example, Predicted } from "../api";
import { api, run } from "../state";
import { worded } from "../table/columns";
import { Bar } from "./bar";
import { Blocks } from "./blocks";
import { said } from "./fetched";
import { milliseconds } from "./heat";
import { ranked } from "./prediction";
import { Section } from "./section";
import { classified, texts } from "./texts";

/** Silence before the model is asked, milliseconds. */
const REST = 250;

export function WhatIf({ example }: { readonly example: Example }) {
  if (!run.value?.methods.length) return null;
  return <Section title="What if">{() => <Try example={example} fields={run.value!.fields} />}</Section>;
}

function Try({ example, fields }: { readonly example: Example; readonly fields: readonly string[] }) {
  const original = texts(example, fields);
  const now = useSignal(original);
  const answer = useSignal<Predicted | null>(null);
  const failed = useSignal("");
  const waits = useSignal(false);
  const changed = fields.some((field) => now.value[field] !== original[field]);
  const told = (got: Predicted | null, wrong = ""): void =>
    batch(() => {
      [answer.value, failed.value, waits.value] = [got, wrong, false];
    });
  useEffect(() => {
    if (!changed) return told(null);
    let late = false;
    waits.value = true;
    failed.value = "";
    const wait = setTimeout(async () => {
      try {
        const got = await api().predict(run.value!.id, now.value);
        if (!late) told(got);
      } catch (error) {
        if (!late) told(null, said(error));
      }
    }, REST);
    return () => {
      late = true;
      clearTimeout(wait);
    };
  }, [now.value]);
  return (
    <div class="whatif">
      {fields.map((field) => (
        <label key={field} class="field">
          <span>{field}</span>
          <textarea dir="auto" rows={tall(original[field]!)} value={now.value[field] ?? ""} onInput={(event) => (now.value = { ...now.value, [field]: event.currentTarget.value })} />
        </label>
      ))}
      <p class="row apart small">
        <span class="muted" role="status">
          {!changed && "Change a text to see what the model would say."}
          {changed && (waits.value ? "predicting …" : answer.value && `predicted in ${milliseconds(answer.value.ms)}`)}
        </span>
        <button type="button" disabled={!changed} onClick={() => (now.value = original)}>
          Reset
        </button>
      </p>
      {failed.value && <p role="alert">{failed.value}</p>}
      {answer.value && (
        <div class={waits.value ? "stale" : ""} aria-busy={waits.value}>
          <Answer answer={answer.value} example={example} />
        </div>
      )}
    </div>
  );
}

const tall = (text: string): number => Math.max(2, Math.min(8, Math.ceil(text.length / 46)));

function Answer({ answer, example }: { readonly answer: Predicted; readonly example: Example }) {
  const flipped = worded(answer.predicted) !== worded(example.predicted);
  return (
    <>
      <p class={`outcome${flipped ? " flipped" : ""}`}>
        <span dir="auto">{worded(answer.predicted)}</span>
        <span class="small muted" dir="auto">
          {flipped ? `was ${worded(example.predicted)}` : "as before"}
        </span>
      </p>
      {answer.probabilities.length > 0 && <Differences answer={answer} example={example} />}
      {!classified() && <Blocks blocks={answer.blocks} of="what if" />}
    </>
  );
}

function Differences({ answer, example }: { readonly answer: Predicted; readonly example: Example }) {
  const before = new Map(example.probabilities.map((one) => [one.label, one.probability]));
  return (
    <ul class="bars plain">
      {ranked(answer.probabilities).map(({ label, probability }) => (
        <Bar key={label} name={label} share={probability} said={probability.toFixed(3)}>
          <span class="number small tags">{before.has(label) ? difference(probability - before.get(label)!) : ""}</span>
        </Bar>
      ))}
    </ul>
  );
}

/** `+0.031`, `−0.200`, `±0.000`. */
export function difference(value: number): string {
  const size = Math.abs(value).toFixed(3);
  return `${Number(size) === 0 ? "±" : value > 0 ? "+" : "−"}${size}`;
}
