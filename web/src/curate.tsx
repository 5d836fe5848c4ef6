/** Edits of the data: of the selection or one row, waiting in a list until they are committed as a version. */

import { Commit } from "./commit";
import "./curate.css";
import { Edits } from "./edits";
import { Editor } from "./editor";
import { count, Part } from "./parts";
import { aim, committed, conflict, insist, readOnly, version, yieldTo } from "./pending";
import { primary, selection, workspace } from "./state";
import { Training } from "./training";

export function Curate() {
  if (readOnly.value) return <p class="muted">This page was exported as a file: its data cannot be edited here.</p>;
  if (!version.value) return <p class="muted">No run is open.</p>;
  const chosen = selection.value.rows.length > 0 || primary.value !== null;
  return (
    <>
      <Conflicted />
      <Aim />
      <Part title="Edit">{chosen ? <Editor /> : <p class="muted">Select rows on the map, in the table, or from an issue, to edit them.</p>}</Part>
      <Edits />
      <Commit />
      {committed.value && <Training made={committed.value} />}
    </>
  );
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

/** Two people edited the same rows: both are shown, and the reader chooses. */
function Conflicted() {
  const met = conflict.value;
  if (!met) return null;
  const mine = new Set(met.mine.flatMap((one) => one.ids));
  return (
    <section class="conflict" role="alert" aria-label="Conflict">
      <strong>{met.message}</strong>
      {met.fix && <p>{met.fix}</p>}
      {met.theirs.length > 0 && (
        <ul>
          {met.theirs.map((one) => (
            <li key={one.key}>
              {one.author} did: {one.action} {one.value ?? ""} ({count(one.ids.length, "row")})
              {one.ids.some((id) => mine.has(id)) && <em> on rows of yours</em>}
            </li>
          ))}
        </ul>
      )}
      {met.mine.length > 0 && (
        <ul>
          {met.mine.map((one, index) => (
            <li key={index}>
              You asked: {one.action} {one.value ?? ""} ({count(one.ids.length, "row")})
            </li>
          ))}
        </ul>
      )}
      <div class="row">
        {met.mine.length > 0 && (
          <button type="button" class="main" onClick={() => void insist()}>
            Apply mine on top
          </button>
        )}
        <button type="button" onClick={yieldTo}>
          {met.mine.length ? "Leave theirs" : "All right"}
        </button>
      </div>
    </section>
  );
}
