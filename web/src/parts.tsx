/** Small parts that several panels share: a command to copy, progress, a count before a large edit. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import type { Interval } from "./api";
import "./parts.css";
import { number } from "./wire";

/** A command of the shell that does the same as the page, with a button that copies it. */
export function Command({ text, label = "The same in a shell" }: { readonly text: string; readonly label?: string }) {
  const copied = useSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    copied.value = true;
    setTimeout(() => (copied.value = false), 1500);
  };
  return (
    <div class="shell">
      <code class="command" aria-label={label}>
        {text}
      </code>
      <button type="button" class="small" aria-label={`Copy the command: ${text}`} onClick={() => void copy()}>
        {copied.value ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

/** The command that a sentence ends in, and what stands before it.
 *
 * advised("No label was judged: tunewright suspects r") is ["No label was judged:", "tunewright suspects r"] */
export function advised(text: string): readonly [said: string, command: string] {
  const at = text.search(/\btunewright [a-z]+ [^ ]+[^.]*$/);
  return at < 0 ? [text, ""] : [text.slice(0, at).trim(), text.slice(at)];
}

/** A sentence; the command that it ends in can be copied. */
export function Advice({ text }: { readonly text: string }) {
  const [said, command] = advised(text);
  return (
    <>
      {said}
      {command && <Command text={command} label="What to type" />}
    </>
  );
}

/** A value from 0 to 1; null: not known how much is left. */
export function Progress({ value, label }: { readonly value: number | null; readonly label: string }) {
  return value === null ? <progress aria-label={label} /> : <progress aria-label={label} value={value} max={1} />;
}

interface Asked {
  readonly question: string;
  readonly yes: string;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** A question in place of a dialogue: what was asked for stays in sight. */
export function Confirm({ question, yes, onYes, onNo }: Asked) {
  return (
    <div class="confirm" role="alertdialog" aria-label={question}>
      <span>{question}</span>
      <span class="row">
        <button type="button" class="main" onClick={onYes}>
          {yes}
        </button>
        <button type="button" onClick={onNo}>
          Cancel
        </button>
      </span>
    </div>
  );
}

/** `1 row`, `2,000 rows`. */
export function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : nouns}`;
}

/** A value with its interval: `0.842 (0.831 to 0.853)`. */
export function interval(one: Interval): string {
  return one.low === one.high ? decimal(one.value) : `${decimal(one.value)} (${decimal(one.low)} to ${decimal(one.high)})`;
}

/** A number with three decimals, halves to the even one, as sentences of the service have them in points: 0.0375, which no float
 * is, is a half. */
function rounded(value: number): string {
  const exact = Number((1000 * Math.abs(value)).toPrecision(12));
  const thousandths = exact % 1 === 0.5 ? 2 * Math.round(exact / 2) : Math.round(exact);
  return ((Math.sign(value) * thousandths) / 1000).toFixed(3);
}

/** Three decimals below one, three digits above; a true minus sign. */
export function decimal(value: number): string {
  const text = Math.abs(value) < 1 ? rounded(value) : number(value);
  return text.replace("-", "−");
}

/** The same with its sign: a difference. */
export const signed = (value: number): string => (value > 0 ? "+" : "") + decimal(value);

/** A labelled part of a panel. */
export function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="part" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
