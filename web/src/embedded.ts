/** Answers from the file that this page was saved to: one run, to be read. */

import { ApiError, type Example, type Json, type Pending, type RunInfo, type Source } from "./api";
import { csv, jsonl } from "./export/files";

interface Archive {
  readonly run: string;
  /** What to open at, as an address says it. */
  readonly view: string;
  /** Rows per chunk. */
  readonly chunk: number;
  readonly ids: readonly string[];
  readonly json: Readonly<Record<string, Json>>;
  /** Arrow streams in base64. */
  readonly bytes: Readonly<Record<string, string>>;
}

/** All that the file knows of one row. */
interface Kept {
  readonly example: Example;
  readonly texts: Readonly<Record<string, Json>>;
}

/** What is asked for as a file. */
interface Wanted {
  readonly rows: readonly number[];
  readonly format: "csv" | "jsonl";
}

const CUT = 300; // characters of a text in a list, as the server cuts
const MOST = 100_000; // rows that a search answers

const decoded = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** What `part` holds: JSON, compressed, in base64. */
async function unpacked<T>(part: string): Promise<T> {
  const stream = new Blob([decoded(part)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json() as Promise<T>;
}

/** The source in a document, and what to open at; null where the page was served. */
export async function embedded(page: Document = document): Promise<{ readonly source: Source; readonly view: string } | null> {
  const parts = [...page.querySelectorAll("script.archive")].map((part) => part.textContent ?? "");
  if (!parts.length) return null;
  const archive = await unpacked<Archive>(parts[0]!);
  return { source: new File(archive, parts.slice(1)).source, view: archive.view };
}

const refused = (message: string): ApiError =>
  new ApiError(403, { kind: "file", message, fix: "This page is a file. For all of it: tunewright explore" });

class File {
  private readonly chunks = new Map<number, Promise<readonly Kept[]>>();
  private readonly rows: ReadonlyMap<string, number>;
  private folded: Promise<readonly string[]> | null = null;

  constructor(
    private readonly archive: Archive,
    private readonly parts: readonly string[],
  ) {
    this.rows = new Map(archive.ids.map((id, row) => [id, row]));
  }

  readonly source: Source = {
    read_only: true,
    json: <T>(path: string) => this.answer(path) as Promise<T>,
    bytes: async (path) => {
      const found = this.archive.bytes[decodeURIComponent(path)];
      if (found === undefined) throw refused("the file does not hold this column");
      return decoded(found).buffer;
    },
    post: async <T>(path: string, body: unknown) => {
      if (!path.endsWith("/locate")) throw refused("nothing can be changed or computed here");
      return { rows: (body as { ids: string[] }).ids.map((id) => this.rows.get(id) ?? -1) } as T;
    },
    file: async (path, body) => {
      if (!path.endsWith("/export")) throw refused("the file writes no other files");
      return this.written(body as Wanted);
    },
    events: () => () => undefined,
  };

  private async answer(path: string): Promise<unknown> {
    const [place, query] = path.split("?") as [string, string | undefined];
    const there = this.archive.json[decodeURIComponent(place)];
    if (there !== undefined) return there;
    const asked = new URLSearchParams(query);
    const what = decodeURIComponent(place).slice(`runs/${this.archive.run}/`.length);
    if (what === "rows") return { rows: await Promise.all((asked.get("at") ?? "").split(",").filter(Boolean).map((row) => this.listed(Number(row)))) };
    if (what === "search") return this.search(asked.get("q") ?? "");
    if (what.startsWith("examples/")) return (await this.kept(Number(what.slice("examples/".length)))).example;
    if (place === "pending") return nothing(asked.get("version") ?? "");
    if (place === "jobs") return { jobs: [] };
    throw refused("the file does not hold this");
  }

  private async kept(row: number): Promise<Kept> {
    const at = Math.floor(row / this.archive.chunk);
    const part = this.parts[at];
    if (part === undefined) throw refused("the file has no such row");
    if (!this.chunks.has(at)) this.chunks.set(at, unpacked(part));
    return (await this.chunks.get(at)!)[row % this.archive.chunk]!;
  }

  private async listed(row: number): Promise<{ row: number; id: string; values: Record<string, Json> }> {
    const kept = await this.kept(row);
    const cut = Object.fromEntries(Object.entries(kept.texts).map(([name, text]) => [name, short(text)]));
    return { row, id: kept.example.id, values: { ...valuesOf(kept), ...cut } };
  }

  /** Rows with all their columns as a file. */
  private async written({ rows, format }: Wanted): Promise<{ name: string; blob: Blob }> {
    const { run, json } = this.archive;
    const { columns } = json[`runs/${run}`] as unknown as RunInfo;
    const names = ["id", ...columns.map((one) => one.name).filter((name) => name !== "id")];
    const found = (await Promise.all(rows.map((row) => this.kept(row)))).map(valuesOf);
    const [text, type] = format === "csv" ? [csv(names, found), "text/csv"] : [jsonl(names, found), "application/jsonl"];
    return { name: `${run}-${rows.length}-rows.${format}`, blob: new Blob([text], { type }) };
  }

  /** Rows that hold every word, as the service finds them. */
  private async search(text: string): Promise<{ rows: number[]; total: number; ms: number }> {
    this.folded ??= this.fold();
    const texts = await this.folded;
    const began = performance.now();
    const wanted = terms(text);
    const rows = texts.flatMap((one, row) => (wanted.length && wanted.every((term) => term.test(one)) ? [row] : []));
    return { rows: rows.slice(0, MOST), total: rows.length, ms: performance.now() - began };
  }

  private async fold(): Promise<readonly string[]> {
    const all = await Promise.all(this.archive.ids.map((_, row) => this.kept(row)));
    return all.map(({ texts }) => plain(Object.values(texts).join("\n")));
  }
}

/** Without accents and capitals. */
const plain = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** What stands between words. */
const BETWEEN = "[^\\p{L}\\p{N}]";

/** What a query asks for: whole words, `begin*`, "words that stand together"; what holds no letter or digit stands anywhere. */
export function terms(query: string): readonly RegExp[] {
  const found = [...plain(query).matchAll(/"([^"]+)"|(\S+)/g)];
  return found.filter(([term]) => found.length === 1 || !/^["*]+$/.test(term)).map(([, quoted, bare]) => {
    const term = quoted ?? bare!;
    const words = term.match(/[\p{L}\p{N}]+/gu);
    if (!words) return new RegExp(term.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "u");
    const end = bare?.endsWith("*") ? "" : `(?=${BETWEEN}|$)`;
    return new RegExp(`(?<=^|${BETWEEN})${words.join(`${BETWEEN}+`)}${end}`, "u");
  });
}

/** All columns of a row, texts whole. */
function valuesOf({ example, texts }: Kept): Record<string, Json> {
  const { id, split, label, predicted, suggestion } = example;
  const suggested = suggestion ? { suggested: suggestion.label, suggested_probability: suggestion.probability } : {};
  return { ...example.values, ...suggested, ...texts, id, split, label, predicted };
}

const short = (text: Json): Json => (typeof text === "string" && text.length > CUT ? `${text.slice(0, CUT - 1)}…` : text);

const nothing = (version: string): Pending => ({ version, head: "", revision: 0, changes: [], undo: 0, redo: 0, conflicts: [], idle: [], test_rows: 0 });
