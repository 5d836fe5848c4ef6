/** Edits of the version that touched an example. */

import type { Example } from "../api";
import { Section } from "./section";

export function History({ history }: { readonly history: Example["history"] }) {
  if (!history.length) return null;
  return (
    <Section title="History" note={`${history.length} ${history.length === 1 ? "edit" : "edits"}`} begins>
      {() => (
        <ol class="history small">
          {history.map((one, at) => (
            <li key={at} dir="auto">
              <strong>{one.action}</strong>
              {one.why && `: ${one.why}`}{" "}
              <span class="muted">
                by {one.who}, <time dateTime={one.when}>{one.when.slice(0, 16).replace("T", " ")}</time>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
