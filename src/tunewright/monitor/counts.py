"""How many texts hold each word: exact for so many words, and from there on the frequent ones with an error bound.

The summary is that of Misra and Gries (1982), which tells as much as SpaceSaving (Metwally et al. 2005) and merges with
the same bound (Agarwal et al. 2012). With more than ``most`` words, what the one in the middle counts is taken from
all, and words without a count are forgotten. ``error`` is the sum of what was taken: a word was in as many texts as
it counts, or in at most ``error`` more, and ``error`` is at most 2 / ``most`` of all that was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Counts", "counted", "empty", "limited", "merged_counts", "top"]

Counts: TypeAlias = dict[str, Any]
"""``words``: a count, and ids of some texts, for each word; ``error``."""


def empty() -> Counts:
    """Of no texts."""
    return {"words": {}, "error": 0}


def counted(
    counts: Counts, words: Sequence[str], seen: NDArray[np.bool_], ids: Sequence[str], *, most: int, examples: int
) -> Counts:
    """Counts with more texts, in place where that is possible; the examples of a word are the smallest ids of texts.

    Args:
        counts: that are added to.
        words: different ones.
        seen: [texts, words] whether a text holds a word.
        ids: [texts].
        most: words that are kept.
        examples: ids that are kept of each.
    """
    order = sorted(range(len(ids)), key=ids.__getitem__)
    column, row = np.nonzero(seen[order].T)
    stops = np.searchsorted(column, np.arange(len(words)), side="right").tolist()
    first = [ids[order[place]] for place in row.tolist()]
    start, known = 0, counts["words"]
    for word, stop in zip(words, stops, strict=True):
        if stop > start:
            entry = known.setdefault(word, [0, []])
            entry[0] += stop - start
            entry[1] = _smallest(entry[1], first[start : min(stop, start + examples)], examples)
            start = stop
    return limited(counts, most=most)


def _smallest(ids: list[str], more: list[str], number: int) -> list[str]:
    return sorted([*ids, *more])[:number] if ids else more


def merged_counts(a: Counts, b: Counts, *, most: int, examples: int) -> Counts:
    """Counts of the texts of both, neither of which is changed."""
    words = {word: [count, list(ids)] for word, (count, ids) in a["words"].items()}
    for word, (count, ids) in b["words"].items():
        entry = words.setdefault(word, [0, []])
        entry[0] += count
        entry[1] = _smallest(entry[1], list(ids), examples)
    return limited({"words": words, "error": a["error"] + b["error"]}, most=most)


def limited(counts: Counts, *, most: int) -> Counts:
    """The same with at most so many words."""
    words = counts["words"]
    if len(words) <= most:
        return counts
    taken = sorted((count for count, _ in words.values()), reverse=True)[most // 2]
    kept = {word: [count - taken, ids] for word, (count, ids) in words.items() if count > taken}
    return {"words": kept, "error": counts["error"] + taken}


def top(counts: Counts, number: int) -> list[dict[str, Any]]:
    """The words of most texts, of equal ones in the order of the alphabet: ``word``, ``texts`` and ``ids`` of some."""
    words = sorted(counts["words"].items(), key=lambda item: (-item[1][0], item[0]))
    return [{"word": word, "texts": count, "ids": list(ids)} for word, (count, ids) in words[:number]]
