/** Rows of production that the monitor keeps for people to label, by the reason for which it took them. */

import type { Collected } from "../api";
import { Command, count } from "../parts";
import { find } from "../seen";
import { during, select } from "../state";
import { Groups } from "./rows";

export function CollectedRows({ found }: { readonly found: Collected }) {
  if (!found.budget) return null;
  return (
    <>
      <h2>Collected to be labelled</h2>
      <p>
        {count(found.rows, "row")} of at most {found.budget.toLocaleString("en")}. <span class="muted">A row with several reasons counts for each.</span>
      </p>
      {found.reasons.length > 0 && <Reasons found={found} />}
      <Command text={`tunewright monitor collected --name ${found.run} --csv label.csv`} label="Writes the list for labelling" />
    </>
  );
}

function Reasons({ found }: { readonly found: Collected }) {
  const groups = found.reasons.map(({ reason, rows, labelled, ids }) => ({
    name: reason,
    cells: [rows.toLocaleString("en"), labelled.toLocaleString("en")] as const,
    label: `Select the rows collected for ${reason}`,
    onSelect: () => during(async () => select(await find(ids))),
  }));
  return <Groups heads={["Reason", "Rows", "Labelled"]} groups={groups} />;
}
