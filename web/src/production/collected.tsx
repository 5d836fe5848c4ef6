/** Rows of production that the monitor keeps for people to label, by the reason for which it took them. */

import type { Collected } from "../api";
import { Command, count } from "../parts";
import { find } from "../seen";
import { during, select } from "../state";

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
  const show = (ids: readonly string[]): Promise<unknown> => during(async () => select(await find(ids)));
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col">Rows</th>
          <th scope="col">Labelled</th>
          <th scope="col">
            <span class="sr">Select</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {found.reasons.map((one) => (
          <tr key={one.reason}>
            <th scope="row">
              <bdi>{one.reason}</bdi>
            </th>
            <td class="number">{one.rows.toLocaleString("en")}</td>
            <td class="number">{one.labelled.toLocaleString("en")}</td>
            <td>
              <button type="button" aria-label={`Select the rows collected for ${one.reason}`} onClick={() => void show(one.ids)}>
                Select
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
