/** What the server says, and how to ask it. Every type here is one response of `/api`; the OpenAPI document names the same. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export type Kind = "train" | "eval" | "production";
export type Severity = "high" | "medium" | "low";

export interface RunSummary {
  readonly id: string;
  readonly kind: Kind;
  readonly status: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** Name of the dataset version, its id where it has none. */
  readonly version: string;
  readonly split: string;
  /** The training run whose model an evaluation or a production run used; empty: none. */
  readonly parent: string;
  readonly coverage: number | null;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface VersionSummary {
  readonly id: string;
  readonly name: string;
  readonly edits: number;
  readonly rows: number;
}

export interface Workspace {
  readonly project: string;
  readonly labels: readonly string[];
  readonly author: string;
  readonly runs: readonly RunSummary[];
  readonly versions: readonly VersionSummary[];
  /** The run to open first. */
  readonly run: string | null;
  /** Nothing can be changed: a page exported as a file. */
  readonly read_only: boolean;
}

export interface ColumnInfo {
  readonly name: string;
  /** `number`: Float32, NaN where missing. `category`: codes into `categories`, the largest code where missing. `flag`: 0, 1, 255 missing. `text`: never sent in bulk. */
  readonly kind: "number" | "category" | "flag" | "text";
  readonly meaning: string;
  readonly unit: string;
  readonly low: number | null;
  readonly high: number | null;
  readonly direction: "good" | "bad" | "";
  readonly categories: readonly string[];
  /** Smallest and largest value; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly missing: number;
  /** Sent with the points; others are asked for by name. */
  readonly base: boolean;
}

export interface Layout {
  /** `map`: the data map; `across`: that of several runs, by their means; others: `umap`, `pca`, `said`. */
  readonly name: string;
  readonly title: string;
  /** Columns of the horizontal and vertical position. */
  readonly x: string;
  readonly y: string;
}

export interface RunInfo {
  readonly id: string;
  readonly kind: Kind;
  readonly summary: RunSummary;
  readonly examples: number;
  readonly columns: readonly ColumnInfo[];
  readonly layouts: readonly Layout[];
  /** Epochs whose dynamics were recorded; 0: none. */
  readonly epochs: number;
  /** Columns of text that the model reads, in order. */
  readonly fields: readonly string[];
  /** Ways to explain a row; empty: no model is kept, and nothing can be predicted. */
  readonly methods: readonly string[];
  /** Rows of the reference on the map of a production run; 0: there is none. */
  readonly reference: number;
  /** Changes when a column of the run changed: what was read before is stale. */
  readonly etag: string;
  /** Sentences a reader should know, such as coverage. */
  readonly notes: readonly string[];
}

export type Cell = Json;

export interface Row {
  readonly row: number;
  readonly id: string;
  /** By column; texts are cut to 300 characters. */
  readonly values: Readonly<Record<string, Cell>>;
}

/** A part of a text: from `start` to before `end`, in code points as Python counts them, not UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** `gold`, `predicted`, or both at once as two spans. */
  readonly kind: string;
}

export interface Probability {
  readonly label: string;
  readonly probability: number;
}

export interface Epoch {
  readonly epoch: number;
  readonly gold_probability: number | null;
  readonly loss: number | null;
  readonly margin: number | null;
  readonly correct: boolean | number | null;
}

/** A block of the user's own visualiser, or of the task's lens. Text is text, never markup. */
export type Block =
  | { readonly type: "text"; readonly title: string; readonly text: string; readonly spans: readonly Span[]; readonly rtl?: boolean }
  | { readonly type: "bars"; readonly title: string; readonly bars: readonly { readonly name: string; readonly value: number }[] }
  | { readonly type: "table"; readonly title: string; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] };

export interface Example {
  readonly row: number;
  readonly id: string;
  readonly split: string | null;
  /** Every text field whole, in order; spans mark gold and predicted answers. */
  readonly blocks: readonly Block[];
  readonly label: Cell;
  readonly predicted: Cell;
  readonly probabilities: readonly Probability[];
  readonly epochs: readonly Epoch[];
  /** Metrics of this row, such as rouge1, f1. */
  readonly scores: Readonly<Record<string, number | null>>;
  /** All other columns. */
  readonly values: Readonly<Record<string, Cell>>;
  /** Edits of the version that touched this row, first to last. */
  readonly history: readonly { readonly action: string; readonly who: string; readonly when: string; readonly why: string }[];
  readonly suggestion: { readonly label: string; readonly probability: number | null } | null;
}

