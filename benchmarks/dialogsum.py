"""A story from production: a summariser learnt from chats (SAMSum) meets longer conversations (DialogSum).

800 chats of SAMSum's test set come first, then 12,400 dialogues of DialogSum's training set, in batches of 200, and one
monitor says what is odd: as the tutorial of UpTrain v0 does, whose figures stand beside ours. Nothing is generated: the longest turn of a
dialogue, cut after 20 tokens, stands in for what a model would write; checks of outputs are also counted on summaries
that people wrote, cut alike. Vectors are of the outputs, by MiniLM.

    python benchmarks/dialogsum.py            # writes benchmarks/results/dialogsum.json; pictures beside the scratch files
    python benchmarks/dialogsum.py --quick    # few rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import common
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from common import summaries

from tunewright.analyze.cluster_names import name_clusters
from tunewright.analyze.clusters import cluster
from tunewright.analyze.projection import project
from tunewright.metrics.rouge import rouge
from tunewright.metrics.rouge_sets import rouge_l_sets
from tunewright.monitor.collector import Collector
from tunewright.monitor.drift_causes import drift_causes
from tunewright.monitor.lints import lints
from tunewright.monitor.reference import Reference
from tunewright.monitor.signals import NEGATIONS, emb, text, truth
from tunewright.monitor.watch import Monitor
from tunewright.plot.monitor_map import figure, save

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACES = ("yuan", "li", "wang", "taiwan", "zhang", "liu", "chinas", "sichaun", "singapore")
TUTORIAL = {"coverage_first": 0.98, "coverage_last": 0.95, "edge_cases": 554, "rows": 13_200}
WINDOW, BUDGET, SHOWN = 200, 2000, 15
SCRATCH = common.RESULTS / "scratch"


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    sizes = (1_000, (200, 600)) if arguments.quick else (None, (800, 12_400))
    known, rows = (
        with_outputs(table) for table in (summaries.reference(rows=sizes[0]), summaries.production(rows=sizes[1]))
    )
    reference = Reference.from_table(
        known.drop_columns(["output_embedding"]), vectors={"output_embedding": stacked(known["output_embedding"])}
    )
    outliers = worst(known)
    scale = np.abs(reference.vectors("output_embedding")).max(axis=0)
    with tempfile.TemporaryDirectory() as folder:
        found = story(rows, reference, (outliers, scale), Path(folder))
    by_people = rows.set_column(
        rows.column_names.index("output"), "output", pa.array(map(summaries.cut, rows["gts"].to_pylist()))
    )
    result = {
        "rows": rows.num_rows,
        "reference_rows": known.num_rows,
        "output": "the longest turn, cut after 20 tokens",
        "outliers": len(outliers),
        "tutorial": TUTORIAL,
        **found,
        "edge_cases": {name: counts(table) for name, table in {"longest turn": rows, "by people": by_people}.items()},
        "drift_of_words_alone": of_words_alone(known, rows),
        "clusters": clusters(rows, reference),
    }
    common.write("dialogsum", arguments, result)
    show(result)


def with_outputs(table: pa.Table) -> pa.Table:
    """Rows with ``output``, its vector, and ROUGE-L of it against what people wrote."""
    outputs = [summaries.longest_turn(dialogue) for dialogue in table["dialogue"].to_pylist()]
    vectors = summaries.embedded(outputs, SCRATCH)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    scores = rouge(table["gts"].to_pylist(), outputs, kinds=("rougeL",))["rougeL"].f1
    ids = pc.binary_join_element_wise(table["source"], table["id"], "-")
    table = table.set_column(table.column_names.index("id"), "id", ids)
    columns = {"output": pa.array(outputs), "output_embedding": flat, "score": pa.array(scores)}
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table


def worst(known: pa.Table) -> NDArray[np.float32]:
    """[m, 384] vectors of the reference's outputs that share no word with the summary."""
    scores = rouge_l_sets(known["gts"].to_pylist(), known["output"].to_pylist()).f1
    none = known.filter(pa.array(scores == 0))
    return stacked(none["output_embedding"])


def stacked(column: pa.ChunkedArray) -> NDArray[np.float32]:
    return np.asarray(column.combine_chunks().flatten(), np.float32).reshape(len(column), -1)


