/** Edits of the data: of the selection or one row, waiting in a list until they are committed as a version. */

import { Commit } from "./commit";
import { anyEdit, ConflictHere } from "./conflict";
import "./curate.css";
import { Edits } from "./edits";
import { Editor } from "./editor";
import { Foreign } from "./foreign";
import { Part } from "./parts";
import { aim, foreign, readOnly, version } from "./pending";
import { primary, selection, workspace } from "./state";
import { Training } from "./training";

export function Curate() {
  if (readOnly.value) return <p class="muted">This page was exported as a file: its data cannot be edited here.</p>;
  if (!version.value) return <p class="muted">No run is open.</p>;
  return (
    <>
      <ConflictHere of={anyEdit} />
      <Aim />
      <Part title="Edit">{foreign.value ? <Foreign /> : <Chosen />}</Part>
      <Edits />
      <Commit />
      <Training />
    </>
  );
}

function Chosen() {
  const chosen = selection.value.rows.length > 0 || primary.value !== null;
  return chosen ? <Editor /> : <p class="muted">Select rows on the map, in the table, or from an issue, to edit them.</p>;
}

/** Which version is edited, where there are several. */
function Aim() {
  const names = workspace.value?.versions.map((one) => one.name).filter(Boolean) ?? [];
  if (names.length < 2) return null;
  return (
    <label class="row aim">
      <span class="muted">Edits of version</span>
      <select value={version.value ?? ""} onChange={(event) => (aim.value = event.currentTarget.value)}>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