export interface Neighbour {
  /** -1: a row that this run does not show, such as one of the reference beside production. */
  readonly row: number;
  readonly id: string;
  readonly similarity: number;
  readonly label: Cell;
  readonly split: string | null;
  readonly text: string;
}

export interface Heat {
  readonly method: string;
  /** One per token, in reading order; `start` and `end` are offsets like those of `Span`, in the block named by `field`. */
  readonly tokens: readonly { readonly text: string; readonly score: number; readonly field: string; readonly start: number; readonly end: number }[];
  /** The gold target, and its loss in nats, of which the scores are shares. */
  readonly target: string;
  readonly loss?: number;
  /** How far to believe the scores: sentences by their name. */
  readonly evidence?: Readonly<Record<string, string>>;
  /** Deletion test of this row: change of the loss, in nats, when the words of the largest scores are masked, against as many random words, mean of `n` draws; null: not measured. */
  readonly faithfulness: { readonly value: number; readonly random: number; readonly n: number } | null;
  readonly ms: number;
}

export interface Predicted {
  readonly predicted: Cell;
  readonly probabilities: readonly Probability[];
  readonly blocks: readonly Block[];
  readonly ms: number;
}

export interface Fix {
  readonly action: "relabel" | "drop" | "keep" | "tag";
  /** What the button says. */
  readonly title: string;
  /** The tag to give; null for the rest, and for relabelling, which takes each row's suggestion. */
  readonly value: string | null;
}

export interface Issue {
  readonly id: string;
  /** `suspect`, `duplicate`, `leak`, `conflict`, `slice`, `truncated`, `unlearnt`, `lint`. */
  readonly kind: string;
  readonly title: string;
  readonly why: string;
  readonly severity: Severity;
  /** Share of the rows, or of the loss, that it concerns, in [0, 1]: what issues of one severity are ranked by. */
  readonly effect: number;
  readonly count: number;
  /** Rows of this run in the order in which to read them, those that the fix is for; at most 10,000. Empty: it is about no single row, or about rows that the run does not show. */
  readonly rows: readonly number[];
  readonly fix: Fix | null;
  /** The same, typed in a shell. */
  readonly command: string;
}

export interface Issues {
  readonly run: string;
  /** Worst first. */
  readonly issues: readonly Issue[];
  /** What was not looked at, and the command that does. */
  readonly notes: readonly string[];
}

/** `reject`: a suggested label is refused, so that it is not offered again; the row stays as it is. */
export type Action = "relabel" | "drop" | "keep" | "reweight" | "tag" | "note" | "reject";

export interface Change {
  readonly action: Action;
  readonly ids: readonly string[];
  /** New label (relabel), label that is refused (reject), tag, note (empty takes it away); null for the rest. */
  readonly value: string | null;
  /** Label the author saw, by id: another one there is a conflict. */
  readonly old: Readonly<Record<string, string>> | null;
  readonly weight: number | null;
  readonly reason: string;
  /** Run that suggested it, empty or left out: nobody did. A relabelling that a run suggested counts as accepted. */
  readonly run?: string;
  /** What found the rows, such as `suspicion`. */
  readonly analysis?: string;
}

export interface PendingChange extends Change {
  readonly key: string;
  readonly author: string;
  readonly when: string;
}

/** A row that somebody else changed since: its change cannot be committed. */
export interface Conflict {
  readonly key: string;
  readonly id: string;
  /** Label that the author saw, and the one that the row has now; null: the row is gone, or has none. */
  readonly seen: string | null;
  readonly now: string | null;
}

export interface Pending {
  /** Name of the version that the changes apply to, and the id it had when they began. */
  readonly version: string;
  readonly head: string;
  /** Grows with each change; a request that names an older one is refused with 409 and the present state. */
  readonly revision: number;
  readonly changes: readonly PendingChange[];
  readonly undo: number;
  readonly redo: number;
  readonly conflicts: readonly Conflict[];
  /** Keys of changes of which nothing comes: another one has the last word on their rows, or these go, or are so already. */
  readonly idle: readonly string[];
  /** Rows of the test split that would change: `commit` must be told to allow it. */
  readonly test_rows: number;
}

export interface Committed {
  readonly id: string;
  readonly name: string;
  /** Pending changes that are in it, and those of which nothing came. */
  readonly changes: number;
  readonly idle: number;
  /** Edits of the version: each gathers changes of one kind, author and reason. */
  readonly edits: number;
  readonly rows: number;
  /** Trains this version. */
  readonly command: string;
}

