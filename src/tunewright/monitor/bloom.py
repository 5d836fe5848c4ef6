"""A frozen Bloom filter (Bloom 1970): whether a word is in a set of millions, in two bytes a word."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bloom", "contained"]


def bloom(words: Collection[str], *, false_positives: float = 1e-4) -> dict[str, Any]:
    """The filter of a set of words, as plain data.

    Args:
        words: that it says yes to, always.
        false_positives: the share of other words that it says yes to as well, in (0, 1).

    Returns:
        ``bits`` [bytes] uint8, and ``hashes``, the number of bits that each word sets.
    """
    size = max(8, math.ceil(-len(words) * math.log(false_positives) / math.log(2) ** 2))
    hashes = max(1, round(size / max(len(words), 1) * math.log(2)))
    bits = np.zeros(-(-size // 8), dtype=np.uint8)
    places = _places(list(words), hashes=hashes, size=8 * len(bits)).ravel()
    np.bitwise_or.at(bits, places // 8, (1 << places % 8).astype(np.uint8))
    return {"bits": bits, "hashes": hashes}


def contained(filter_: dict[str, Any], words: Iterable[str]) -> set[str]:
    """Those words that the filter says yes to."""
    asked = list(words)
    places = _places(asked, hashes=filter_["hashes"], size=8 * len(filter_["bits"]))
    found = (filter_["bits"][places // 8] >> (places % 8).astype(np.uint8) & 1).all(axis=1)
    return {word for word, is_in in zip(asked, found.tolist(), strict=True) if is_in}


def _places(words: list[str], *, hashes: int, size: int) -> NDArray[np.int64]:
    """[words, hashes] bits of each word, by two hashes that stand for all (Kirsch and Mitzenmacher 2006)."""
    digests = b"".join(
        hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=16).digest() for word in words
    )
    pairs = np.frombuffer(digests, dtype="<u8").reshape(-1, 2)
    step = (pairs[:, 1:] | np.uint64(1)) * np.arange(hashes, dtype=np.uint64)
    return ((pairs[:, :1] + step) % np.uint64(size)).astype(np.int64)
