"""Each recipe as it stands, on a few rows in place of the Hub's, with a tiny model in place of its own."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tunewright.project import open_dataset, open_project
from tunewright.table import read, write
from tunewright.toy import toy_model, toy_seq2seq

RECIPES = ("sst2_bert", "snli_electra", "squad_albert", "rotten_tomatoes_mixup", "dialogsum_bart")
SIZES = {"train": 96, "validation": 48, "test": 48}


def few(table: pa.Table, rows: int) -> pa.Table:
    """The same number of rows of every label, in the order of the file."""
    labels = pc.unique(table["label"]).to_pylist()
    return pa.concat_tables(
        table.filter(pc.equal(table["label"], label)).slice(0, rows // len(labels)) for label in labels
    )


def split(table: pa.Table, name: str) -> pa.Table:
    return few(table.filter(pc.equal(table["split"], name)), SIZES[name])


def tiny(project, parts, folder):
    """The recipe with other rows and another model, for two short epochs; task, loss and the like stay."""
    for name, part in parts.items():
        write(folder / f"{name}.parquet", part)
    return replace(
        project,
        source={name: f"{name}.parquet" for name in parts},
        model=toy_model(folder / "model"),
        train=project.train.with_changes(epochs=2, batch_size=16, learning_rate=1e-3, trackers=(), threads=1),
        folder=folder,
    )


@pytest.fixture
def sst2(root, shared_data, tmp_path):
    table = read(shared_data / "sst2_glue.parquet").rename_columns(["id", "sentence", "label", "split"])
    parts = {name: split(table, name).select(["sentence", "label"]) for name in ("train", "validation")}
    unlabelled = pa.array([-1] * parts["validation"].num_rows)  # as on the Hub
    parts["test"] = parts["validation"].set_column(1, "label", unlabelled)
    return tiny(open_project(root / "recipes" / "sst2_bert"), parts, tmp_path / "sst2")


@pytest.fixture
def snli(root, shared_data, tmp_path):
    table = read(shared_data / "snli.parquet", columns=["premise", "hypothesis", "label", "split"])
    parts = {name: split(table, name) for name in ("validation", "test")}
    later = table.filter(pc.equal(table["split"], "validation")).slice(5000)
    without = table.filter(pc.equal(table["label"], -1)).slice(0, 5)
    parts["train"] = pa.concat_tables([few(later, SIZES["train"]), without])
    parts = {name: part.drop_columns("split") for name, part in parts.items()}
    return tiny(open_project(root / "recipes" / "snli_electra"), parts, tmp_path / "snli")


@pytest.fixture
def tomatoes(root, shared_data, tmp_path):
    table = read(shared_data / "rotten_tomatoes.parquet", columns=["text", "label", "split"])
    parts = {name: split(table, name).drop_columns(["split"]) for name in SIZES}
    return tiny(open_project(root / "recipes" / "rotten_tomatoes_mixup"), parts, tmp_path / "tomatoes")


@pytest.fixture
def squad(root, shared_data, tmp_path):
    table = read(
        shared_data / "squad_v1_train.parquet",
        columns=["id", "title", "context", "question", "answers_text", "answers_start"],
    )
    rows = table.take(pa.array(range(0, table.num_rows, table.num_rows // 120)[:120]))
    parts = {"train": as_on_the_hub(rows.slice(0, 80)), "validation": as_on_the_hub(rows.slice(80))}
    return tiny(open_project(root / "recipes" / "squad_albert"), parts, tmp_path / "squad")


def as_on_the_hub(table: pa.Table) -> pa.Table:
    answers = pa.array(
        [
            {"text": row["answers_text"], "answer_start": row["answers_start"]}
            for row in table.select(["answers_text", "answers_start"]).to_pylist()
        ]
    )
    return table.drop_columns(["answers_text", "answers_start"]).append_column("answers", answers)


def fenced(root, recipe, language):
    """The code blocks of a recipe's README."""
    readme = (root / "recipes" / recipe / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)


def run_snippets(monkeypatch, root, recipe, project):
    """Run a README's Python on a project in place of the recipe's own; what it defined."""
    import tunewright

    monkeypatch.setattr(tunewright, "open_project", {f"recipes/{recipe}": project}.__getitem__)
    defined = {}
    for code in fenced(root, recipe, "python"):
        exec(compile(code, f"{recipe}/README.md", "exec"), defined)
    return defined


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_commands_of_a_readme_can_be_typed(root, recipe):
    import typer

    from tunewright.cli import app

    commands = typer.main.get_command(app).commands
    groups = {name for name, command in commands.items() if hasattr(command, "commands")}
    lines = [shlex.split(line, comments=True) for block in fenced(root, recipe, "sh") for line in block.splitlines()]
    typed = [words[1:] for words in lines if words[:1] == ["tunewright"]]
    assert len(typed) >= 4
    for words in typed:
        group, (name, *arguments) = (
            (commands[words[0]].commands, words[1:]) if words[0] in groups else (commands, words)
        )
        group[name].make_context(name, arguments)


