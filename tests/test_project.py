from __future__ import annotations

import json
import multiprocessing
from dataclasses import FrozenInstanceError, replace

import pytest

from tunewright.data.edits import Drop
from tunewright.errors import DataError, ProjectError, RunError
from tunewright.project import Project, find_run, open_dataset, open_project
from tunewright.run import Run
from tunewright.table import write
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts

GOOD = """
from tunewright import Classification, Project

project = Project(name="toy", source="toy.parquet", task=Classification(labels=("neg", "pos")))
"""


def length(rows):
    return [len(text.split()) for text in rows["text"]]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "project.py").write_text(GOOD)
    write(tmp_path / "toy.parquet", toy_texts(40))
    return tmp_path


@pytest.fixture
def project(folder):
    return open_project(folder)


def test_a_project_is_what_its_file_says(folder, project):
    assert project == Project(
        name="toy", source="toy.parquet", task=Classification(labels=("neg", "pos")), folder=folder
    )
    assert project.dataset_folder == folder / "data" / "toy"
    assert project.runs_folder == folder / "runs"
    with pytest.raises(FrozenInstanceError):
        project.name = "other"


def test_no_file(tmp_path):
    with pytest.raises(ProjectError, match="found no project.py") as caught:
        open_project(tmp_path)
    assert "tunewright init" in caught.value.fix


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = (\n", "project.py, line 1: '\\(' was never closed"),
        ("\n\nimport nowhere_to_be_found\n", "project.py, line 3: ModuleNotFoundError"),
        ("def f():\n    return 1 / 0\nf()\n", "project.py, line 2: ZeroDivisionError"),
        ("x = 1\n", "does not define 'project'"),
        ("project = {}\n", "expected 'project' to be a Project, found dict"),
        (
            "from tunewright import Classification\nClassification(labels=('one',))\n",
            "project.py, line 2: .*two or more",
        ),
        (
            "from tunewright import Project\nProject(name='x', source='y', task=3)\n",
            "line 2: Project\\(task=...\\) expects",
        ),
    ],
)
def test_mistakes_in_the_file_are_named_with_their_line(tmp_path, text, message):
    (tmp_path / "project.py").write_text(text)
    with pytest.raises(ProjectError, match=message):
        open_project(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../up"),
        ("name", ""),
        ("source", 3),
        ("train", {"epochs": 2}),
        ("fields", ["a"]),
        ("metadata", (3,)),
        ("metadata", (lambda rows: rows,)),
        ("on_bad", "ignore"),
    ],
)
def test_values_of_another_type_are_refused(project, field, value):
    with pytest.raises(ProjectError, match=f"Project\\({field}=...\\) expects"):
        replace(project, **{field: value})


def test_the_label_column_is_named_in_one_place(project):
    with pytest.raises(ProjectError, match="label") as caught:
        replace(project, task=Classification(label="sentiment", labels=("neg", "pos")))
    assert "Project(label=...)" in caught.value.fix


def test_the_dataset_is_imported_once(project):
    first = open_dataset(project)
    (project.folder / "toy.parquet").unlink()
    assert open_dataset(project).table().equals(first.table())
    assert first.label_names == ("neg", "pos")


def test_columns_of_the_source_have_names_of_their_own(project):
    table = toy_texts(40).rename_columns(["key", "review", "sentiment", "part"])
    write(project.folder / "toy.parquet", table)
    renamed = replace(
        project,
        label="sentiment",
        id="key",
        split="part",
        task=Classification(text="review", labels=("neg", "pos")),
    )
    rows = open_dataset(renamed).table()
    assert rows["id"].to_pylist() == table["key"].to_pylist()
    assert rows["label"].to_pylist() == table["sentiment"].to_pylist()


def test_metadata_functions_make_columns(project):
    rows = open_dataset(replace(project, metadata=(length,))).table()
    assert rows["length"].to_pylist() == [len(text.split()) for text in rows["text"].to_pylist()]


def test_a_metadata_function_of_another_length_is_named(project):
    def short(rows):
        return [1]

    with pytest.raises(DataError, match="'short' gave 1 values for 40 rows"):
        open_dataset(replace(project, metadata=(short,)))


def test_a_corrected_project_is_imported_anew(project):
    open_dataset(project)
    changed = replace(project, metadata=(length,))
    assert "length" in open_dataset(changed).table().column_names


def test_metadata_called_like_a_computed_column_is_imported_once(project):
    def words(rows):
        return [7 for _ in rows["text"]]

    named = replace(project, metadata=(words,))
    assert set(open_dataset(named).table()["original_words"].to_pylist()) == {7}
    (project.folder / "toy.parquet").unlink()
    assert open_dataset(named).fields.metadata == ("original_words",)