export interface Job {
  readonly id: string;
  readonly command: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "stopped";
  /** 0 to 1; null: not known yet. */
  readonly progress: number | null;
  readonly run: string | null;
  readonly said: string;
}

/** What the training logged at one step; `epoch` counts fractions. */
export interface StepLoss {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number | null;
  readonly eval_loss: number | null;
}

/** One server-sent event, by its name. */
export type Event =
  | { readonly event: "job"; readonly data: Job }
  | { readonly event: "loss"; readonly data: { readonly run: string; readonly step: number; readonly epoch: number; readonly loss: number | null; readonly eval_loss: number | null } }
  | { readonly event: "run"; readonly data: { readonly run: string; readonly etag: string; readonly status: string } }
  | { readonly event: "pending"; readonly data: { readonly version: string; readonly revision: number } };

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

export interface Confusion {
  readonly labels: readonly string[];
  /** counts[gold][predicted] */
  readonly counts: readonly (readonly number[])[];
}

export interface Compared {
  /** Runs whose predictions are compared: evaluations of what was asked for, or, on validation rows, the trainings themselves. Their points are the rows. */
  readonly a: string;
  readonly b: string;
  readonly split: string;
  readonly metrics: readonly { readonly name: string; readonly a: Interval; readonly b: Interval; readonly difference: Interval; readonly p: number | null; readonly verdict: "better" | "worse" | "cannot tell" }[];
  readonly confusion: { readonly a: Confusion; readonly b: Confusion } | null;
  /** Ids that only B has right, and that only A has; at most 10,000 of each. */
  readonly wins: readonly string[];
  readonly losses: readonly string[];
  readonly slices: readonly { readonly name: string; readonly n: number; readonly a: number; readonly b: number; readonly difference: Interval; readonly p: number; readonly verdict: "better" | "worse" | "cannot tell"; readonly ids: readonly string[] }[];
  readonly sentence: string;
  /** The same, typed in a shell. */
  readonly command: string;
}

/** Rows of one cell of a confusion matrix. */
export interface ConfusionCell {
  readonly ids: readonly string[];
}

/** How well the model does on a selection, against the other rows of the same splits. */
export interface Measured {
  readonly metric: string;
  /** Rows asked for, and those of them that have the metric. */
  readonly rows: number;
  readonly selected: Interval | null;
  readonly rest: Interval | null;
  readonly difference: Interval | null;
  readonly verdict: "higher" | "lower" | "cannot tell";
  readonly sentence: string;
}

/** Rows of production worth a label, of at most `budget`. A row with several reasons counts for each. */
export interface Collected {
  readonly run: string;
  readonly rows: number;
  readonly budget: number;
  /** The most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly rows: number; readonly labelled: number; readonly ids: readonly string[] }[];
}

export interface View {
  readonly name: string;
  /** The query of the page's address. */
  readonly query: string;
}

export interface Failure {
  readonly kind: string;
  readonly message: string;
  readonly fix: string;
}

/** A refusal of the server, in words for the reader. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly failure: Failure,
    /** What a conflict (409) brings: the present state. */
    readonly state: Json = null,
  ) {
    super(failure.message);
  }
}

/** Where answers come from: the server, or the file the page was exported to. */
export interface Source {
  readonly read_only: boolean;
  json<T>(path: string, signal?: AbortSignal): Promise<T>;
  bytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer>;
  post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T>;
  /** Answer of a POST as a file to be saved. */
  file(path: string, body: unknown): Promise<{ readonly name: string; readonly blob: Blob }>;
  /** Listens until the returned function is called. */
  events(heard: (event: Event) => void): () => void;
}

const run = (id: string): string => `runs/${encodeURIComponent(id)}`;

