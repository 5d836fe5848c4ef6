"""``check``: is the project right, and is the data sound?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.lints import Lint, Rows, lint
from tunewright.bindings import as_metadata
from tunewright.errors import DataError, TunewrightError
from tunewright.project import Project, import_dataset, open_dataset
from tunewright.source import read
from tunewright.verbs.described import near_duplicates
from tunewright.verbs.linting import of_data
from tunewright.verbs.perfect import perfect
from tunewright.verbs.probing import probe_loss, probe_metadata, probe_metric, probe_preprocess, probe_visualiser
from tunewright.verbs.probing_monitors import probe_monitors
from tunewright.verbs.results import Result
from tunewright.verbs.trying import State, Step, Tried, try_all

__all__ = ["Checked", "Tried", "check"]

_COMPARED = 50_000  # rows that are compared with each other in seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Result):
    """What was tried, in order, and the lints of all rows."""

    bindings: tuple[Tried, ...]
    lints: tuple[Lint, ...]
    rows: int

    @property
    def passed(self) -> bool:
        """Whether everything works, and there is no error among the findings."""
        return all(tried.passed for tried in self.bindings) and not any(one.severity == "error" for one in self.lints)


def check(project: Project, *, version: str = "main", rows: int = 8) -> Checked:
    """Try every function of the project and every step of a training on a few rows, and the artifact lints on all.

    What fails is a result, not an error: whatever a model, a task or a function raises is reported with its name and
    the user's own line. What does not depend on it is tried all the same.

    Args:
        project: what to check.
        version: of the dataset; imported first if that has not happened.
        rows: how many to try things on, 2 or more.

    Raises:
        DataError: if the number of rows is less than 2.
    """
    if rows < 2:
        raise DataError(f"expected 2 rows or more to try things on, found {rows}", fix="leave --rows out for 8")
    with tempfile.TemporaryDirectory() as folder:
        state: State = {"project": project, "version": version, "wanted": rows, "folder": Path(folder)}
        bindings = try_all(_steps(project, state), state, folder=project.folder)
        table = state.get("table")
        lints = () if table is None else _lints(state)
    return Checked(bindings=bindings, lints=lints, rows=0 if table is None else table.num_rows)


def _steps(project: Project, state: State) -> list[Step]:
    """Everything to try; functions that make rows come first, those about outputs where outputs are known."""
    making = [probe_preprocess(project.preprocess)] if project.preprocess else []
    prepared = tuple(step.name for step in making) or ("source",)
    making += [probe_metadata(as_metadata(function), needs=prepared) for function in project.metadata]
    state["making"] = [step.name for step in making]
    spans = [Step("spans", _spans, ("sample",))] if project.task.target_fields else []
    return [
        *([Step("source", _source), *making] if making else []),
        Step("data", _data, prepared if project.preprocess else ()),
        Step("sample", _sample, ("data",)),
        *spans,
        *map(probe_metric, project.metrics),
        Step("tokenizer", _tokenizer),
        Step("encode", _encode, ("sample", "tokenizer")),
        Step("collate", _collate, ("encode",)),
        Step("load_model", _load_model, ("tokenizer",)),
        Step("forward", _forward, ("collate", "load_model")),
        Step("measure", _measure, ("forward",)),
        Step("decode", _decode, ("forward",)),
        Step("round trip", _round_trip, ("decode",)),
        Step("score", _score, ("measure", "decode")),
        *([probe_loss(project.loss)] if project.loss else []),
        *map(probe_visualiser, project.visualisers),
        *probe_monitors(project),
    ]


def _source(state: State) -> str:
    table = read(state["project"])
    state["source_rows"] = rows = min(state["wanted"], table.num_rows)
    state["source"] = _spread(table, rows).to_pydict()
    return f"{table.num_rows} rows, columns {', '.join(table.column_names)}"


def _data(state: State) -> str:
    project: Project = state["project"]
    without = ""
    try:
        dataset, version = open_dataset(project), state["version"]
    except TunewrightError:
        if not project.metadata:
            raise
        # maybe a metadata function is to blame, which is reported already: the rest can be tried without
        dataset = import_dataset(replace(project, metadata=()), state["folder"] / "data")
        version, without = "main", ", imported without metadata functions"
    state["table"] = table = dataset.table(version)
    state["dataset"] = dataset
    counts = ", ".join(f"{name} {rows}" for name, rows in dataset.describe(version)["rows"].items())
    left_out = sum(problem.count for problem in dataset.skipped)
    return f"{table.num_rows} rows ({counts})" + (f", {left_out} left out at import" if left_out else "") + without


def _sample(state: State) -> str:
    table: pa.Table = state["table"]
    labelled = table.filter(pc.and_(pc.equal(table["split"], "train"), pc.is_valid(table["label"])))
    if labelled.num_rows == 0:
        raise DataError("expected labelled rows in split 'train', found none", fix="look at the labels and the splits")
    state["rows"] = rows = _spread(labelled, state["wanted"])
    return f"{rows.num_rows} labelled training rows"


def _spread(table: pa.Table, rows: int) -> pa.Table:
    """Rows spread over the table, which may be sorted by label."""
    return table.take(np.unique(np.linspace(0, table.num_rows - 1, rows).astype(int)))


def _spans(state: State) -> str:
    fields, rows = state["dataset"].fields, state["rows"].to_pydict()
    spans = list(_golds(rows, fields.target, fields.passage))
    for example, passage, text, start in spans:
        found = passage[start : start + len(text)]
        if found != text:
            place = passage.find(text)
            where = "it is nowhere in the text" if place < 0 else f"it is at {place}"
            raise DataError(
                f"row {example}: {text!r} is not at {start} of {fields.passage!r}, where {found!r} is; {where}",
                fix="count characters of the text as it is stored, from 0, after all preprocessing",
            )
    return f"{len(spans)} gold answers are where they are said to be"


def _golds(
    rows: Mapping[str, Sequence[Any]], target: Sequence[str], passage: str
) -> Iterator[tuple[str, str, str, int]]:
    """Of each gold answer: id, the text it is in, itself, and where it starts."""
    for example, text, answers, starts in zip(rows["id"], rows[passage], *(rows[name] for name in target), strict=True):
        for answer, start in zip(answers or (), starts or (), strict=True):
            yield example, text, answer, start


def _tokenizer(state: State) -> str:
    from tunewright.tasks.source import load_tokenizer

    project: Project = state["project"]
    state["tokenizer"] = tokenizer = load_tokenizer(
        project.model_source, trust_remote_code=project.train.trust_remote_code
    )
    return f"{type(tokenizer).__name__}, {len(tokenizer)} tokens, inputs up to {tokenizer.model_max_length}"


def _encode(state: State) -> str:
    state["features"] = features = state["project"].task.encode(state["rows"].to_pydict(), state["tokenizer"])
    lengths = [feature["length"] for feature in features]
    silent = sum(not feature["teaches"] for feature in features)
    untaught = f", {silent} without the target" if silent else ""
    return f"{len(features)} features, {min(lengths)} to {max(lengths)} tokens{untaught}"


def _collate(state: State) -> str:
    inputs = state["project"].task.collator(state["tokenizer"])(state["features"])
    shapes = _shapes(inputs)
    state["targets"] = inputs.pop("labels")
    state["inputs"] = inputs
    return shapes


def _load_model(state: State) -> str:
    project: Project = state["project"]
    state["model"] = model = project.task.load_model(
        project.model_source, trust_remote_code=project.train.trust_remote_code
    )
    return f"{type(model).__name__}, {model.num_parameters() / 1e6:.1f} million parameters"


def _forward(state: State) -> str:
    import torch

    with torch.no_grad():
        state["outputs"] = outputs = state["model"].eval()(**state["inputs"])
    return _shapes({name: value for name, value in outputs.items() if name.endswith("logits")})


def _measure(state: State) -> str:
    measured = state["project"].task.measure(state["outputs"], state["targets"])
    return f"{', '.join(measured)}: each {list(measured['gold_probability'].shape)}"


def _decode(state: State) -> str:
    decoded = state["project"].task.decode(_forward_of(state, state["outputs"]))
    return ", ".join(f"{name} [{len(values)}]" for name, values in decoded.items())


def _round_trip(state: State) -> str:
    """A model that is always right must be read as saying the gold targets."""
    ideal = perfect(state["outputs"], state["targets"])
    if ideal is None:
        return "not for this task: what it says is generated"
    said = state["project"].task.decode(_forward_of(state, ideal))["predicted"]
    golds = _gold_texts(state["rows"], state["project"].task.target_fields)
    pairs = [
        (feature["id"], golds[feature["id"]], str(text))
        for feature, text in zip(state["features"], said, strict=True)
        if feature["teaches"]
    ]
    for example, texts, text in pairs:
        if not any(gold == text or (gold and gold in text) for gold in texts):  # a token may hold more than the gold
            raise DataError(
                f"row {example}: of perfect outputs the task reads {text!r}, expected one of {texts}",
                fix="let encode and decode count in the same way, and labels be what the targets say",
            )
    exact = sum(text in texts for _, texts, text in pairs)
    others = ", the others with more around them" if exact < len(pairs) else ""
    return f"{exact} of {len(pairs)} gold targets come back from perfect outputs{others}"


def _gold_texts(rows: pa.Table, target: Sequence[str]) -> dict[str, list[str]]:
    """The gold targets of each row by id: its label, and the texts among its other targets."""
    found = {}
    for row in rows.to_pylist():
        more = [value for name in target for value in row.get(name) or () if isinstance(value, str)]
        found[row["id"]] = list(dict.fromkeys([row["label"], *more]))
    return found


def _score(state: State) -> str:
    from tunewright.observe.predict import predict

    project: Project = state["project"]
    state["said"] = said = predict(state["model"], project.task, state["tokenizer"], state["rows"])
    columns = state["rows"].to_pydict() | said.select(["predicted"]).to_pydict()
    scores = project.task.score(columns)
    shown = ", ".join(f"{name} {value:.2f}" for name, value in scores.items())
    return f"{shown} (untrained: this says nothing yet)"


def _forward_of(state: State, outputs: Any) -> Any:
    from tunewright.tasks import Forward

    return Forward(
        outputs=outputs,
        features=state["features"],
        inputs=state["inputs"],
        model=state["model"],
        tokenizer=state["tokenizer"],
    )


def _shapes(values: Mapping[str, Any], prefix: str = "") -> str:
    return ", ".join(
        _shapes(value, f"{name}.") if isinstance(value, Mapping) else f"{prefix}{name} {list(value.shape)}"
        for name, value in values.items()
    )


def _lints(state: State) -> tuple[Lint, ...]:
    task, rows = state["project"].task, state["table"]
    if rows.num_rows <= _COMPARED:
        rows = rows.append_column("duplicate_of", near_duplicates(task, rows)["duplicate_of"])
    tokenizer = state["tokenizer"] if "inputs" in state else None  # only a task that can encode is asked to
    return tuple(lint(Rows(**of_data(task, state["dataset"].fields, rows, tokenizer))))
