/** The page: filters on the left, the map or the table in the middle, what is known of the selection on the right. */

import { useEffect } from "preact/hooks";

import { Bar } from "./bar";
import { Compare } from "./compare";
import { ConflictElsewhere } from "./conflict";
import { Curate } from "./curate";
import { Detail } from "./detail/detail";
import { Export } from "./export";
import { Filters } from "./filters";
import { Follow } from "./follow";
import { Help, Keys } from "./keys";
import { Issues } from "./issues";
import { Live } from "./live";
import { Plane } from "./map";
import { Production } from "./production";
import { centre, notice, panel, type Panel, run, workspace } from "./state";
import { Table } from "./table";

const PANELS: readonly { readonly name: Panel; readonly title: string; readonly View: () => preact.JSX.Element | null }[] = [
  { name: "detail", title: "Example", View: Detail },
  { name: "issues", title: "Issues", View: Issues },
  { name: "curate", title: "Curate", View: Curate },
  { name: "compare", title: "Compare", View: Compare },
  { name: "live", title: "Training", View: Live },
  { name: "production", title: "Production", View: Production },
  { name: "export", title: "Export", View: Export },
];

export function App() {
  return (
    <div class="page">
      <Follow />
      <Keys />
      <Bar />
      <nav class="left" aria-label="Filters">
        <Filters />
      </nav>
      <main class="centre">{centre.value === "map" ? <Plane /> : <Table />}</main>
      <aside class="right" aria-label="Details">
        <Tabs />
      </aside>
      <Notice />
      <Help />
    </div>
  );
}

/** A page that is a file shows what can be read of one run. */
const READ: ReadonlySet<Panel> = new Set(["detail", "issues", "live", "export"]);

/** The losses of an evaluation are those of its training, of which a file knows nothing. */
function isThere(name: Panel): boolean {
  if (workspace.value?.read_only) return READ.has(name) && (name !== "live" || run.value?.kind === "train");
  return name !== "production" || run.value?.kind === "production";
}

function Tabs() {
  const there = PANELS.filter(({ name }) => isThere(name));
  const now = there.find(({ name }) => name === panel.value) ?? there[0]!;
  return (
    <>
      <div class="tabs" role="tablist" aria-label="What is shown" onKeyDown={(event) => turned(event, there.map(({ name }) => name), now.name)}>
        {there.map(({ name, title }) => (
          <button
            key={name}
            id={`tab-${name}`}
            role="tab"
            type="button"
            aria-selected={name === now.name}
            aria-controls="panel"
            tabIndex={name === now.name ? 0 : -1}
            onClick={() => (panel.value = name)}
          >
            {title}
          </button>
        ))}
      </div>
      <section id="panel" class="panel" role="tabpanel" aria-labelledby={`tab-${now.name}`} tabIndex={0}>
        <ConflictElsewhere />
        <now.View />
      </section>
    </>
  );
}

/** Arrow keys go round the tabs, Home and End to the first and last; the focus goes with them. */
function turned(event: KeyboardEvent, names: readonly Panel[], now: Panel): void {
  const to: Readonly<Record<string, number>> = { ArrowRight: names.indexOf(now) + 1, ArrowLeft: names.indexOf(now) - 1, Home: 0, End: -1 };
  const at = to[event.key];
  if (at === undefined) return;
  event.preventDefault();
  panel.value = names.at(at % names.length)!;
  document.getElementById(`tab-${panel.value}`)?.focus();
}

const READ_IN = 8_000; // milliseconds in which a short notice is read

function Notice() {
  const said = notice.value;
  useEffect(() => {
    const wait = said?.good ? setTimeout(() => (notice.value = null), READ_IN) : undefined;
    return () => clearTimeout(wait);
  }, [said]);
  return (
    <div class={said?.good ? "notice good" : "notice"} role="status" aria-live="polite" hidden={!said}>
      {said && (
        <>
          <span>
            {said.message} {said.fix && <em>{said.fix}</em>}
          </span>
          <button type="button" aria-label="Dismiss" onClick={() => (notice.value = null)}>
            ×
          </button>
        </>
      )}
    </div>
  );
}
