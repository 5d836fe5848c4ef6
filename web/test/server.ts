/** A server in memory for tests: one run of rows `r0`, `r1`, … labelled neg or pos, pending edits with revisions, events. */

import { tableFromArrays, tableToIPC } from "@uwdata/flechette";

import { ApiError, type Change, type Compared, type Event, type Issue, type Job, type Kind, type Pending, type Source } from "../src/api";

export const ROWS = 6;
const LABELS = ["neg", "pos"];
const RUN = { id: "run-1", kind: "train", status: "finished", created: "2026-01-01T00:00:00Z", version: "main", split: "train", parent: "", coverage: 1, metrics: {} };

export const SUSPECTS: Issue = {
  id: "suspect",
  kind: "suspect",
  title: "Suspected mislabels",
  why: "4 of 6 judged labels are suspected to be wrong.",
  severity: "high",
  effect: 0.6,
  count: 4,
  rows: [3, 1, 0, 4],
  fix: { action: "relabel", title: "Relabel as suggested", value: null },
  command: "tunewright suspects run-1",
};

const label = (row: number): string => LABELS[row % 2]!;
const suggested = (row: number): string => LABELS[(row + 1) % 2]!;
const probability = (row: number): number => 0.99 - 0.05 * row;

export class Server implements Source {
  readonly read_only = false;
  pending: Pending = { version: "main", head: "h0", revision: 0, changes: [], undo: 0, redo: 0, conflicts: [], idle: [], test_rows: 0 };
  issues: readonly Issue[] = [SUSPECTS];
  compared: Compared | null = null;
  runs = [RUN];
  kind: Kind = "train";
  jobs: Job[] = [];
  versions = ["main"];
  /** Paths asked for, with the bodies that came with them. */
  readonly asked: { readonly path: string; readonly body?: unknown }[] = [];
  private past: (readonly Change[])[] = [];
  private readonly listeners = new Set<(event: Event) => void>();
  private keys = 0;

  async json<T>(path: string): Promise<T> {
    this.asked.push({ path });
    return this.answer(path) as T;
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    this.asked.push({ path });
    const split = Uint8Array.from({ length: ROWS }, (_, row) => (row === 5 ? 1 : 0));
    const table = tableFromArrays({ variability: new Float32Array(ROWS), confidence: new Float32Array(ROWS), split });
    return tableToIPC(table, { format: "stream" })!.slice().buffer as ArrayBuffer;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    this.asked.push({ path, body });
    return this.change(path, body as Record<string, unknown>) as T;
  }

  async file(): Promise<{ readonly name: string; readonly blob: Blob }> {
    return { name: "rows.csv", blob: new Blob([]) };
  }

  readonly events = (heard: (event: Event) => void): (() => void) => {
    this.listeners.add(heard);
    return () => void this.listeners.delete(heard);
  };

  tell(event: Event): void {
    this.listeners.forEach((heard) => heard(event));
  }

  /** Somebody else edits. */
  elsewhere(changes: readonly Change[]): void {
    this.add(changes, "Eve");
  }

  private answer(path: string): unknown {
    const [route, query] = path.split("?");
    const said = new URLSearchParams(query);
    if (route === "workspace") return { project: "toy", labels: LABELS, author: "Ann", runs: this.runs, versions: this.versions.map((name, edits) => ({ id: `h${edits}`, name, edits, rows: ROWS })), run: "run-1", read_only: false };
    if (route === "pending") return this.pending;
    if (route === "jobs") return { jobs: this.jobs };
    if (route === "compare") return this.compared;
    if (route?.endsWith("/issues")) return { run: "run-1", issues: this.issues, notes: [] };
    if (route?.endsWith("/losses")) return { losses: [] };
    if (route?.endsWith("/rows")) return { rows: (said.get("at") ?? "").split(",").map((row) => seen(Number(row))) };
    const example = /examples\/(\d+)$/.exec(route ?? "");
    if (example) return whole(Number(example[1]));
    return { ...info, kind: this.kind, summary: this.runs[0] };
  }

  private change(path: string, body: Record<string, unknown>): unknown {
    if (path.endsWith("/locate")) return { rows: (body["ids"] as string[]).map((id) => Number(id.slice(1))) };
    if (path === "compare/cell") return { ids: ["r2", "r4"] };
    if (path === "train") return { id: "j1", command: "", state: "waiting", progress: null, run: null, said: "" };
    if (body["revision"] !== this.pending.revision) {
      throw new ApiError(409, { kind: "ConflictError", message: "the pending changes have gone on", fix: "look again" }, this.pending as never);
    }
    switch (path) {
      case "pending":
        return this.add(body["changes"] as Change[], "Ann");
      case "pending/undo":
        return this.step(this.past.pop() as Pending["changes"]);
      case "pending/discard": {
        const keys = body["keys"] as string[];
        return this.step(this.pending.changes.filter((one) => !keys.includes(one.key)));
      }
      case "pending/commit": {
        const edits = this.pending.changes.length;
        this.step([]);
        return { id: "h1", name: body["name"], changes: edits, idle: 0, edits, rows: ROWS, command: "tunewright train" };
      }
    }
    throw new Error(path);
  }

  private add(changes: readonly Change[], author: string): Pending {
    this.past.push(this.pending.changes);
    return this.step([...this.pending.changes, ...changes.map((one) => ({ ...one, key: `k${this.keys++}`, author, when: "2026-01-01T00:00:00Z" }))]);
  }

  private step(changes: Pending["changes"]): Pending {
    this.pending = { ...this.pending, changes, revision: this.pending.revision + 1, undo: this.past.length };
    return this.pending;
  }
}

const seen = (row: number): unknown => ({
  row,
  id: `r${row}`,
  values: { text: `text ${row}`, label: label(row), suggested: suggested(row), suggested_probability: probability(row) },
});

const whole = (row: number): unknown => ({
  row,
  id: `r${row}`,
  split: "train",
  blocks: [{ type: "text", title: "text", text: `text <b>${row}</b>`, spans: [] }],
  label: label(row),
  predicted: suggested(row),
  probabilities: [],
  epochs: [],
  scores: {},
  values: {},
  history: [],
  suggestion: { label: suggested(row), probability: probability(row) },
});

const column = { meaning: "", unit: "", low: null, high: null, direction: "", categories: [], min: 0, max: 1, missing: 0, base: true };
const info = {
  id: "run-1",
  kind: "train",
  examples: ROWS,
  columns: [
    { ...column, name: "variability", kind: "number" },
    { ...column, name: "confidence", kind: "number" },
    { ...column, name: "split", kind: "category", categories: ["train", "test"] },
  ],
  layouts: [{ name: "map", title: "Data map", x: "variability", y: "confidence" }],
  epochs: 2,
  fields: ["text"],
  methods: [],
  reference: 0,
  etag: "e1",
  notes: [],
};
