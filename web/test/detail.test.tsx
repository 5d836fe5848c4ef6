// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError } from "../src/api";
import { percent } from "../src/detail/about";
import { Detail } from "../src/detail/detail";
import { grouped } from "../src/detail/values";
import { difference } from "../src/detail/whatif";
import { NOTHING, pinned, primary, selection, start } from "../src/state";
import { example, HOSTILE, Scene } from "./scene";

let scene: Scene;

beforeEach(async () => {
  scene = new Scene(12);
  await start(scene, null);
  primary.value = 3;
  pinned.value = null;
  selection.value = NOTHING;
});
afterEach(cleanup);

const text = (title: string, words: string, spans: { start: number; end: number; kind: string }[] = []) =>
  ({ type: "text", title, text: words, spans }) as const;

async function shown(): Promise<HTMLElement> {
  render(<Detail />);
  return screen.findByRole("article", { name: "Example r3" });
}

function open(card: HTMLElement, title: string): HTMLElement {
  const section = within(card).getByRole("heading", { name: title }).closest("details")!;
  section.open = true;
  fireEvent(section, new Event("toggle"));
  return section;
}

it("says why an example of a training has no prediction, and what makes one", async () => {
  scene.example = (row) => example(row, { label: "we meet", predicted: null, probabilities: [] });
  const card = within(await shown()).getByRole("group", { name: "Prediction" });
  expect(card.textContent).toContain("The model was not asked about this example; to ask it:");
  expect(within(card).getByText("tunewright analyze run")).toBeTruthy();
  expect(card.textContent).toContain("we meet");
});

it("has no such reason where there is a prediction", async () => {
  scene.example = (row) => example(row, { label: "we meet", predicted: "they meet", probabilities: [] });
  expect((await shown()).textContent).not.toContain("was not asked");
});

describe("texts", () => {
  it.each(HOSTILE)("shows %j as text", async (words) => {
    scene.example = (row) => example(row, { id: `r${row}`, blocks: [text("text", words), text("own", words)], predicted: words, label: words });
    const card = await shown();
    expect(card.querySelector("script, img")).toBeNull();
    expect((window as { hurt?: number }).hurt).toBeUndefined();
    expect(within(card).getByRole("group", { name: "text" }).textContent).toBe(words.replace("\0", "␀").replace("\u0007", "␇"));
  });

  it("marks what Python meant, after emoji", async () => {
    const words = "😀😀 the answer 👨‍👩‍👧 is here";
    const start = 7; // "😀😀 the answer".index("answer") in Python
    const spans = [
      { start, end: start + 6, kind: "gold" },
      { start: start + 3, end: start + 12, kind: "predicted" },
    ];
    scene.example = (row) => example(row, { blocks: [text("context", words, spans)] });
    const card = await shown();
    const marks = [...within(card).getByRole("group", { name: "context" }).querySelectorAll("mark")];
    expect(marks.map((mark) => [mark.textContent, mark.className])).toEqual([
      ["ans", "mark-gold"],
      ["wer", "mark-gold mark-predicted"],
      [" 👨‍👩‍👧", "mark-predicted"],
    ]);
  });

  it("cuts 100 kB until it is asked for", async () => {
    scene.example = (row) => example(row, { blocks: [text("text", "word ".repeat(20_000))] });
    const card = await shown();
    const box = within(card).getByRole("group", { name: "text" });
    expect(box.textContent!.length).toBeLessThan(8_000);
    fireEvent.click(within(card).getByRole("button", { name: "Show all 100,000 characters" }));
    expect(box.textContent).toHaveLength(100_000);
  });

  it("calls what both summaries share so", async () => {
    scene.example = (row) => example(row, { blocks: [text("gold", "we meet", [{ start: 3, end: 7, kind: "gold" }])] });
    const card = await shown();
    expect(within(card).getByRole("group", { name: "gold" }).querySelector("mark")!.className).toBe("mark-common");
  });
});