def words_of(folder, expression):
    """The column that a metadata function of project.py makes, whose text is this."""
    (folder / "project.py").write_text(
        "from tunewright.bindings import metadata\n"
        + GOOD
        + f"""
@metadata(rowwise=True)
def words(row):
    return {expression}
"""
    )
    return set(open_dataset(open_project(folder)).table()["original_words"].to_pylist())


def test_an_edited_metadata_function_is_imported_anew(folder):
    assert words_of(folder, "1") == {1}
    assert words_of(folder, "2") == {2}
    open_dataset(open_project(folder)).apply([Drop(ids=("toy-0000",))])
    with pytest.raises(ProjectError, match="disagree: source"):
        words_of(folder, "3")


def test_a_dataset_of_before_metadata_functions_were_noted_still_opens(folder):
    words_of(folder, "1")
    path = next((folder / "data" / "toy").glob("*.json"))
    meta = json.loads(path.read_text())
    meta["source"] = meta["source"].partition(", metadata: ")[0] + ")"
    path.write_text(json.dumps(meta))
    assert words_of(folder, "2") == {1}


def test_edits_are_never_lost_by_a_correction(project):
    dataset = open_dataset(project)
    dataset.apply([Drop(ids=("toy-0000",))])
    with pytest.raises(ProjectError, match="disagree: metadata"):
        open_dataset(replace(project, metadata=(length,)))
    assert open_dataset(project).resolve("main") == dataset.resolve("main")


def test_a_correction_without_a_source_removes_nothing(project):
    before = open_dataset(project).resolve("main")
    (project.folder / "toy.parquet").unlink()
    with pytest.raises(DataError, match=r"toy\.parquet"):
        open_dataset(replace(project, seed=1))
    assert open_dataset(project).resolve("main") == before


def test_edits_that_were_undone_are_not_lost_either(project):
    dataset = open_dataset(project)
    dropped = dataset.apply([Drop(ids=("toy-0000",))])
    dataset.undo()
    with pytest.raises(ProjectError, match="disagree: seed"):
        open_dataset(replace(project, seed=1))
    assert dataset.table(dropped).num_rows == 39


def test_a_wrong_correction_leaves_the_dataset_as_it_was(project):
    before = open_dataset(project).table()
    with pytest.raises(DataError, match="unknown label"):
        open_dataset(replace(project, task=Classification(labels=("neg", "psitive"))))
    assert open_dataset(project).table().equals(before)
    open_dataset(replace(project, seed=1))
    assert sorted(path.name for path in project.dataset_folder.parent.iterdir()) == [".toy.lock", "toy"]


def test_an_error_about_rows_begins_with_the_source(project):
    with pytest.raises(DataError, match=r"^toy\.parquet: \d+ of 40 rows cannot be used"):
        open_dataset(replace(project, task=Classification(labels=("neg", "psitive"))))


def test_of_several_processes_one_imports(project):
    context = multiprocessing.get_context("spawn")
    start, rows = context.Barrier(3), context.Queue()
    workers = [context.Process(target=open_together, args=(project, start, rows)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [rows.get(timeout=60) for _ in workers] == [40] * 3
    for worker in workers:
        worker.join()


def open_together(project, start, rows):
    start.wait()
    try:
        rows.put(open_dataset(project).table().num_rows)
    except (DataError, OSError) as error:
        rows.put(repr(error))


def test_files_per_split(project):
    table = toy_texts(40).drop_columns("split")
    write(project.folder / "a.parquet", table.slice(0, 30))
    write(project.folder / "b.parquet", table.slice(30))
    parts = replace(project, source={"train": "a.parquet", "test": "b.parquet"})
    assert open_dataset(parts).describe()["rows"]["test"] == 10


def test_a_model_folder_is_relative_to_the_project(project):
    assert replace(project, model="owner/name").model_source == "owner/name"
    (project.folder / "tiny").mkdir()
    assert replace(project, model="tiny").model_source == str((project.folder / "tiny").resolve())


def test_runs_are_found_by_part_of_their_name(project):
    run = Run.create(project.runs_folder, kind="train", name="x", config={}, examples=toy_texts(2))
    run.update(status="finished")  # one that has not begun is not the last one
    for name in (run, run.id, run.id[-6:], "last", None):
        assert find_run(project, name).id == run.id
    with pytest.raises(RunError, match="'nothing'"):
        find_run(project, "nothing")


def test_a_name_means_the_run_and_not_its_evaluations(project):
    def make(kind, name, parent=None):
        return Run.create(project.runs_folder, kind=kind, name=name, config={}, examples=toy_texts(2), parent=parent)

    trained = make("train", "one")
    evaluations = [make("eval", f"one-{split}", trained.id) for split in ("test", "validation")]
    assert find_run(project, "one").id == trained.id
    assert find_run(project, "one-test").id == evaluations[0].id
    make("train", "one", trained.id)
    with pytest.raises(RunError, match="could be any of"):
        find_run(project, "one")
