/** Filters over columns; what passes them is in `filtering/crossed.ts`. */

/** `range` is inclusive at both ends; `codes` are those that pass. Rows with a missing value pass only where `missing` is true. */
export type Filter =
  | { readonly by: "range"; readonly low: number; readonly high: number; readonly missing?: boolean }
  | { readonly by: "codes"; readonly codes: ReadonlySet<number>; readonly missing?: boolean };

/** Names of categories in an address, with commas between: `%`, `,`, `?` and `@` are escaped, and `@` is the empty name. */
export const spelled = (names: readonly string[]): string => names.map((name) => name.replace(/[%,?@]/g, encodeURIComponent) || "@").join(",");

/** The names again. */
export const unspelled = (text: string): readonly string[] =>
  text ? text.split(",").map((name) => (name === "@" ? "" : name.replace(/%(25|2C|3F|40)/g, decodeURIComponent))) : [];

/** The codes of names, without those that are not there. */
export const coded = (names: readonly string[], categories: readonly string[]): ReadonlySet<number> =>
  new Set(names.map((name) => categories.indexOf(name)).filter((code) => code >= 0));

/** A filter of one run for the same column of another, whose categories may have other codes; null if it lets nothing pass there. */
export function translated(filter: Filter, from: readonly string[], to: readonly string[]): Filter | null {
  if (filter.by === "range" || !from.length) return filter;
  const codes = coded([...filter.codes].map((code) => from[code]!), to);
  return codes.size || filter.missing ? { ...filter, codes } : null;
}
