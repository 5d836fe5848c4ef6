"""Where in the paragraph is the answer? ALBERT on SQuAD 1.1, with metadata to ask where it fails."""

from __future__ import annotations

import re

from tunewright import Project, QuestionAnswering, TrainConfig
from tunewright.bindings import metadata, visualiser

_WORDS = ("how many", "how much", "how", "what", "when", "where", "which", "who", "why")
_DATE = re.compile(
    r"\b1\d{3}\b|\b20\d{2}\b|january|february|march|april|june|july|august|september|october|november|december"
)
_NUMBER = re.compile(r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million|billion)\b")


@metadata(rowwise=True)
def asks(row):
    """The question word; ``how many`` and ``how much`` ask for quantities."""
    question = f" {row['question'].lower()} "
    return next((word for word in _WORDS if f" {word} " in question), "other")


def first_answer(row):
    """Text and start of the first gold answer; of a row without one, an empty text at the start."""
    return (row["answers_text"] or [""])[0], (row["answers_start"] or [0])[0]


@metadata(rowwise=True)
def answer_kind(row):
    """What the first gold answer looks like; None without one."""
    answer, _ = first_answer(row)
    if _DATE.search(answer.lower()):
        return "date"
    if _NUMBER.search(answer.lower()):
        return "number"
    return ("name" if answer[0].isupper() else "phrase") if answer else None


@metadata(rowwise=True)
def answer_occurs(row):
    """How often the text of the first gold answer stands in the context: more than once, and its place may be wrong."""
    answer, _ = first_answer(row)
    return row["context"].count(answer) if answer else None


@metadata(rowwise=True)
def shared_words(row):
    """Share of the question's words that the context has, too, in [0, 1]."""
    question, context = (set(re.findall(r"\w+", row[name].lower())) for name in ("question", "context"))
    return len(question & context) / max(1, len(question))


@visualiser
def around_the_answer(row):
    """The gold answer in its sentence."""
    answer, start = first_answer(row)
    before, after = row["context"][:start], row["context"][start + len(answer) :]
    return f"... {before[-60:]}[{answer}]{after[:60]} ..."


project = Project(
    name="squad",
    source="rajpurkar/squad",
    task=QuestionAnswering(max_length=384, stride=128, max_answer_tokens=30),
    model="albert/albert-base-v2",
    train=TrainConfig(epochs=2, batch_size=12, learning_rate=3e-5),
    fields=("title",),
    metadata=(asks, answer_kind, answer_occurs, shared_words),
    visualisers=(around_the_answer,),
    on_bad="skip",
)
