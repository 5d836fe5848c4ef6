/** A row as it is read in a review: its texts, its label, and what the detectors suggest instead. */

import type { Block, Example } from "./api";
import { decimal } from "./parts";
import type { Decision } from "./queue";

interface Read {
  readonly example: Example;
  readonly relabels: boolean;
  readonly decided: Decision | undefined;
}

export function Reading({ example, relabels, decided }: Read) {
  return (
    <article class="reading" aria-label={`Row ${example.id}`}>
      {example.blocks.map((block) => block.type === "text" && <Passage key={block.title} block={block} />)}
      {typeof example.label === "string" && <Labels example={example} relabels={relabels} />}
      <p class="muted small">
        {example.id}
        {example.split && `, ${example.split} split`}
        {decided && `, ${decided}`}
      </p>
    </article>
  );
}

function Passage({ block }: { readonly block: Extract<Block, { type: "text" }> }) {
  return (
    <div class="passage">
      <span class="muted small">{block.title}</span>
      <p dir={block.rtl ? "rtl" : "auto"}>{block.text}</p>
    </div>
  );
}

function Labels({ example, relabels }: { readonly example: Example; readonly relabels: boolean }) {
  const other = relabels ? example.suggestion : null;
  return (
    <dl class="labels">
      <dt>Label</dt>
      <dd>{String(example.label)}</dd>
      {other && (
        <>
          <dt>Suggested</dt>
          <dd>
            <strong>{other.label}</strong>
            {other.probability !== null && <span class="muted"> probability {decimal(other.probability)}</span>}
          </dd>
        </>
      )}
      {typeof example.predicted === "string" && (
        <>
          <dt>Model says</dt>
          <dd>{example.predicted}</dd>
        </>
      )}
    </dl>
  );
}
