import { render } from "preact";

import { App } from "./app";
import { embedded } from "./embedded";
import { remote } from "./remote";
import { start } from "./state";
import { keep, queried, restore } from "./url";

async function main(): Promise<void> {
  render(<App />, document.getElementById("app")!);
  const file = await embedded();
  const asked = queried() || (file?.view ?? "");
  await start(file?.source ?? remote, new URLSearchParams(asked).get("run"));
  await restore(asked);
  keep();
}

void main();
