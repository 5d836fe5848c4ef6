"""Full-text search over the texts of a run's rows."""

from __future__ import annotations

import re
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Found", "TextIndex"]

_LONGEST = 500  # characters of a query
_BATCH = 10_000  # rows
_CACHE = 64_000  # kB of the index in memory
_SYNTAX = frozenset('"*')
_TERM = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Found:
    """Row numbers that hold all terms, ascending; ``total`` of them, of which ``rows`` may be the first."""

    rows: tuple[int, ...]
    total: int


class TextIndex:
    """An inverted index in a file that SQLite removes itself (FTS5, contentless: it keeps no texts).

    It knows words. What is none, such as an emoji, is looked for in the texts themselves.
    """

    def __init__(self, rows: pa.Table, fields: Sequence[str]) -> None:
        """Index columns of text; row k of the table is row k of the answers."""
        self._lock = threading.Lock()
        self._columns = [rows[field] for field in fields]
        self._database = sqlite3.connect("", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.executescript(f"PRAGMA cache_size=-{_CACHE}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        self._database.execute("CREATE VIRTUAL TABLE texts USING fts5(text, content='', detail='full')")
        self._database.executemany("INSERT INTO texts(rowid, text) VALUES (?, ?)", _texts(rows, fields))
        self._database.commit()

    def search(self, query: str, *, most: int = 100_000) -> Found:
        """Rows that hold every term of a query.

        Words in double quotes must stand together, ``word*`` is a beginning, and a term without a letter or digit must
        be in a text as it is.

        Raises:
            DataError: if the query is longer than 500 characters.
        """
        words, signs = parsed(query)
        conditions = [self._with_words(words)] if words else []
        conditions += [self._with_sign(sign) for sign in signs]
        if not conditions:
            return Found((), 0)
        rows = reduce(np.intersect1d, conditions)
        return Found(tuple(rows[:most].tolist()), len(rows))

    def _with_words(self, expression: str) -> NDArray[np.int64]:
        with self._lock:
            asked = "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid"
            return np.fromiter((row for (row,) in self._database.execute(asked, (expression,))), np.int64)

    def _with_sign(self, sign: str) -> NDArray[np.int64]:
        found = [
            np.flatnonzero(np.asarray(pc.match_substring(column, sign).fill_null(False))) for column in self._columns
        ]
        return reduce(np.union1d, found, np.empty(0, np.int64))


def parsed(query: str) -> tuple[str, tuple[str, ...]]:
    """Words of a query as an FTS5 expression, each quoted so that nothing of it is an operator; and terms without any.

    Quotes and stars beside other terms belong to the query; alone they are looked for.

    >>> parsed('not "very good" fil* 😀')
    ('"not" "very good" "fil"*', ('😀',))
    >>> parsed('good "'), parsed('"')
    (('"good"', ()), ('', ('"',)))

    Raises:
        DataError: if the query is too long.
    """
    if len(query) > _LONGEST:
        raise DataError(
            f"expected a search of at most {_LONGEST} characters, found {len(query):,}", fix="search for less"
        )
    held = query.replace("\0", " ").encode(errors="ignore").decode()  # half a surrogate pair is in no text
    terms = [phrase or word for phrase, word in _TERM.findall(held)]
    words = [_quoted(term) for term in terms if _is_word(term)]
    signs = [term for term in terms if not _is_word(term)]
    if len(terms) > 1:
        signs = [sign for sign in signs if not _SYNTAX.issuperset(sign)]
    return " ".join(words), tuple(signs)


def _is_word(term: str) -> bool:
    return any(map(str.isalnum, term))


def _quoted(term: str) -> str:
    is_beginning = len(term) > 1 and term.endswith("*")
    word = term.rstrip("*").replace('"', "")
    return f'"{word}"' + ("*" if is_beginning else "")


def _texts(rows: pa.Table, fields: Sequence[str]) -> Iterator[tuple[int, str]]:
    row = 0
    for batch in rows.select(list(fields)).to_batches(max_chunksize=_BATCH):
        for texts in zip(*(batch[field].to_pylist() for field in fields), strict=True):
            yield row, "\n".join(text.replace("\0", " ") for text in texts if text)
            row += 1
