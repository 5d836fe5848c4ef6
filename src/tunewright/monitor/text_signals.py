"""Signals of texts: length, words, ROUGE, copying, cuts and repetition. Use it as ``text``.

A missing text gives a missing value everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.text import words as plain_words
from tunewright.errors import DataError
from tunewright.metrics.rouge import rouge, words as rouge_words
from tunewright.metrics.rouge_sets import rouge_l_sets
from tunewright.monitor.expressions import Signal, node, of
from tunewright.monitor.operations import operation
from tunewright.monitor.user_functions import Function

if TYPE_CHECKING:
    from tunewright.monitor.monitors import Fold

__all__ = [
    "NEGATIONS",
    "chars",
    "copy_ratio",
    "empty",
    "has_any",
    "regex",
    "repeated_ngram",
    "rouge_l",
    "rouge_n",
    "tokens",
    "truncated",
    "vocabulary",
    "words",
]

SIGNALS = (
    "chars",
    "copy_ratio",
    "empty",
    "has_any",
    "regex",
    "repeated_ngram",
    "rouge_l",
    "rouge_n",
    "tokens",
    "truncated",
    "words",
)
"""Names that formulas may call."""

NEGATIONS = ("no", "not", "can't", "couldn't", "won't", "didn't", "don't")
"""Seven exact words; ``has_any(column, NEGATIONS)`` finds them as they stand between spaces, so neither NO! nor No."""

Reading = Literal["spaces", "cleaned", "words"]
_DELETED = str.maketrans("", "", ".,'?#:!")
READINGS: dict[str, Callable[[str], list[str]]] = {
    "spaces": str.split,
    "cleaned": lambda text: text.lower().translate(_DELETED).split(),
    "words": plain_words,
}
# a closing mark, perhaps followed by quotes or brackets; a colon or a comma closes nothing
_CLOSED = r"""[.!?…。！？؟।]["'”’»)\]\s]*$"""
_BLANK = r"[\s\x0b\x1c-\x1f\x{85}\p{Z}]"  # what str.split takes for white space
_SOUGHT = 100  # words that one pattern looks for
_MEASURES = ("f1", "precision", "recall")


def chars(column: str | Signal) -> Signal:
    """Characters (Unicode code points, as Python's ``len``)."""
    return node("text.chars", of(column))


def words(column: str | Signal) -> Signal:
    """Words: what stands between white space."""
    return node("text.words", of(column))


def tokens(column: str | Signal, tokenizer: Callable[..., Mapping[str, Any]]) -> Signal:
    """Tokens, special ones not counted.

    Args:
        column: texts.
        tokenizer: of Hugging Face; formulas and JSON call it by the name of its model.
    """
    return node("text.tokens", of(column), tokenizer=Function.of(tokenizer))


def has_any(column: str | Signal, words: Iterable[str], *, read: Reading = "spaces") -> Signal:
    """Whether one of some words occurs.

    Args:
        column: texts.
        words: compared exactly with the words that are read.
        read: "spaces" splits the raw text at white space, so that "No," is neither "No" nor "no"; "cleaned" first
            makes it lower-case and deletes ``. , ' ? # : !``, so that "don't" is "dont"; "words" finds lower-case
            words between punctuation, so that "NO!" is "no".

    Raises:
        ValueError: if there are no words, or no such reading.
    """
    wanted = (words,) if isinstance(words, str) else tuple(sorted(set(words)))
    if not wanted or read not in READINGS:
        raise ValueError(f"expected words, and a reading of {', '.join(READINGS)}, found {wanted} and {read!r}")
    return node("text.has_any", of(column), words=wanted, read=read)


def rouge_l(
    gold: str | Signal,
    predicted: str | Signal,
    *,
    variant: Literal["sequence", "sets"] = "sequence",
    measure: Literal["f1", "precision", "recall"] = "f1",
) -> Signal:
    """ROUGE-L (Lin 2004), in [0, 1].

    Args:
        gold: texts; what is copied from, where copying is asked about.
        predicted: texts.
        variant: "sequence" has the numbers of the ``rouge-score`` package: lower-case letters and digits, one
            sequence of words. "sets" has those of the ``rouge`` package 1.0.1, of lower-cased texts: sentences
            between dots, sets of words; null where a text has nothing but dots.
        measure: f1, precision or recall.
    """
    _one_of("variant", variant, ("sequence", "sets"))
    _one_of("measure", measure, _MEASURES)
    return node("text.rouge_l", of(gold), of(predicted), variant=variant, measure=measure)


def rouge_n(
    gold: str | Signal,
    predicted: str | Signal,
    *,
    n: Literal[1, 2] = 1,
    measure: Literal["f1", "precision", "recall"] = "f1",
) -> Signal:
    """ROUGE-1 or ROUGE-2: shared words or pairs of words (Lin 2004), in [0, 1]; as the ``rouge-score`` package."""
    _one_of("n", n, (1, 2))
    _one_of("measure", measure, _MEASURES)
    return node("text.rouge_n", of(gold), of(predicted), n=n, measure=measure)


def copy_ratio(source: str | Signal, output: str | Signal) -> Signal:
    """Share of the output's words that lie in its longest run of words copied from the source, in [0, 1].

    Words are lower-case letters and digits, as ROUGE reads them; null where the output has none.
    """
    return node("text.copy_ratio", of(source), of(output))


def empty(column: str | Signal) -> Signal:
    """Whether a text has nothing but white space; a missing text is missing, not empty."""
    return node("text.empty", of(column))


def regex(column: str | Signal, pattern: str, *, ignore_case: bool = False) -> Signal:
    """Whether a pattern occurs: RE2 syntax, whose time grows with the text only (no look-around, no back references).

    Raises:
        ValueError: if it is no such pattern.
    """
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"expected a pattern in RE2 syntax, found {pattern!r} ({error})") from error
    return node("text.regex", of(column), pattern=pattern, ignore_case=ignore_case)


