/** One example, whole; a pinned one stays beside it. */

import { pinned, primary, run } from "../state";
import { About } from "./about";
import { Card } from "./card";
import "./detail.css";

export function Detail() {
  if (!run.value) return <p class="muted">No run is open.</p>;
  const main = primary.value ?? pinned.value;
  if (main === null)
    return (
      <>
        <p class="muted">Click a point of the map or a row of the table to read it here.</p>
        <About />
      </>
    );
  const other = pinned.value === main ? null : pinned.value;
  return (
    <div class={`detail${other === null ? "" : " pair"}`}>
      {other !== null && <Card row={other} beside />}
      <Card row={main} />
    </div>
  );
}