def edges() -> list[Any]:
    """The tutorial's edge cases: each part, and both as it counts them."""
    long = text.chars("dialogue") > 1700
    copied = (text.rouge_l("dialogue", "output", variant="sets") > 0.3) & text.has_any("dialogue", NEGATIONS)
    places = text.has_any("dialogue", PLACES, read="cleaned")
    named = {"long": long, "copied_with_negation": copied, "long_or_copied": long | copied, "places": places}
    return [signal.edge(name) for name, signal in named.items()]


def checks(outliers: NDArray[np.float32], scale: NDArray[np.float32]) -> list[Any]:
    return [
        *edges(),
        (text.rouge_l(truth("gts"), "output", variant="sets") == 0).edge("nothing_in_common"),
        emb.near("output_embedding", outliers, distance="l1", scale=scale).edge("near_outliers"),
        text.vocabulary("dialogue"),
        text.vocabulary("dialogue", by="source"),
        emb.drift("output_embedding", window=WINDOW),
    ]


def story(
    rows: pa.Table, reference: Reference, near: tuple[NDArray[np.float32], NDArray[np.float32]], folder: Path
) -> dict[str, Any]:
    """Log everything, watch when drift is an alarm, and ask what the monitor knows."""
    drift = emb.drift("output_embedding", window=WINDOW)
    alarm, seen, coverage = None, 0, []
    with Monitor(
        "summaries", folder=folder / "m", reference=reference, checks=checks(*near), collect=Collector(budget=BUDGET)
    ) as monitor:
        for batch in summaries.batches(rows.drop_columns(["score"])):
            logged = monitor.log(batch)
            assert not logged.errors, logged.errors
            seen += logged.acknowledged
            report = monitor.report()["checks"]
            coverage.append({"rows": seen, "coverage": report["vocabulary(dialogue)"]["coverage"]})
            if alarm is None and report[drift.name]["alarm"]:
                alarm = {"row": seen, **numbers(report[drift.name])}
        report = monitor.report()["checks"]
        taken = monitor.collected()
        found = [{"name": one.name, "severity": one.severity, "count": one.count} for one in lints(monitor)]
    last = rows.slice(max(0, rows.num_rows - 5 * WINDOW))
    causes = drift_causes(drift, drift.update(drift.start(reference), last), last, reference, text="output")
    words = report["vocabulary(dialogue)"]
    return {
        "collided_when_numbered": collided(rows, folder),
        "coverage": {
            "cumulative": coverage,
            "normal": words["normal_coverage"],
            "by_source": {
                row["source"]: {name: row[name] for name in ("rows", "coverage", "normal_coverage")}
                for row in report["vocabulary(dialogue) by source"]["slices"].to_pylist()
            },
        },
        "unknown": {
            "raw": pairs(words["unknown"]),
            "normalised": pairs(words["normal_unknown"]),
        },
        "marked": {name: check["marked"] for name, check in report.items() if "marked" in check},
        "drift": {
            "first_alarm": alarm,
            "last": numbers(report[drift.name]),
            "domain_auc": None if causes.domain is None else causes.domain.auc,
            "words": [one.word for one in causes.witnesses.words][:SHOWN],
        },
        "collected": chosen(taken),
        "lints": found,
    }


def of_words_alone(known: pa.Table, rows: pa.Table) -> dict[str, Any]:
    """Drift of the outputs without the names of speakers, which alone give DialogSum away; looked at batch by batch."""
    drift = emb.drift("output_embedding", window=WINDOW)
    then, now = (
        summaries.embedded([said.partition(":")[2] or said for said in table["output"].to_pylist()], SCRATCH)
        for table in (known, rows)
    )
    state = drift.start(Reference.from_table(known.select(["id"]), vectors={drift.column: then}))
    flat = pa.FixedSizeListArray.from_arrays(pa.array(now.reshape(-1)), now.shape[1])
    report = drift.report(drift.update(state, rows.select(["id"]).append_column(drift.column, flat)))
    first, alone = report["first_alarm"], report["looks"].filter(pc.equal(report["looks"]["length"], 1))
    null = [
        row["p"]
        for row in alone.to_pylist()
        if (row["last"] + 1) * WINDOW <= pc.sum(pc.equal(rows["source"], "samsum")).as_py()
    ]
    return {
        **numbers(report),
        "first_alarm_row": None if first is None else (first + 1) * WINDOW,
        "p_of_null_windows": null,
    }


