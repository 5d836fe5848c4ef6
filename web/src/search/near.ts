import type { Neighbour } from "../api";

/** Rows of neighbours, the most similar first; those that the run lacks are left out. */
export function nearest(neighbours: readonly Pick<Neighbour, "row" | "similarity">[]): Uint32Array {
  const there = neighbours.filter((one) => one.row >= 0).sort((a, b) => b.similarity - a.similarity);
  return Uint32Array.from(there, (one) => one.row);
}