/** The requests of the page. Each is one route of the server. */
export function client(source: Source) {
  return {
    read_only: source.read_only,
    workspace: () => source.json<Workspace>("workspace"),
    run: (id: string) => source.json<RunInfo>(run(id)),
    /** With `like`, the rows are in the order of that run: NaN and missing codes where this one lacks an example. */
    points: (id: string, like?: string) => source.bytes(`${run(id)}/points${like ? `?like=${encodeURIComponent(like)}` : ""}`),
    column: (id: string, name: string) => source.bytes(`${run(id)}/columns/${encodeURIComponent(name)}`),
    losses: (id: string) => source.json<{ readonly losses: readonly StepLoss[] }>(`${run(id)}/losses`),
    /** Places of the reference on the map of production, columns `x` and `y`. */
    reference: (id: string) => source.bytes(`${run(id)}/reference`),
    epochs: (id: string) => source.bytes(`${run(id)}/epochs`),
    rows: (id: string, at: readonly number[], signal?: AbortSignal) =>
      source.json<{ readonly rows: readonly Row[] }>(`${run(id)}/rows?at=${at.join(",")}`, signal),
    example: (id: string, row: number, signal?: AbortSignal) => source.json<Example>(`${run(id)}/examples/${row}`, signal),
    /** Rows of ids, -1 where the run has none. */
    locate: (id: string, ids: readonly string[]) => source.post<{ readonly rows: readonly number[] }>(`${run(id)}/locate`, { ids }),
    search: (id: string, text: string, signal?: AbortSignal) =>
      source.json<{ readonly rows: readonly number[]; readonly total: number; readonly ms: number }>(
        `${run(id)}/search?q=${encodeURIComponent(text)}`,
        signal,
      ),
    neighbours: (id: string, row: number, k = 10) =>
      source.json<{ readonly neighbours: readonly Neighbour[] }>(`${run(id)}/neighbours?row=${row}&k=${k}`),
    near: (id: string, text: string, k = 50) =>
      source.post<{ readonly neighbours: readonly Neighbour[] }>(`${run(id)}/near`, { text, k }),
    explain: (id: string, row: number, method: string) => source.post<Heat>(`${run(id)}/explain`, { row, method }),
    predict: (id: string, fields: Readonly<Record<string, string>>) => source.post<Predicted>(`${run(id)}/predict`, { fields }),
    issues: (id: string) => source.json<Issues>(`${run(id)}/issues`),
    measure: (id: string, rows: readonly number[], signal?: AbortSignal) => source.post<Measured>(`${run(id)}/measure`, { rows }, signal),
    report: (id: string) => source.json<Record<string, Json>>(`${run(id)}/monitor`),
    /** Alerts of a monitor and where they stand; asking sends nothing. */
    alerts: (id: string) => source.json<Record<string, Json>>(`${run(id)}/alerts`),
    /** Rows that a monitor collected to be labelled, by reason. */
    collected: (id: string) => source.json<Collected>(`${run(id)}/collected`),
    pending: (version: string) => source.json<Pending>(`pending?version=${encodeURIComponent(version)}`),
    change: (version: string, revision: number, changes: readonly Change[]) =>
      source.post<Pending>("pending", { version, revision, changes }),
    undo: (version: string, revision: number) => source.post<Pending>("pending/undo", { version, revision }),
    redo: (version: string, revision: number) => source.post<Pending>("pending/redo", { version, revision }),
    discard: (version: string, revision: number, keys: readonly string[]) =>
      source.post<Pending>("pending/discard", { version, revision, keys }),
    /** `skip` leaves rows in conflict pending and commits the rest; else they are a 409, and nothing is committed. */
    commit: (version: string, revision: number, name: string, reason: string, how: { readonly skip?: boolean; readonly allow_test?: boolean } = {}) =>
      source.post<Committed>("pending/commit", { version, revision, name, reason, ...how }),
    train: (version: string) => source.post<Job>("train", { version }),
    jobs: () => source.json<{ readonly jobs: readonly Job[] }>("jobs"),
    stop: (job: string) => source.post<Job>(`jobs/${encodeURIComponent(job)}/stop`, {}),
    compare: (a: string, b: string) => source.json<Compared>(`compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`),
    /** Ids of one cell of a run's confusion matrix, `run` being `a` or `b` of what `compare` said. */
    cell: (run: string, split: string, gold: string, predicted: string) =>
      source.post<ConfusionCell>("compare/cell", { run, split, gold, predicted }),
    export: (id: string, rows: readonly number[], format: "csv" | "jsonl" | "parquet") =>
      source.file(`${run(id)}/export`, { rows, format }),
    page: (id: string) => source.file(`${run(id)}/page`, {}),
    views: () => source.json<{ readonly views: readonly View[] }>("views"),
    save: (view: View) => source.post<{ readonly views: readonly View[] }>("views", view),
    forget: (name: string) => source.post<{ readonly views: readonly View[] }>("views/forget", { name }),
    events: source.events,
  };
}

export type Client = ReturnType<typeof client>;
