/** An edit that met one of somebody else, shown where it was asked for: both are told, and the reader chooses. */

import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import type { Change, PendingChange } from "./api";
import "./conflict.css";
import { told } from "./edits";
import { count } from "./parts";
import { type Conflict, conflict, insist, overlap, yieldTo } from "./pending";
import { sentence } from "./wire";

/** Edits of others that are listed. */
const LISTED = 5;

/** Places that show the conflict now: where there is none, the panel does. */
const places = signal(0);

export const anyEdit = (): boolean => true;

interface Place {
  /** Whether an edit was asked for here. */
  readonly of: (one: Change) => boolean;
  /** The edits were made all the same. */
  readonly onApplied?: (made: readonly Change[]) => void;
}

/** The conflict, if it is about an edit that was asked for at this place. */
export function ConflictHere({ of, onApplied }: Place) {
  const met = conflict.value;
  const isHere = met !== null && (met.mine.some(of) || of === anyEdit);
  useLayoutEffect(() => {
    if (!isHere) return;
    places.value = places.peek() + 1;
    return () => void (places.value = places.peek() - 1);
  }, [isHere]);
  return isHere ? <Both met={met} {...(onApplied ? { onApplied } : {})} /> : null;
}

/** The conflict of an edit whose place is not shown, such as an undo by a key. */
export function ConflictElsewhere() {
  const met = conflict.value;
  return met && places.value === 0 ? <Both met={met} elsewhere /> : null;
}

interface Shown {
  readonly met: Conflict;
  readonly elsewhere?: boolean;
  readonly onApplied?: (made: readonly Change[]) => void;
}

function Both({ met, elsewhere = false, onApplied }: Shown) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.scrollIntoView?.({ block: "nearest" }), [met.mine]);
  const { mine, theirs } = met;
  const apply = (): void => void insist().then((done) => done && onApplied?.(mine));
  return (
    <section ref={box} class={elsewhere ? "conflict elsewhere" : "conflict"} role="alert" aria-label="Conflict">
      <strong>{standing(met)}</strong>
      {met.fix && <p>{sentence(met.fix)}</p>}
      <ul>
        {nearest(met).map((one) => (
          <li key={one.key}>
            {one.author}, {clock(one.when)}: {line(one)}
          </li>
        ))}
        {theirs.length > LISTED && <li class="muted">{count(theirs.length - LISTED, "more edit")}</li>}
        {mine.map((one, index) => (
          <li key={index}>You, not done: {line(one)}</li>
        ))}
      </ul>
      <div class="row">
        {mine.length > 0 && (
          <button type="button" class="main" onClick={apply}>
            Apply mine on top
          </button>
        )}
        <button type="button" onClick={yieldTo}>
          {!mine.length ? "All right" : theirs.length ? "Leave theirs" : "Leave it"}
        </button>
      </div>
    </section>
  );
}

/** What stands against what, in one sentence. */
export function standing({ message, mine, theirs }: Pick<Conflict, "message" | "mine" | "theirs">): string {
  if (message) return sentence(message);
  if (!mine.length) return "Somebody else edited meanwhile: nothing was done.";
  if (!overlap(mine, theirs)) return "What stood against your edit was taken back.";
  const rows = new Set(mine.flatMap((one) => one.ids)).size;
  return rows === 1 ? "Somebody else edited this row first." : "Somebody else edited some of these rows first.";
}

/** Edits of others to be listed: those of the same rows before the rest. */
function nearest({ mine, theirs }: Conflict): readonly PendingChange[] {
  const same = theirs.filter((one) => overlap(mine, [one]));
  return [...same, ...theirs.filter((one) => !same.includes(one))].slice(0, LISTED);
}

const line = (one: Change): string => `${told(one)} (${one.ids.length === 1 ? one.ids[0] : count(one.ids.length, "row")})`;

const clock = (when: string): string => new Date(when).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
