// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import { embedded, terms } from "../src/embedded";
import { csv } from "../src/export/files";

async function packed(value: unknown): Promise<string> {
  const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream("gzip"));
  return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
}

const INFO = { id: "r 1", columns: ["text", "label", "loss", "votes", "correct"].map((name) => ({ name })) };
const VALUES = { loss: 0.25, votes: ["a", 1], correct: true };

/** A saved page of three rows, two to a chunk. */
async function saved(): Promise<Document> {
  const ids = ["a", "b", "c"];
  const kept = ids.map((id, row) => ({ example: { row, id, split: "train", label: "neg", predicted: null, suggestion: null, values: VALUES }, texts: { text: `word ${id}` } }));
  const archive = { run: "r 1", view: "layout=umap", chunk: 2, ids, json: { "runs/r 1": INFO }, bytes: {} };
  const page = document.implementation.createHTMLDocument();
  for (const part of [archive, kept.slice(0, 2), kept.slice(2)]) {
    const script = page.createElement("script");
    script.type = "text/plain";
    script.className = "archive";
    script.textContent = await packed(part);
    page.body.append(script);
  }
  return page;
}

describe("a page that is a file", () => {
  it("says what to open at, and answers what the file holds", async () => {
    const { source, view } = (await embedded(await saved()))!;
    expect(view).toBe("layout=umap");
    expect(source.read_only).toBe(true);
    expect(await source.json("runs/r%201")).toEqual(INFO);
    expect(await source.json("runs/r%201/rows?at=2,0")).toMatchObject({ rows: [{ row: 2, id: "c", values: { text: "word c" } }, { row: 0, id: "a" }] });
    expect(await source.json("runs/r%201/search?q=WORD%20b")).toMatchObject({ rows: [1], total: 1 });
    expect(await source.post("runs/r%201/locate", { ids: ["c", "none"] })).toEqual({ rows: [2, -1] });
  });
  it("refuses all else, and says why", async () => {
    const { source } = (await embedded(await saved()))!;
    await expect(source.post("pending", {})).rejects.toMatchObject({ failure: { kind: "file" } });
    await expect(source.json("runs/r%201/examples/7")).rejects.toMatchObject({ failure: { message: "the file has no such row" } });
  });
  it("writes its rows to other files", async () => {
    const { source } = (await embedded(await saved()))!;
    const table = await source.file("runs/r%201/export", { rows: [2, 0], format: "csv" });
    expect(table.name).toBe("r 1-2-rows.csv");
    expect(await table.blob.text()).toBe('id,text,label,loss,votes,correct\r\nc,word c,neg,0.25,"[""a"",1]",True\r\na,word a,neg,0.25,"[""a"",1]",True\r\n');
    const lines = await source.file("runs/r%201/export", { rows: [1], format: "jsonl" });
    expect(JSON.parse(await lines.blob.text())).toEqual({ id: "b", text: "word b", label: "neg", ...VALUES });
    await expect(source.file("runs/r%201/page", {})).rejects.toMatchObject({ failure: { kind: "file" } });
  });
  it.each([
    ["=1+1", "'=1+1"],
    [" -1", "' -1"],
    ["a=b", "a=b"],
    ['say "a", b', '"say ""a"", b"'],
    ["nul \0", "nul ␀"],
    ["two\nlines", '"two\nlines"'],
  ])("writes the text %j to a table as %j", (text, said) => {
    expect(csv(["text"], [{ text }])).toBe(`text\r\n${said}\r\n`);
  });
  it("is none where the page was served", async () => {
    expect(await embedded(document.implementation.createHTMLDocument())).toBeNull();
  });
});

describe("a search", () => {
  const finds = (query: string, text: string): boolean => terms(query).every((term) => term.test(text));
  it.each([
    ["film", "a film, again", true],
    ["film", "films", false],
    ["fil*", "films", true],
    ["FILM", "the film", true],
    ["\u00e9t\u00e9", "ete", true],
    ['"two words"', "two, words", true],
    ['"two words"', "two more words", false],
    ["a.b", "a b", true],
    ["\u{1f600}", "so\u{1f600}", true],
    ["*", "2 * 3", true],
    ["*", "2", false],
    ['film "', "film", true],
    ["(", "(", true],
  ])("for %s in %s is %s, as in the service", (query, text, is) => {
    expect(finds(query, text)).toBe(is);
  });
});
