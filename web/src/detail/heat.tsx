/** Which words drive the loss of an example: computed when asked for, with how far to believe it. */

import { useSignal } from "@preact/signals";

import type { Example, Heat } from "../api";
import { AsPicture } from "../pictured";
import { api, run } from "../state";
import { said } from "./fetched";
import { Section } from "./section";
import { segments, units, visible } from "./spans";
import { fieldText } from "./texts";

export function Explain({ example }: { readonly example: Example }) {
  const methods = run.value?.methods ?? [];
  if (!methods.length) return null;
  return <Section title="Loss heatmap">{() => <Ask example={example} methods={methods} />}</Section>;
}

function Ask({ example, methods }: { readonly example: Example; readonly methods: readonly string[] }) {
  const method = useSignal(methods[0]!);
  const heat = useSignal<Heat | null>(null);
  const failed = useSignal("");
  const working = useSignal(false);
  const ask = async (): Promise<void> => {
    working.value = true;
    failed.value = "";
    try {
      heat.value = await api().explain(run.value!.id, example.row, method.value);
    } catch (error) {
      heat.value = null;
      failed.value = said(error);
    }
    working.value = false;
  };
  return (
    <>
      <div class="row">
        <select aria-label="Method" value={method.value} onChange={(event) => (method.value = event.currentTarget.value)}>
          {methods.map((name) => (
            <option key={name} value={name}>
              {plain(name)}
            </option>
          ))}
        </select>
        <button type="button" disabled={working.value} onClick={() => void ask()}>
          {working.value ? "Computing …" : "Compute"}
        </button>
        <span class="muted small" role="status">
          {heat.value && `${plain(heat.value.method)}, ${milliseconds(heat.value.ms)}`}
        </span>
      </div>
      {failed.value && <p role="alert">{failed.value}</p>}
      {heat.value && <Shown heat={heat.value} example={example} />}
    </>
  );
}

export const plain = (name: string): string => name.replaceAll("_", " ").replace(" x ", " × ");

export const milliseconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** A scale that ends below this, in nats, would paint noise. */
const FAINTEST = 0.001;

function Shown({ heat, example }: { readonly heat: Heat; readonly example: Example }) {
  const strongest = Math.max(0, ...heat.tokens.map((token) => Math.abs(token.score)));
  const most = Math.max(strongest, FAINTEST);
  const fields = [...new Set(heat.tokens.map((token) => token.field))];
  return (
    <div class="heat" data-picture={`heatmap-${example.id}`}>
      <p class="small">
        <span class="muted">Loss of</span> <span dir="auto">{heat.target}</span>
      </p>
      <p class="small key">
        <span style={shade(-1)} class="token down">
          lower it
        </span>
        <span style={shade(1)} class="token up">
          raise it
        </span>
        <span class="muted">strongest ±{strongest.toPrecision(2)} nats</span>
      </p>
      {strongest < FAINTEST && <p class="small">No word moves the loss by as much as {FAINTEST} nats: there is little to see.</p>}
      {fields.map((field) => (
        <Field key={field} field={field} named={fields.length > 1} heat={heat} most={most} text={fieldText(example, field)} />
      ))}
      <Faithful faithfulness={heat.faithfulness} />
      <AsPicture what="the heatmap" />
    </div>
  );
}

interface Tokens {
  readonly field: string;
  readonly named: boolean;
  readonly heat: Heat;
  readonly most: number;
  readonly text: string | null;
}

function Field({ field, named, heat, most, text }: Tokens) {
  const tokens = heat.tokens.filter((token) => token.field === field);
  const whole = text ?? tokens.map((token) => token.text).join(" ");
  const placed = text === null ? [] : units(text, tokens.map(({ start, end }, at) => ({ start, end, kind: String(at) })));
  return (
    <>
      {named && <h4>{field}</h4>}
      <p class="text" dir="auto" role="group" aria-label={`Heatmap of ${field}`} tabIndex={0}>
        {segments(visible(whole), placed).map((piece, at) => {
          const token = tokens[Number(piece.kinds[0] ?? -1)];
          return token ? <Token key={at} text={piece.text} score={token.score} share={token.score / most} /> : piece.text;
        })}
      </p>
    </>
  );
}

/** Below this share of the strongest a word is not underlined. */
const CLEAR = 0.15;

function Token({ text, score, share }: { readonly text: string; readonly score: number; readonly share: number }) {
  const sign = Math.abs(share) < CLEAR ? "" : share > 0 ? " up" : " down";
  return (
    <span class={`token${sign}`} style={shade(share)} title={`${score > 0 ? "+" : ""}${score.toPrecision(3)} nats`}>
      {text}
    </span>
  );
}

/** Orange raises, blue lowers: told apart with any colour vision. */
function shade(share: number): Record<string, string> {
  const name = share > 0 ? "--raises" : "--lowers";
  return { backgroundColor: `color-mix(in srgb, var(${name}) ${Math.round(100 * Math.min(1, Math.abs(share)))}%, transparent)` };
}

function Faithful({ faithfulness }: Pick<Heat, "faithfulness">) {
  if (!faithfulness) return <p class="small muted">How faithful this is was not measured.</p>;
  const { value, random, n } = faithfulness;
  const better = value > random;
  return (
    <>
      <p class="small">
        Erasing the strongest words changes the loss by {value.toFixed(3)} nats; erasing random ones by {random.toFixed(3)} (mean of {n}).
      </p>
      {!better && (
        <p class="small warning" role="note">
          ⚠ No better than random words: do not rely on these colours.
        </p>
      )}
    </>
  );
}
