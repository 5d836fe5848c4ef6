/** Answers that a component waits for. */

import { useEffect, useState } from "preact/hooks";

import { sentence } from "../wire";

export interface Fetched<T> {
  /** The last answer; of what was asked before while the next one is on its way. */
  readonly value: T | null;
  readonly key: string | null;
  /** What went wrong, for the reader. */
  readonly failed: string | null;
}

const NOTHING = { value: null, key: null, failed: null } as const;

/** Ask again whenever `key` changes; an answer that comes too late is dropped. An empty key asks nothing. */
export function useFetched<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Fetched<T> {
  const [state, set] = useState<Fetched<T>>(NOTHING);
  useEffect(() => {
    if (!key) return set(NOTHING);
    const mine = new AbortController();
    ask(mine.signal).then(
      (value) => mine.signal.aborted || set({ value, key, failed: null }),
      (error: Error) => mine.signal.aborted || set({ value: null, key, failed: said(error) }),
    );
    return () => mine.abort();
  }, [key]);
  return state;
}

/** A fix often ends in a command, which is copied. */
const withoutStop = (text: string): string => text.replace(/\.$/, "");

/** An error in words: what happened, and what to do where that is known. */
export function said(error: unknown): string {
  const { message, failure } = error as Error & { failure?: { message: string; fix: string } };
  return failure ? `${sentence(failure.message)} ${withoutStop(sentence(failure.fix))}`.trim() : message;
}