def test_the_recipes_say_what_their_readme_says(root):
    sst2, snli = (open_project(root / "recipes" / name) for name in ("sst2_bert", "snli_electra"))
    assert (sst2.model, sst2.source) == ("google-bert/bert-base-uncased", "stanfordnlp/sst2")
    assert (sst2.train.epochs, sst2.train.batch_size, sst2.train.learning_rate) == (6, 128, 2e-5)
    assert sst2.train.trackers == ("wandb",)
    assert (snli.model, snli.source) == ("google/electra-small-discriminator", "stanfordnlp/snli")
    assert snli.task.text_fields == ("premise", "hypothesis")


def test_unlabelled_rows_are_imported_as_such(sst2, snli):
    unlabelled = {}
    for project in (sst2, snli):
        table = open_dataset(project).table()
        without = table.filter(pc.is_null(table["label"]))
        unlabelled[project.name] = set(without["split"].to_pylist())
        assert set(pc.unique(table["label"].drop_null()).to_pylist()) == set(project.task.labels)
    assert unlabelled == {"sst2": {"test"}, "snli": {"train"}}


def test_sst2_trains_and_is_scored_on_validation(sst2):
    import tunewright

    run = tunewright.train(sst2)
    assert run.meta["coverage"][-1] == {"epoch": 1, "seen": SIZES["train"], "expected": SIZES["train"]}
    tunewright.evaluate(sst2, run, split="validation")


@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
def test_snli_is_focused_trained_again_and_combined(snli, loss):
    import tunewright

    first = tunewright.train(snli, loss=loss)
    tunewright.map(snli, first)
    chosen = {"region": "ambiguous", "fraction": 0.33, "without_suspects": True, "control": True}
    tunewright.focus(snli, first, name="ambiguous", **chosen)
    second, random = (tunewright.train(snli, version=name, loss=loss) for name in ("ambiguous", "ambiguous-random"))
    sizes = [run.meta["coverage"][-1]["expected"] for run in (first, second, random)]
    assert sizes[0] == SIZES["train"] > sizes[1] == sizes[2] > 0
    assert tunewright.compare(snli, random, second).comparison.n == SIZES["test"]
    assert sum(tunewright.ensemble(snli, first, second).weights) == pytest.approx(1)


def test_snli_is_trained_with_the_focal_loss_of_its_readme(snli, root, monkeypatch):
    run = run_snippets(monkeypatch, root, "snli_electra", snli)["run"]
    assert (run.meta["config"]["loss"], run.meta["config"]["focal_gamma"]) == ("focal", 2.0)


def test_tomatoes_are_mixed_trained_with_and_without_and_compared(tomatoes):
    import tunewright
    from tunewright import verbs

    assert tunewright.check(tomatoes).passed
    made = verbs.mix(tomatoes, count=40, alpha=0.9)
    assert made.audit.covered == pytest.approx(2 * 40 / SIZES["train"])
    plain, mixed = (tunewright.train(tomatoes, version=version) for version in ("main", "mixed"))
    assert mixed.meta["mixing"]["used"] == 40
    assert mixed.table("synthetic").num_rows == 2 * 40
    assert plain.meta["coverage"] == mixed.meta["coverage"]
    assert tunewright.compare(tomatoes, plain, mixed).comparison.n == SIZES["test"]


def test_the_stages_of_tomatoes_are_the_commands_of_its_readme(root):
    """`make` types what the README types, and the settings are those that it names."""
    folder = root / "recipes" / "rotten_tomatoes_mixup"
    rules = (folder / "Makefile").read_text(encoding="utf-8")
    made = [
        line.removeprefix("\t$(TUNEWRIGHT) ").removesuffix(" $(ON)") for line in rules.splitlines() if line[:1] == "\t"
    ]
    block = fenced(root, "rotten_tomatoes_mixup", "sh")[0]
    typed = [line.removeprefix("tunewright ") for line in block.splitlines() if line.startswith("tunewright ")]
    assert made == typed
    stages = re.findall(r"^(\w+):", rules, re.MULTILINE)
    assert stages == ["prepare", "train", "test", "fullrun"]
    project = open_project(folder)
    assert (project.model, project.source) == (
        "google-bert/bert-base-cased",
        "cornell-movie-review-data/rotten_tomatoes",
    )
    train = project.train
    assert (train.epochs, train.batch_size, train.learning_rate, train.weight_decay) == (3, 8, 1e-5, 0.01)


