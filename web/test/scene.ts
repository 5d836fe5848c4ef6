/** A run of `rows` examples for tests of the table and the detail, and the source that answers from it. */

import { tableFromArrays, tableToIPC } from "@uwdata/flechette";

import type { ColumnInfo, Example, Heat, Neighbour, Predicted, RunInfo, Source } from "../src/api";

export const HOSTILE = [
  "<script>window.hurt = 1</script>",
  "</script><img src=x onerror='window.hurt = 1'>",
  "\u202eright to left override\u202c שלום עולם",
  "nul \0 and bell \u0007",
  "emoji 👨‍👩‍👧 and 😀 pairs",
] as const;

const LABELS = ["neg", "pos"];

function column(name: string, kind: ColumnInfo["kind"], more: Partial<ColumnInfo> = {}): ColumnInfo {
  const none = { unit: "", low: null, high: null, direction: "", min: null, max: null, categories: [] } as const;
  return { ...none, name, kind, meaning: `what ${name} means`, missing: 0, base: kind !== "text", ...more };
}

export function example(row: number, more: Partial<Example> = {}): Example {
  return {
    row,
    id: `r${row}`,
    split: "train",
    blocks: [{ type: "text", title: "text", text: `text of ${row}`, spans: [] }],
    label: "neg",
    predicted: "pos",
    probabilities: [
      { label: "pos", probability: 0.75 },
      { label: "neg", probability: 0.25 },
    ],
    epochs: [],
    scores: {},
    values: {},
    history: [],
    suggestion: null,
    ...more,
  };
}

export class Scene implements Source {
  readonly read_only = false;
  notes: readonly string[] = [];
  readonly asked: string[] = [];
  readonly posted: { readonly path: string; readonly body: unknown }[] = [];
  example: (row: number) => Example = example;
  heat: Partial<Heat> = {};
  predicted: Partial<Predicted> = {};
  neighbours: readonly Neighbour[] = [];

  constructor(private readonly rows: number) {}

  async json<T>(path: string): Promise<T> {
    this.asked.push(path);
    const [route, query] = path.split("?") as [string, string | undefined];
    const [, row] = /examples\/(\d+)$/.exec(route) ?? [];
    if (row) return this.example(Number(row)) as T;
    return this.answer(route, new URLSearchParams(query)) as T;
  }

  private answer(route: string, query: URLSearchParams): unknown {
    if (route === "workspace") return { project: "toy", labels: LABELS, author: "Ann", runs: [], versions: [], run: "run", read_only: true };
    if (route.endsWith("/rows")) return { rows: query.get("at")!.split(",").map((row) => this.row(Number(row))) };
    if (route.endsWith("/neighbours")) return { neighbours: this.neighbours };
    return this.info();
  }

  private row(row: number): unknown {
    return { row, id: `r${row}`, values: { text: HOSTILE[row % HOSTILE.length]! } };
  }

  private info(): RunInfo {
    const columns = [
      column("text", "text"),
      column("label", "category", { categories: LABELS }),
      column("predicted", "category", { categories: LABELS }),
      column("confidence", "number", { low: 0, high: 1, min: 0, max: 1, direction: "good" }),
    ];
    const summary = { id: "run", kind: "train", status: "finished", created: "", version: "main", split: "train", parent: "", coverage: 1, metrics: {} } as const;
    return {
      id: "run", kind: "train", summary, examples: this.rows, columns, layouts: [], epochs: 2, fields: ["text"],
      methods: ["integrated_gradients", "gradient_x_input"], reference: 0, etag: "e", notes: this.notes,
    };
  }

  async bytes(): Promise<ArrayBuffer> {
    const of = <T extends { [at: number]: number }>(values: T, make: (row: number) => number): T => {
      for (let row = 0; row < this.rows; row++) values[row] = make(row);
      return values;
    };
    const table = tableFromArrays({
      label: of(new Uint8Array(this.rows), (row) => row % 2),
      predicted: of(new Uint8Array(this.rows), (row) => (row % 3 ? row % 2 : 0)),
      confidence: of(new Float32Array(this.rows), (row) => (row === 4 ? Number.NaN : (row % 10) / 10)),
    });
    return tableToIPC(table, { format: "stream" })!.slice().buffer as ArrayBuffer;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    this.posted.push({ path, body });
    const none = { method: "integrated_gradients", tokens: [], target: "neg", faithfulness: null, ms: 12 };
    if (path.endsWith("/explain")) return { ...none, ...this.heat } as T;
    return { predicted: "neg", probabilities: [], blocks: [], ms: 7, ...this.predicted } as T;
  }

  async file(): Promise<{ readonly name: string; readonly blob: Blob }> {
    return { name: "rows.csv", blob: new Blob([]) };
  }

  events(): () => void {
    return () => undefined;
  }
}
