/** Views kept under a name: the page's address, so that a view opens as it was left. */

import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { View } from "./api";
import { Popover } from "./popover";
import { api, during } from "./state";
import { address, go } from "./url";
import "./views.css";

const views = signal<readonly View[] | null>(null);

const LONGEST = 80;

export function Views() {
  return (
    <Popover label="Saved views" title="Views kept under a name" align="right" button={<>Views ▾</>}>
      {(close) => <List close={close} />}
    </Popover>
  );
}

function List({ close }: { readonly close: () => void }) {
  useEffect(() => void reread(), []);
  const show = (view: View): void => {
    close();
    void go(view.query);
  };
  return (
    <>
      <Save />
      <h3>Saved views</h3>
      {views.value?.length === 0 && <p class="muted small none">None yet. A view keeps the run, filters, search, selection and colours.</p>}
      <ul class="views">
        {views.value?.map((view) => (
          <li key={view.name}>
            <button type="button" class="open" onClick={() => show(view)}>
              {view.name}
            </button>
            <button type="button" class="quiet" aria-label={`Delete the view ${view.name}`} onClick={() => void forget(view.name)}>
              ×
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Save() {
  const name = useSignal("");
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const title = name.value.trim();
    if (!title) return;
    const kept = await during(() => api().save({ name: title, query: address() }));
    if (!kept) return;
    views.value = kept.views;
    name.value = "";
  };
  return (
    <form class="save" onSubmit={(event) => void save(event)}>
      <input aria-label="Name of the view" placeholder="Name of this view" maxLength={LONGEST} data-first value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
      <button type="submit" class="main" disabled={!name.value.trim()}>
        Save
      </button>
    </form>
  );
}

async function reread(): Promise<void> {
  views.value = (await during(() => api().views()))?.views ?? [];
}

async function forget(name: string): Promise<void> {
  const left = await during(() => api().forget(name));
  if (left) views.value = left.views;
}
