/** Find rows by their words, or by a text like them. Words narrow what is shown; likeness selects the nearest rows. */

import { useSignal } from "@preact/signals";

import { LONGEST, api, during, found, query, run, searched, select, typed } from "../state";
import { number } from "../wire";
import { nearest } from "./near";
import "./search.css";

type By = "words" | "likeness";

const HINT = 'All words, in any order. "Words in quotes" stand together, begin* is the beginning of a word. Signs such as 😀 are looked for as they are.';

export function Search() {
  const by = useSignal<By>("words");
  const there = run.value;
  if (!there) return <div class="search" />;
  const near = !api().read_only && (there.methods.length > 0 || there.layouts.some((one) => one.name !== "map"));
  return (
    <form class="search" role="search" aria-label="Examples" onSubmit={(event) => event.preventDefault()}>
      {near && (
        <select aria-label="Search by" value={by.value} onChange={(event) => (by.value = event.currentTarget.value as By)}>
          <option value="words">Words</option>
          <option value="likeness">Like</option>
        </select>
      )}
      {by.value === "words" || !near ? <Words /> : <Likeness />}
    </form>
  );
}

function Words() {
  return (
    <>
      <input
        id="search"
        type="search"
        aria-label="Search the texts"
        aria-description={HINT}
        title={HINT}
        placeholder="Search the texts  ( / )"
        autocomplete="off"
        spellcheck={false}
        value={query.value}
        onInput={(event) => (query.value = event.currentTarget.value)}
      />
      <span class="small muted answer" role="status">
        {said()}
      </span>
    </>
  );
}

/** How many rows were found and how fast; of more than were sent, that too; or why there was no search. */
function said(): string {
  if (typed.value > LONGEST) return `Too long: ${number(typed.value)} of ${LONGEST} characters`;
  const answer = searched.value;
  if (!answer || !query.value.trim()) return "";
  const cut = found.value && found.value.length < answer.total ? `first ${number(found.value.length)} of ` : "";
  return `${cut}${number(answer.total)} in ${answer.ms < 1 ? "<1" : Math.round(answer.ms)} ms`;
}

function Likeness() {
  const text = useSignal("");
  const answer = useSignal("");
  const ask = async (): Promise<void> => {
    const id = run.value?.id;
    if (!id || !text.value.trim()) return;
    answer.value = "…";
    const near = await during(() => api().near(id, text.value.trim()));
    const rows = nearest(near?.neighbours ?? []);
    if (rows.length) select(rows);
    answer.value = near ? `${number(rows.length)} nearest selected` : "";
  };
  return (
    <>
      <input
        id="search"
        type="search"
        aria-label="Find rows like this text"
        title="Type a text and press Enter: the rows most similar to it are selected"
        placeholder="A text; Enter selects rows like it"
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          answer.value = "";
        }}
        onKeyDown={(event) => event.key === "Enter" && void ask()}
      />
      <span class="small muted answer" role="status">
        {answer.value}
      </span>
    </>
  );
}