def test_squad_is_trained_and_asked_where_it_fails(squad, root, monkeypatch):
    import tunewright

    run = tunewright.train(squad)
    assert run.meta["coverage"][-1]["seen"] == 80 - run.meta["untaught"]["count"]
    scores = {one.name: one for one in tunewright.evaluate(squad, run, split="validation").grades}
    assert scores["f1"].n == 40
    tunewright.analyze(squad, run, method="kmeans", clusters=3)
    assert tunewright.slices(squad, run, by=("asks", "answer_kind"), smallest=5).tested > 0
    first = run.table("examples")["id"][0].as_py()
    assert len(tunewright.similar(squad, run, first, k=5).rows) == 5
    assert tunewright.explain(squad, run, first, steps=4).attribution.loss > 0
    assert {"answer_occurs", "shared_words"} <= set(run.examples().column_names)
    doubtful = run_snippets(monkeypatch, root, "squad_albert", squad)["doubtful"]
    assert doubtful.column_names == ["id", "question", "label", "answer_occurs", "suspicion"]


def test_squad_takes_questions_without_answer(squad):
    import tunewright

    rows = read(squad.folder / "train.parquet")
    nothing = [None, {"text": [], "answer_start": []}]
    answers = pa.array(nothing + rows["answers"].to_pylist()[2:], rows["answers"].type)
    write(squad.folder / "train.parquet", rows.drop_columns(["answers"]).append_column("answers", answers))
    checked = tunewright.check(squad)
    assert [one for one in checked.bindings if not one.passed] == []
    without = open_dataset(squad).table().slice(0, 2)
    assert without["answer_kind"].null_count == without["answer_occurs"].null_count == 2


@pytest.fixture
def dialogues(root, shared_data, tmp_path):
    """The recipe on chats of SAMSum, and the file of DialogSum that production is."""
    columns = ["id", "dialogue", "summary", "split"]
    chats = read(shared_data / "samsum.parquet", columns=columns)
    parts = {
        name: chats.filter(pc.equal(chats["split"], name)).slice(0, rows).drop_columns(["split"])
        for name, rows in {"train": 60, "validation": 410, "test": 20}.items()
    }
    project = tiny(open_project(root / "recipes" / "dialogsum_bart"), parts, tmp_path / "dialogues")
    later = read(shared_data / "dialogsum.parquet", columns=columns).slice(0, 210)
    write(project.folder / "dialogsum.parquet", later.drop_columns(["split"]))
    task = replace(project.task, beams=1, max_length=64, max_target_length=24, max_new_tokens=12)
    return replace(project, model=tiny_bart(project.folder / "bart"), task=task)


def tiny_bart(folder):
    """With weights so large that what it writes depends on what it reads."""
    from transformers import BartForConditionalGeneration

    model = BartForConditionalGeneration.from_pretrained(toy_seq2seq(folder))
    for weights in model.parameters():
        weights.data *= 20
    model.save_pretrained(folder)
    return str(folder)


def test_summaries_are_watched_and_the_rows_collected(dialogues, root, monkeypatch):
    import tunewright
    from tunewright import verbs

    run = tunewright.train(dialogues)
    found = verbs.monitor(dialogues, dialogues.folder / "dialogsum.parquet", run=run)
    assert (found.logged, found.errors) == (210, {})
    report = verbs.monitor_report(dialogues)
    assert report.checks["vocabulary(dialogue)"]["texts"] == 210
    assert report.checks["drift(output_vector)"]["windows"] == 1
    assert set(found.marked) == {"edge_case", "places", "cut", "nothing_in_common"}
    assert verbs.collected(dialogues).rows.num_rows > 0
    assert "markup leads" in " ".join(one.name for one in tunewright.lint(dialogues, "production").lints)
    run_snippets(monkeypatch, root, "dialogsum_bart", dialogues)
    assert (dialogues.folder / "outliers.npz").is_file()


def test_the_checks_of_summaries_are_few_lines_and_near_outliers_come_with_their_points(root, tmp_path):
    source = (root / "recipes" / "dialogsum_bart" / "project.py").read_text(encoding="utf-8")
    assert sum(bool(line.strip()) for line in source.splitlines()) <= 30
    (tmp_path / "project.py").write_text(source, encoding="utf-8")
    names = [getattr(check, "name", "") for check in open_project(tmp_path).monitors]
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "outliers.npz", points=draw.normal(size=(40, 8)), scale=np.ones(8))
    assert [check.name for check in open_project(tmp_path).monitors] == [*names, "near_outliers"]
