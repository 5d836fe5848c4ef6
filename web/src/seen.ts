/** Ids and labels of rows by number, as the reader saw them: what an edit names, and what it must find unchanged. */

import type { Row } from "./api";
import { api, points } from "./state";

/** Rows that one request may ask for. */
const CHUNK = 500;

let of = "";
let rows = new Map<number, Row>();
let numbers = new Map<string, number>();

/** What was seen of another run, or before a column changed, is forgotten. */
function kept(): { readonly run: string } {
  const now = points.value;
  if (!now) throw new Error("no run is open");
  const key = `${now.run.id} ${now.run.etag}`;
  if (key !== of) {
    of = key;
    rows = new Map();
    numbers = new Map();
  }
  return { run: now.run.id };
}

function remember(found: readonly Row[]): void {
  for (const one of found) {
    rows.set(one.row, one);
    numbers.set(one.id, one.row);
  }
}

/** The rows of these numbers, in this order; those that were seen before are not asked for again. */
export async function look(wanted: readonly number[]): Promise<Row[]> {
  const { run } = kept();
  const unknown = wanted.filter((row) => !rows.has(row));
  for (let at = 0; at < unknown.length; at += CHUNK) {
    remember((await api().rows(run, unknown.slice(at, at + CHUNK))).rows);
  }
  return wanted.flatMap((row) => rows.get(row) ?? []);
}

/** Ids of rows, in this order. */
export async function identify(wanted: readonly number[]): Promise<string[]> {
  return (await look(wanted)).map((one) => one.id);
}

/** Row numbers of ids, without those that the open run lacks. */
export async function find(ids: readonly string[]): Promise<Uint32Array> {
  const { run } = kept();
  const found = await api().locate(run, ids);
  return Uint32Array.from(found.rows.filter((row) => row >= 0));
}

/** Rows of ids; those that the open run lacks are left out. */
async function rowsOf(ids: readonly string[]): Promise<Row[]> {
  kept();
  const unknown = ids.filter((id) => !numbers.has(id));
  if (unknown.length) await look([...(await find(unknown))]);
  return ids.flatMap((id) => rows.get(numbers.get(id) ?? -1) ?? []);
}

const texts = (found: readonly Row[], name: string): (readonly [string, string])[] =>
  found.flatMap((row) => {
    const value = row.values[name];
    return typeof value === "string" ? [[row.id, value] as const] : [];
  });

/** Labels that the reader saw, by id; rows without a label are left out. */
export const labelled = async (ids: readonly string[]): Promise<Record<string, string>> =>
  Object.fromEntries(texts(await rowsOf(ids), "label"));

/** Labels that the detectors suggest, by id; rows without one are left out. */
export const suggestedOf = async (ids: readonly string[]): Promise<Map<string, string>> =>
  new Map(texts(await rowsOf(ids), "suggested"));
