/** Rows of the server, asked for in pages as they come into sight; pages that go out of sight before they came are given up. */

import { signal } from "@preact/signals";

import type { Row } from "../api";

/** Rows of one request. */
export const PAGE = 100;
/** Rows kept; the oldest go first. */
const MOST = 5_000;

type Ask = (at: readonly number[], signal: AbortSignal) => Promise<{ readonly rows: readonly Row[] }>;

export class Pages {
  /** Grows with each page that came. */
  readonly came = signal(0);
  private readonly kept = new Map<number, Row>();
  private readonly asked = new Map<number, AbortController>();

  constructor(
    private readonly ask: Ask,
    /** Told of what fails, but for requests that were given up. */
    private readonly failed: (error: unknown) => void,
  ) {}

  get(row: number): Row | undefined {
    return this.kept.get(row);
  }

  /** Ask for what is missing between two places of a list, `last` not included. */
  want(list: Uint32Array, first: number, last: number): void {
    const pages = new Set<number>();
    for (let at = first; at < last; at++) if (!this.kept.has(list[at]!)) pages.add(Math.floor(at / PAGE));
    for (const [page, request] of this.asked) {
      if (pages.has(page)) continue;
      request.abort();
      this.asked.delete(page);
    }
    for (const page of pages) if (!this.asked.has(page)) void this.load(page, list.subarray(page * PAGE, (page + 1) * PAGE));
  }

  /** Give up every request: the list changed. */
  stop(): void {
    for (const request of this.asked.values()) request.abort();
    this.asked.clear();
  }

  private async load(page: number, part: Uint32Array): Promise<void> {
    const mine = new AbortController();
    this.asked.set(page, mine);
    try {
      const missing = [...part].filter((row) => !this.kept.has(row));
      const { rows } = await this.ask(missing, mine.signal);
      if (mine.signal.aborted) return;
      for (const row of rows) this.kept.set(row.row, row);
      this.trim();
      this.came.value++;
    } catch (error) {
      if (!mine.signal.aborted) this.failed(error);
    } finally {
      if (this.asked.get(page) === mine) this.asked.delete(page);
    }
  }

  private trim(): void {
    for (const row of this.kept.keys()) {
      if (this.kept.size <= MOST) return;
      this.kept.delete(row);
    }
  }
}