it("says with a sign that the prediction is not the label", async () => {
  const card = await shown();
  expect(within(card).getByText("≠ not the label")).toBeTruthy();
});

it("shows epochs as a line and as a table", async () => {
  const epochs = [
    { epoch: 1, gold_probability: 0.2, loss: 1.6, margin: -1, correct: false },
    { epoch: 2, gold_probability: 0.9, loss: 0.1, margin: 2, correct: true },
  ];
  scene.example = (row) => example(row, { epochs });
  const card = await shown();
  expect(within(card).getByRole("img").getAttribute("aria-label")).toBe("Gold probability: epoch 1: 0.2, epoch 2: 0.9");
  expect(card.querySelectorAll("svg .hit, svg .miss")).toHaveLength(2);
  expect(within(card).getAllByRole("row")).toHaveLength(3);
});

it("keeps a pinned example beside the next", async () => {
  await shown();
  fireEvent.click(screen.getByRole("button", { name: "Pin" }));
  primary.value = 4;
  await screen.findByRole("article", { name: "Example r4" });
  expect(screen.getByRole("article", { name: "Pinned example r3" })).toBeTruthy();
});

it("steps through the list", async () => {
  await shown();
  fireEvent.click(screen.getByRole("button", { name: "Next example" }));
  expect(primary.value).toBe(4);
  await screen.findByText("5 of 12");
});

describe("the heatmap", () => {
  it("colours words by sign, and warns where it is no better than random", async () => {
    scene.example = (row) => example(row, { blocks: [text("text", "😀 good film")] });
    scene.heat = {
      tokens: [
        { text: "good", score: -0.4, field: "text", start: 2, end: 6 },
        { text: "film", score: 0.2, field: "text", start: 7, end: 11 },
      ],
      faithfulness: { value: 0.1, random: 0.3, n: 20 },
    };
    const section = open(await shown(), "Loss heatmap");
    fireEvent.click(await within(section).findByRole("button", { name: "Compute" }));
    const words = await within(section).findByRole("group", { name: "Heatmap of text" });
    expect(words.textContent).toBe("😀 good film");
    expect([...words.querySelectorAll(".token")].map((one) => `${one.textContent}:${one.className}`)).toEqual(["good:token down", "film:token up"]);
    expect(within(section).getByRole("note").textContent).toContain("No better than random");
    expect(scene.posted.at(-1)).toEqual({ path: "runs/run/explain", body: { row: 3, method: "integrated_gradients" } });
  });
});

describe("what if", () => {
  it("shows no answer beside a refusal", async () => {
    scene.predicted = { predicted: "neg", probabilities: [{ label: "neg", probability: 0.9 }] };
    const section = open(await shown(), "What if");
    const box = within(section).getByRole("textbox", { name: "text" });
    fireEvent.input(box, { target: { value: "other words" } });
    await within(section).findByText("predicted in 7 ms");
    vi.spyOn(scene, "post").mockRejectedValueOnce(new ApiError(422, { kind: "text", message: "the text is empty", fix: "write some words" }));
    fireEvent.input(box, { target: { value: "" } });
    expect(within(section).getByText("predicting …")).toBeTruthy();
    expect((await within(section).findByRole("alert")).textContent).toBe("The text is empty. Write some words");
    expect(within(section).queryByText(/predicted in/)).toBeNull();
    expect(section.querySelector(".outcome")).toBeNull();
    fireEvent.input(box, { target: { value: "words again" } });
    await within(section).findByText("predicted in 7 ms");
    expect(within(section).queryByRole("alert")).toBeNull();
  });

  it("predicts an edited text, says what changed, and goes back", async () => {
    scene.predicted = { predicted: "neg", probabilities: [{ label: "neg", probability: 0.9 }, { label: "pos", probability: 0.1 }] };
    const section = open(await shown(), "What if");
    const area = await within(section).findByLabelText("text");
    fireEvent.input(area, { target: { value: "another text" } });
    await within(section).findByText("predicted in 7 ms");
    expect(scene.posted.at(-1)?.body).toEqual({ fields: { text: "another text" } });
    expect(within(section).getByText("was pos")).toBeTruthy();
    expect(within(section).getByText("+0.650")).toBeTruthy();
    fireEvent.click(within(section).getByRole("button", { name: "Reset" }));
    await waitFor(() => expect((within(section).getByLabelText("text") as HTMLTextAreaElement).value).toBe("text of 3"));
    expect(within(section).queryByText("was pos")).toBeNull();
  });
  it("writes differences with true signs", () => {
    expect([difference(0.0312), difference(-0.2), difference(-0.0001)]).toEqual(["+0.031", "−0.200", "±0.000"]);
  });
});

