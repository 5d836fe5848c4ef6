"""Sentiment of English texts by a word list: an optional extra, for slices by how emotional or how personal a text is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tunewright.errors import MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sentiment"]


def sentiment(fields: Mapping[str, Sequence[str | None]]) -> dict[str, NDArray[np.generic]]:
    """Columns about the sentiment of texts, by the word list of TextBlob; equal texts are read once.

    Args:
        fields: columns of n texts by name; None counts as no text.

    Returns:
        Per field ``field_polarity`` [n] in [-1, 1] and ``field_subjectivity`` [n] in [0, 1]; 0 where no word is known.

    Raises:
        MissingDependencyError: if TextBlob is not installed.
    """
    try:
        from textblob.en import sentiment as judge
    except ImportError:
        raise MissingDependencyError("TextBlob is not installed", fix="pip install 'tunewright[sentiment]'") from None
    columns: dict[str, NDArray[np.generic]] = {}
    for field, texts in fields.items():
        read = {text: judge(text or "") for text in set(texts)}
        table = np.array([read[text] for text in texts], dtype=np.float64).reshape(-1, 2)
        columns |= {f"{field}_polarity": table[:, 0], f"{field}_subjectivity": table[:, 1]}
    return columns