def collided(rows: pa.Table, folder: Path) -> int:
    """Rows that are lost where both sources number theirs from 0, as the tutorial's do; the monitor says so."""
    with Monitor("numbered", folder=folder / "numbered") as monitor:
        for source in ("samsum", "dialogsum"):
            part = rows.filter(pc.equal(rows["source"], source)).select(["dialogue"])
            monitor.log(part.append_column("id", pa.array(map(str, range(part.num_rows)))))
        return monitor.conflicts


def counts(rows: pa.Table) -> dict[str, Any]:
    """Rows by edge case, with ROUGE-L as each of two packages computes it."""
    from tunewright.monitor.signals import evaluate

    sequence = (text.rouge_l("dialogue", "output") > 0.3) & text.has_any("dialogue", NEGATIONS)
    signals = {edge.name: edge.signal for edge in edges()} | {"copied_by_the_other_rouge": sequence}
    found = evaluate(signals, rows).values
    first = rows["source"].combine_chunks()
    by = {
        source: {name: pc.sum(pc.and_(values, pc.equal(first, source))).as_py() for name, values in found.items()}
        for source in ("samsum", "dialogsum")
    }
    dialogues, outputs = rows["dialogue"].to_pylist(), rows["output"].to_pylist()
    against = {
        "dialogue": rouge_l_sets(dialogues, outputs).f1,
        "summary": rouge_l_sets(rows["gts"].to_pylist(), outputs).f1,
    }
    zeros = {name: int((scores == 0).sum()) for name, scores in against.items()}
    total = {name: pc.sum(values).as_py() for name, values in found.items()}
    return {**total, "by_source": by, "rouge_l_is_zero_against": zeros}


def clusters(rows: pa.Table, reference: Reference) -> list[dict[str, Any]]:
    """Clusters of production's outputs, the lowest mean ROUGE-L first; draws them on the map of the reference."""
    vectors = stacked(rows["output_embedding"])
    code = cluster(vectors, method="kmeans", clusters=24).code
    scores, source = rows["score"].to_numpy(), np.array(rows["source"].to_pylist())
    names = name_clusters(code, texts=rows["output"].to_pylist())
    found = [
        {
            "name": names[number],
            "rows": int((code == number).sum()),
            "mean_rouge_l": float(scores[code == number].mean()),
            "dialogsum": float((source[code == number] == "dialogsum").mean()),
        }
        for number in range(code.max() + 1)
    ]
    draw(rows, reference)
    return sorted(found, key=lambda one: one["mean_rouge_l"])


def draw(rows: pa.Table, reference: Reference) -> None:
    """Reference and production on a map that only the reference shaped."""
    made = project(reference.vectors("output_embedding"), stacked(rows["output_embedding"]))
    source = np.array(rows["source"].to_pylist())
    groups = [("reference: SAMSum, training", made.points)]
    groups += [(f"production: {name}", made.others[source == name]) for name in ("dialogsum", "samsum")]
    facts = [f"{rows.num_rows:,} outputs of production", "UMAP of the reference"]
    save(figure(groups, title="Outputs: reference and production", facts=facts), SCRATCH / "dialogsum.png")


def chosen(taken: pa.Table) -> dict[str, Any]:
    """The collected rows by reason and source."""
    reasons = Counter(name for row in taken["reasons"].to_pylist() for name in row)
    several = sum(len(row) > 1 for row in taken["reasons"].to_pylist())
    return {
        "rows": taken.num_rows,
        "reasons": dict(reasons.most_common()),
        "with_several_reasons": several,
        "sources": dict(Counter(taken["source"].to_pylist())),
    }


def numbers(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if isinstance(value, bool | int | float)}


def pairs(table: pa.Table) -> list[list[Any]]:
    return [[row["word"], row["texts"]] for row in table.slice(0, SHOWN).to_pylist()]


def show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        print(f"{name}: {str(value)[:600]}")


if __name__ == "__main__":
    main()
