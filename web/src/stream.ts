/** The server's events, heard once for the whole page however many parts of it listen. */

import type { Event } from "./api";
import { api } from "./state";

type Heard = (event: Event) => void;

const listeners = new Set<Heard>();
let stop: (() => void) | null = null;

/** Hear every event until the returned function is called. The connection closes with its last listener. */
export function listen(heard: Heard): () => void {
  listeners.add(heard);
  stop ??= api().events((event) => listeners.forEach((one) => one(event)));
  return () => {
    listeners.delete(heard);
    if (listeners.size) return;
    stop?.();
    stop = null;
  };
}
