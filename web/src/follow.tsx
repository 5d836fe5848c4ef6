/** What the page keeps up with while it is open: pending edits, trainings, issues of the run. Shows nothing. */

import { useEffect } from "preact/hooks";

import { attend } from "./jobs";
import { follow } from "./pending";
import { workspace } from "./state";

export function Follow() {
  const live = workspace.value !== null && !workspace.value.read_only;
  useEffect(() => {
    if (!live) return;
    const stops = [follow(), attend()];
    return () => stops.forEach((stop) => stop());
  }, [live]);
  return null;
}
