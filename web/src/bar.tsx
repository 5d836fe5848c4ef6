/** The bar: which run, map or table, search, saved views, help, and how the page looks. */

import "./bar.css";
import { helping, Skips } from "./keys";
import { RunChooser, SecondChooser } from "./runs";
import { Search } from "./search/search";
import { busy, type Centre, centre, run, workspace } from "./state";
import { theme, turn } from "./theme";
import { Views } from "./views";

export function Bar() {
  return (
    <header class="bar">
      <Skips />
      <Busy />
      <h1 title={workspace.value ? `Project ${workspace.value.project}` : ""}>{workspace.value?.project ?? "Tunewright"}</h1>
      <RunChooser />
      <SecondChooser />
      {run.value && <Switch />}
      <Search />
      <span class="end">
        {run.value && !workspace.value?.read_only && <Views />}
        <Look />
        <button type="button" class="icon" aria-label="Keys and help" title="Keys and help (?)" onClick={() => (helping.value = true)}>
          ?
        </button>
      </span>
    </header>
  );
}

const CENTRES: readonly (readonly [Centre, string, string])[] = [
  ["map", "Map", "m"],
  ["table", "Table", "t"],
];

function Switch() {
  return (
    <span class="segments" role="group" aria-label="In the middle">
      {CENTRES.map(([name, title, key]) => (
        <button key={name} type="button" aria-pressed={centre.value === name} title={`${title} (${key})`} onClick={() => (centre.value = name)}>
          {title}
        </button>
      ))}
    </span>
  );
}

function Busy() {
  return <div class="busy" role="progressbar" aria-label="Asking the server" hidden={busy.value === 0} />;
}

const FACES = { auto: "◐", light: "☀", dark: "☾" } as const;
const LOOKS = { auto: "as the system", light: "light", dark: "dark" } as const;

function Look() {
  const now = theme.value;
  return (
    <button type="button" class="icon" aria-label={`Colours: ${LOOKS[now]}`} title={`Colours: ${LOOKS[now]}`} onClick={turn}>
      <span aria-hidden="true">{FACES[now]}</span>
    </button>
  );
}
