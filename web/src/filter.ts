/** Filters over columns; what passes them is in `filtering/crossed.ts`. */

/** `range` is inclusive at both ends; `codes` are those that pass. Rows with a missing value pass only where `missing` is true. */
export type Filter =
  | { readonly by: "range"; readonly low: number; readonly high: number; readonly missing?: boolean }
  | { readonly by: "codes"; readonly codes: ReadonlySet<number>; readonly missing?: boolean };
