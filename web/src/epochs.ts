/** The data map as it was after each epoch, from the recorded dynamics. */

import type { Values } from "./wire";

/** Dynamics of a run: one array per epoch, [rows]; NaN and 255 where a row was not seen. */
export interface Dynamics {
  readonly probability: readonly Float32Array[];
  readonly correct: readonly Uint8Array[];
}

/** Dynamics from columns `p1`, `p2` ... and `c1`, `c2` ... */
export function dynamics(found: ReadonlyMap<string, Values>): Dynamics {
  const probability: Float32Array[] = [];
  const correct: Uint8Array[] = [];
  for (let epoch = 1; found.has(`p${epoch}`); epoch++) {
    probability.push(found.get(`p${epoch}`) as Float32Array);
    correct.push(found.get(`c${epoch}`) as Uint8Array);
  }
  return { probability, correct };
}

export interface MapAt {
  readonly confidence: Float32Array;
  /** Population standard deviation over the epochs seen. */
  readonly variability: Float32Array;
  /** Share of the epochs in which the row was right. */
  readonly correctness: Float32Array;
}

/** The data map over the first `epochs` epochs (Swayamdipta et al. 2020), over all where there are fewer, NaN where none saw a row. */
export function mapAt({ probability, correct }: Dynamics, epochs: number): MapAt {
  const rows = probability[0]?.length ?? 0;
  const last = Math.min(epochs, probability.length);
  const confidence = new Float32Array(rows);
  const variability = new Float32Array(rows);
  const correctness = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let seen = 0;
    let sum = 0;
    let squares = 0;
    let right = 0;
    for (let epoch = 0; epoch < last; epoch++) {
      const p = probability[epoch]![row]!;
      if (Number.isNaN(p)) continue;
      seen++;
      sum += p;
      squares += p * p;
      if (correct[epoch]![row] === 1) right++;
    }
    const mean = sum / seen;
    confidence[row] = mean;
    variability[row] = Math.sqrt(Math.max(0, squares / seen - mean * mean));
    correctness[row] = right / seen;
  }
  return { confidence, variability, correctness };
}
