"""ROUGE-L with sets of words: the numbers of the ``rouge`` package, version 1.0.1, of lower-cased texts.

A text is cut at its dots. For every pair of a gold and a predicted sentence the package walks back through the table of
longest common subsequences and collects the words on its way; what it counts is the *set* of words collected in all
pairs, against the sets of words of the whole texts. Which of several longest subsequences is walked matters, and the
way here is the same; only the table is kept as one integer per gold word, whose bits say where the length grows from
one predicted word to the next (Hyyrö 2004), so that 64 cells and more are filled at once. The package fails on
sentences of about a thousand words, for it recurses; this does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunewright.metrics.rouge import Rouge

__all__ = ["rouge_l_sets"]

_SMALL = 1e-8  # in the package's F-measure

Sentences = list[list[str]]


def rouge_l_sets(gold: Sequence[str], predicted: Sequence[str]) -> Rouge:
    """Scores of predicted texts against gold ones; NaN where a text has nothing but dots.

    Args:
        gold: [n] texts; the package's reference.
        predicted: [n] texts; the package's hypothesis.

    >>> rouge_l_sets(["Ann met Bob. He left."], ["bob left"]).f1.round(4).tolist()
    [0.5714]
    """
    read = {text: _sentences(text) for text in {*gold, *predicted}}
    vocabulary = {text: set().union(*sentences) for text, sentences in read.items()}
    shared = np.array(
        [_shared(read[one], read[other]) for one, other in zip(gold, predicted, strict=True)], dtype=np.float64
    )
    sizes = [np.array([len(vocabulary[text]) or np.nan for text in texts]) for texts in (gold, predicted)]
    recall, precision = shared / sizes[0], shared / sizes[1]
    missing = np.isnan(recall) | np.isnan(precision)
    recall[missing] = precision[missing] = np.nan
    f1 = 2.0 * ((precision * recall) / (precision + recall + _SMALL))
    return Rouge(precision=precision, recall=recall, f1=f1)


def _sentences(text: str) -> Sentences:
    """Words of what lies between dots; a sentence of white space is one empty word, as in the package."""
    return [part.split() or [""] for part in text.lower().split(".") if part]


def _shared(gold: Sentences, predicted: Sentences) -> int:
    """How many different words the longest common subsequences of all pairs of sentences hold."""
    found: set[str] = set()
    for one in gold:
        known = set(one)
        for other in predicted:
            if not known.isdisjoint(other):
                _collect(one, [word for word in other if word in known], found)
    return len(found)


def _collect(one: list[str], other: list[str], found: set[str]) -> None:
    """Add the words on the package's way back through the table, which goes up where the length grew above, else left.

    Of gold words in a row that the other sentence lacks, one stands for all: their rows of the table are equal.
    """
    at: dict[str, int] = {}
    for place, word in enumerate(other):
        at[word] = at.get(word, 0) | 1 << place
    end = same = (1 << len(other)) - 1
    full, idle, rows = same, True, []
    for word in one:
        match = at.get(word, 0)
        if match:
            both = same & match
            same = ((same + both) | (same - both)) & full
        elif idle:
            continue
        idle = not match
        rows.append((word, match, full ^ same))
    for word, match, grown in reversed(rows):
        reach = (match | grown) & end
        if not reach:
            return
        last = 1 << (reach.bit_length() - 1)
        if match & last:
            found.add(word)
            end = last - 1
        else:
            end = (last << 1) - 1
