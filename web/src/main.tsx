import { render } from "preact";

import { App } from "./app";
import { embedded } from "./embedded";
import { remote } from "./remote";
import { start } from "./state";
import { keep, queried, restore } from "./url";

async function main(): Promise<void> {
  const asked = queried();
  render(<App />, document.getElementById("app")!);
  await start((await embedded()) ?? remote, new URLSearchParams(asked).get("run"));
  await restore(asked);
  keep();
}

void main();
