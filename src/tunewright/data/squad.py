"""The JSON in which SQuAD and sets made like it come: articles of paragraphs of questions, as flat rows.

Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250; unanswerable questions: https://arxiv.org/abs/1806.03822.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunewright.errors import DataError

__all__ = ["is_squad", "squad_rows"]


def is_squad(document: object) -> bool:
    """Whether a JSON document has the shape ``{"data": [{"paragraphs": [...]}, ...]}``."""
    articles = document.get("data") if isinstance(document, dict) else None
    return isinstance(articles, list) and bool(articles) and all(map(_has_paragraphs, articles))


def squad_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per question: id, title, context, question, answers_text, answers_start and, if given, is_impossible.

    Both lists are empty for a question without an answer, and None where the file has no answers at all.

    Raises:
        DataError: if a paragraph is not shaped so.
    """
    try:
        return [row for article in document["data"] for row in _article(article)]
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(
            f"expected the shape of SQuAD (data, paragraphs, context and qas), found another ({error!r})"
        ) from error


def _has_paragraphs(article: object) -> bool:
    return isinstance(article, dict) and isinstance(article.get("paragraphs"), list)


def _article(article: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for paragraph in article["paragraphs"]:
        for question in paragraph["qas"]:
            yield _row(question, title=article.get("title"), context=paragraph["context"])


def _row(question: Mapping[str, Any], *, title: str | None, context: str) -> dict[str, Any]:
    answers = question.get("answers")
    impossible = {"is_impossible": question["is_impossible"]} if "is_impossible" in question else {}
    return {
        "id": question.get("id"),
        "title": title,
        "context": context,
        "question": question["question"],
        "answers_text": None if answers is None else [answer["text"] for answer in answers],
        "answers_start": None if answers is None else [answer["answer_start"] for answer in answers],
        **impossible,
    }
