/** Why nothing can be done to a row of production, and what can be done instead. */

import { Command } from "./parts";
import { run } from "./state";

export function Foreign() {
  return (
    <>
      <p class="muted small">Rows of production belong to no version of the data, so they cannot be relabelled, dropped or tagged. Those worth a label can be written to a file; with their labels they become rows of a version.</p>
      <Command text={`tunewright monitor collected --name ${run.value?.id} --csv label.csv`} label="Writes rows that are worth a label" />
    </>
  );
}
