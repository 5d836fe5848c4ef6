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
    from tunewright.monitor.words import Found

__all__ = ["Counts", "counted", "empty", "limited", "merged_counts", "top"]

Counts: TypeAlias = dict[str, Any]
"""``words``: a count, and ids of some texts, for each word; ``error``."""


def empty() -> Counts:
    """Of no texts."""
    return {"words": {}, "error": 0}


def counted(counts: Counts, found: Found, ids: Sequence[str], *, most: int, examples: int) -> Counts:
    """Counts with more texts, in place where that is possible; the examples of a word are the smallest ids of texts.

    Args:
        counts: that are added to.
        found: which texts hold which words.
        ids: [texts].
        most: words that are kept.
        examples: ids that are kept of each.
    """
    order = sorted(range(len(ids)), key=ids.__getitem__)
    key = np.sort(found.word.astype(np.int64) * len(ids) + np.argsort(order)[found.text])
    words, places = np.divmod(key, max(len(ids), 1))
    starts = np.flatnonzero(np.diff(words, prepend=-1))
    first = [ids[order[place]] for place in places.tolist()]
    known, stops = counts["words"], [*starts[1:].tolist(), len(key)]
    for number, start, stop in zip(words[starts].tolist(), starts.tolist(), stops, strict=False):
        entry = known.get(found.words[number])
        if entry is None:
            known[found.words[number]] = [stop - start, first[start:stop][:examples]]
            continue
        entry[0] += stop - start
        if len(entry[1]) < examples or first[start] < entry[1][-1]:
            entry[1] = sorted([*entry[1], *first[start:stop]])[:examples]
    return limited(counts, most=most)


def merged_counts(a: Counts, b: Counts, *, most: int, examples: int) -> Counts:
    """Counts of the texts of both, neither of which is changed."""
    words = {word: [count, list(ids)] for word, (count, ids) in a["words"].items()}
    for word, (count, ids) in b["words"].items():
        entry = words.setdefault(word, [0, []])
        entry[0] += count
        entry[1] = sorted([*entry[1], *ids])[:examples]
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
    words = counts["words"]
    texts = np.fromiter((count for count, _ in words.values()), dtype=np.int64, count=len(words))
    least = np.partition(texts, -number)[-number] if 0 < number < len(words) else 0
    likely = sorted((-count, word, ids) for word, (count, ids) in words.items() if count >= least)
    return [{"word": word, "texts": -count, "ids": list(ids)} for count, word, ids in likely[:number]]