def repeated_ngram(column: str | Signal, *, n: int = 3) -> Signal:
    """Share of a text's runs of n words that occurred in it before, in [0, 1]; 0 for fewer than n words."""
    if n < 1:
        raise ValueError(f"expected runs of 1 word or more, found {n}")
    return node("text.repeated_ngram", of(column), n=n)


def truncated(column: str | Signal, *, stop_reason: str | Signal | None = None) -> Signal:
    """Whether a generated text was cut.

    Without ``stop_reason``: it does not end with a full stop, an exclamation mark, a question mark or an ellipsis,
    perhaps with quotes or brackets behind; an empty text is not cut. With it: the reason is "length", and only where
    the reason is missing the end of the text decides.
    """
    inputs = (of(column),) if stop_reason is None else (of(column), of(stop_reason))
    return node("text.truncated", *inputs)


def vocabulary(column: str, **options: Any) -> Fold:
    """Coverage of the training vocabulary and the words outside of it, as a fold; see `monitor.vocabulary`."""
    from tunewright.monitor.vocabulary import vocabulary as fold

    return fold(column, **options)


def _one_of(name: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise ValueError(f"expected {name} to be one of {', '.join(map(str, known))}, found {value!r}")


def _checked(values: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        raise DataError(f"expected texts, found {values.type}")
    return values


def _listed(values: pa.Array) -> list[str]:
    texts: list[str] = _checked(values).to_pylist()
    return texts


@operation("text.chars", gives="number")
def _chars(texts: pa.Array) -> Any:
    return pc.utf8_length(_checked(texts)).cast(pa.int64())


@operation("text.words", gives="number", cost=10)
def _words(texts: pa.Array) -> Any:
    return pa.array([len(text.split()) for text in _listed(texts)], pa.int64())


@operation("text.tokens", gives="number", cost=200)
def _tokens(texts: pa.Array, *, tokenizer: Function) -> Any:
    found = tokenizer.content(_listed(texts), add_special_tokens=False)["input_ids"]
    return pa.array(map(len, found), pa.int64())


@operation("text.has_any", gives="bool", cost=20)
def _has_any(texts: pa.Array, *, words: tuple[str, ...], read: str) -> Any:
    if read == "spaces" and len(words) <= _SOUGHT:
        return pc.match_substring_regex(_checked(texts), _between_blanks(words))
    absent, reading = frozenset(words).isdisjoint, READINGS[read]
    return pa.array([not absent(reading(text)) for text in _listed(texts)], pa.bool_())


def _between_blanks(words: Iterable[str]) -> str:
    """A pattern that finds one of some words as `str.split` does; none with a blank in it is ever found."""
    found = "|".join(re.escape(word) for word in words if word.split() == [word]) or r"[^\x00-\x{10FFFF}]"
    return rf"(?:\A|{_BLANK})(?:{found})(?:\z|{_BLANK})"


@operation("text.rouge_l", gives="number", cost=200)
def _rouge_l(gold: pa.Array, predicted: pa.Array, *, variant: str, measure: str) -> Any:
    pairs = _listed(gold), _listed(predicted)
    scores = rouge_l_sets(*pairs) if variant == "sets" else rouge(*pairs, kinds=("rougeL",))["rougeL"]
    return pa.array(getattr(scores, measure), from_pandas=True)


@operation("text.rouge_n", gives="number", cost=100)
def _rouge_n(gold: pa.Array, predicted: pa.Array, *, n: int, measure: str) -> Any:
    kind = f"rouge{n}"
    return pa.array(getattr(rouge(_listed(gold), _listed(predicted), kinds=(kind,))[kind], measure))


@operation("text.copy_ratio", gives="number", cost=150)
def _copy_ratio(source: pa.Array, output: pa.Array) -> Any:
    return pa.array(map(_copied_share, _listed(source), _listed(output)), pa.float64())


def _copied_share(source: str, output: str) -> float | None:
    """The longest n for which a run of n words is shared is found by halving: shorter runs are shared as well."""
    whole, said = rouge_words(source), rouge_words(output)
    shared, not_shared = 0, len(said) + 1
    while not_shared - shared > 1:
        n = (shared + not_shared) // 2
        if _runs(whole, n).isdisjoint(_runs(said, n)):
            not_shared = n
        else:
            shared = n
    return shared / len(said) if said else None


def _runs(found: list[str], n: int) -> set[tuple[str, ...]]:
    return set(zip(*(found[start:] for start in range(n)), strict=False))


@operation("text.empty", gives="bool")
def _empty(texts: pa.Array) -> Any:
    return pa.array([not text.strip() for text in _listed(texts)], pa.bool_())


@operation("text.regex", gives="bool", cost=10)
def _regex(texts: pa.Array, *, pattern: str, ignore_case: bool) -> Any:
    return pc.match_substring_regex(_checked(texts), pattern, ignore_case=ignore_case)


@operation("text.repeated_ngram", gives="number", cost=100)
def _repeated_ngram(texts: pa.Array, *, n: int) -> Any:
    return pa.array([_repeated_share(rouge_words(text), n) for text in _listed(texts)])


def _repeated_share(found: list[str], n: int) -> float:
    count = len(found) - n + 1
    return 1 - len(_runs(found, n)) / count if count > 0 else 0.0


@operation("text.truncated", gives="bool", cost=2, dense=False)
def _truncated(texts: pa.Array, reasons: pa.Array | None = None) -> Any:
    closed = pc.match_substring_regex(_checked(texts), _CLOSED)
    cut = pc.invert(pc.or_(closed, pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0)))
    return cut if reasons is None else pc.coalesce(pc.equal(reasons, "length"), cut)