it("has no two landmarks of one name, with every value unfolded and another example beside", async () => {
  scene.example = (row) =>
    example(row, { blocks: [text("text", "words")], probabilities: [{ label: "pos", probability: 0.9 }], scores: { f1: 0.5 }, values: { predicted: "pos", loss: 0.1 } });
  pinned.value = 5;
  const card = await shown();
  open(card, "All values");
  await within(card).findByText("loss");
  const names = screen.queryAllByRole("region").map((one) => one.getAttribute("aria-label"));
  expect(names.filter((one, at) => names.indexOf(one) !== at)).toEqual([]);
});

describe("neighbours", () => {
  beforeEach(() => {
    scene.neighbours = [
      { row: 7, id: "r7", similarity: 0.91234, label: "neg", split: "train", text: "near" },
      { row: 1, id: "r1", similarity: 0.5, label: "pos", split: "test", text: "<b>far</b>" },
    ];
  });
  it("say how many agree, and lead to one", async () => {
    const card = await shown();
    await within(card).findByText("1 of 2 have the same label");
    fireEvent.click(within(card).getByRole("button", { name: /<b>far<\/b>/ }));
    expect(primary.value).toBe(1);
  });
  it("are selected together with the example", async () => {
    const card = await shown();
    fireEvent.click(await within(card).findByRole("button", { name: "Select all" }));
    expect([...selection.value.rows]).toEqual([1, 3, 7]);
    expect(primary.value).toBe(3);
  });
  it("that the run does not show can be read, and neither opened nor selected", async () => {
    const test = { row: -1, similarity: 0.99, label: "pos", split: "test" };
    scene.neighbours = [...scene.neighbours, { ...test, id: "t1", text: "of the test split" }, { ...test, id: "t2", text: "another" }];
    const card = await shown();
    const other = await within(card).findByText("of the test split");
    expect(other.closest("button")).toBeNull();
    expect(within(card).getAllByText("not in this run")).toHaveLength(2);
    fireEvent.click(other);
    expect(primary.value).toBe(3);
    fireEvent.click(within(card).getByRole("button", { name: "Select all" }));
    expect([...selection.value.rows]).toEqual([1, 3, 7]);
  });
});

describe("before an example is chosen", () => {
  it("says what to know of the run", async () => {
    scene.notes = ["Dynamics were <b>recorded</b>."];
    await start(scene, "run");
    primary.value = null;
    render(<Detail />);
    const about = screen.getByRole("region", { name: "The run" });
    expect(within(about).getByRole("listitem").textContent).toBe("Dynamics were <b>recorded</b>.");
    expect(within(about).getByText("Version main, coverage 100 %.")).toBeTruthy();
  });
  it("rounds a coverage down, so that only all of it is 100 %", () => {
    expect([percent(1), percent(0.99999), percent(0.5)]).toEqual(["100 %", "99.9 %", "50 %"]);
  });
});

it("groups values by what they are about", () => {
  expect(grouped(["words", "aum", "suspicion", "mine", "pc1", "rouge1"])).toEqual([
    ["Training dynamics", ["aum"]],
    ["Label", ["suspicion"]],
    ["Latent space", ["pc1"]],
    ["Prediction", ["rouge1"]],
    ["Data", ["words", "mine"]],
  ]);
});
