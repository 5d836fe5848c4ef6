"""What kind of learning a table is for, by the names of its columns: answers in passages, or summaries of documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

import pyarrow as pa

from tunewright.data.profiles import Profile, find_by_name
from tunewright.errors import DataError

__all__ = ["SUMMARIES", "Kind", "Roles", "find_answers", "find_summaries", "refuse_half", "refuse_unknown"]

Kind = Literal["classification", "answers", "summaries"]
"""What is learnt: one of a few labels, where the answer to a question lies in a passage, or to write a summary."""

_ANSWERS = {
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph"),
    "answers": ("answers_text", "answers_texts", "answer_texts", "answer_text"),
    "starts": ("answers_start", "answers_starts", "answer_starts", "answer_start"),
}
SUMMARIES = ("summary", "highlights", "abstract", "tldr")
"""What columns of summaries are called."""
_SUMMARIES = {"document": ("dialogue", "document", "article", "text"), "summary": SUMMARIES}
_WHY = {
    "question": "question: its name",
    "context": "context: its name; rows with an equal one share a split that is made",
    "answers": "answers: their texts, by the name; the first one is the label",
    "starts": "starts: where the answers begin, by the name",
}

Roles = dict[str, tuple[str, str]]
"""Role -> (column, why)."""


def find_answers(free: Mapping[str, Profile], *, asked: bool = False) -> Roles | None:
    """Questions, their passages, and answers with where they start; None if one of the four is missing.

    Raises:
        DataError: if one is missing although it was ``asked`` for answers.
    """
    found = {role: find_by_name(free, names, lambda _: True) for role, names in _ANSWERS.items()}
    if asked:
        _refuse_missing(found, _ANSWERS, free)
    roles = {role: (profile.name, _WHY[role]) for role, profile in found.items() if profile}
    return roles if len(roles) == len(_ANSWERS) else None


def refuse_half(free: Mapping[str, Profile]) -> None:
    """Refuse questions about contexts with answers that lack a column, which are not meant to be classified.

    Raises:
        DataError: if question, context and texts of answers are there, but not all that is needed to learn answers.
    """
    found = {role: find_by_name(free, names, lambda _: True) for role, names in _ANSWERS.items()}
    answers = find_by_name(free, (*_ANSWERS["answers"], "answers", "answer"), _could_be_answers)
    if found["question"] and found["context"] and answers:
        _refuse_missing(found, _ANSWERS, free, otherwise="; to learn labels: --task classification")


def find_summaries(free: Mapping[str, Profile], *, asked: bool = False) -> Roles | None:
    """Documents and their summaries, which are shorter; None if there are no two such columns.

    Raises:
        DataError: if one is missing although it was ``asked`` for summaries.
    """
    found = {role: find_by_name(free, names, _is_text) for role, names in _SUMMARIES.items()}
    if asked:
        _refuse_missing(found, _SUMMARIES, free)
    document, summary = found["document"], found["summary"]
    if not document or not summary or not (asked or summary.words < document.words):
        return None
    return {
        "document": (document.name, f"document: its name, and {document.words:.0f} words in the mean"),
        "summary": (summary.name, f"label: its name, and {summary.words:.0f} words in the mean"),
    }


def refuse_unknown(kind: str | None) -> None:
    """Refuse a kind that there is not.

    Raises:
        DataError: if there is no such kind.
    """
    if kind is not None and kind not in get_args(Kind):
        raise DataError(f"expected one of {', '.join(get_args(Kind))} to learn, found {kind!r}")


def _could_be_answers(profile: Profile) -> bool:
    return pa.types.is_list(profile.kind) or (_is_text(profile) and not profile.can_be_label)


def _is_text(profile: Profile) -> bool:
    return profile.is_string and profile.words >= 1


def _refuse_missing(
    found: Mapping[str, Profile | None],
    names: Mapping[str, tuple[str, ...]],
    free: Mapping[str, Profile],
    *,
    otherwise: str = "",
) -> None:
    missing = list(_missing(found, names))
    if missing:
        raise DataError(
            f"expected columns for {', '.join(found)}; found {', '.join(free)}: {'; '.join(missing)}",
            fix=f"rename the columns, or write project.py by hand (docs/guide/init.md){otherwise}",
        )


def _missing(found: Mapping[str, Profile | None], names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for role, profile in found.items():
        if profile is None:
            yield f"none for {role} is called {' or '.join(names[role])}"
