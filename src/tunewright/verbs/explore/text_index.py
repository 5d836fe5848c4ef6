"""Full-text search over the texts of a run's rows."""

from __future__ import annotations

import re
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunewright.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Found", "TextIndex"]

_LONGEST = 500  # characters of a query
_BATCH = 10_000  # rows
_CACHE = 64_000  # kB of the index in memory
_TERM = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Found:
    """Row numbers that hold all terms, ascending; ``total`` of them, of which ``rows`` may be the first."""

    rows: tuple[int, ...]
    total: int


class TextIndex:
    """An inverted index in a file that SQLite removes itself (FTS5, contentless: it keeps no texts)."""

    def __init__(self, rows: pa.Table, fields: Sequence[str]) -> None:
        """Index columns of text; row k of the table is row k of the answers."""
        self._lock = threading.Lock()
        self._database = sqlite3.connect("", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.executescript(f"PRAGMA cache_size=-{_CACHE}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        self._database.execute("CREATE VIRTUAL TABLE texts USING fts5(text, content='', detail='full')")
        self._database.executemany("INSERT INTO texts(rowid, text) VALUES (?, ?)", _texts(rows, fields))
        self._database.commit()

    def search(self, query: str, *, most: int = 100_000) -> Found:
        """Rows that hold every word of a query; words in double quotes must stand together, ``word*`` is a beginning.

        Raises:
            DataError: if the query is longer than 500 characters.
        """
        asked = expression(query)
        if not asked:
            return Found((), 0)
        with self._lock:
            found = self._database.execute("SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid", (asked,))
            rows = [row for (row,) in found]
        return Found(tuple(rows[:most]), len(rows))


def expression(query: str) -> str:
    """A query as an FTS5 expression in which every term is quoted, so that nothing of it is an operator.

    >>> expression('not "very good" fil*')
    '"not" "very good" "fil"*'

    Raises:
        DataError: if the query is too long.
    """
    if len(query) > _LONGEST:
        raise DataError(
            f"expected a query of at most {_LONGEST} characters, found {len(query):,}", fix="search for less"
        )
    terms = [phrase or word for phrase, word in _TERM.findall(query.replace("\0", " "))]
    return " ".join(filter(None, map(_quoted, terms)))


def _quoted(term: str) -> str:
    is_beginning = len(term) > 1 and term.endswith("*")
    word = term.rstrip("*").replace('"', "")
    return f'"{word}"' + ("*" if is_beginning else "") if any(map(str.isalnum, word)) else ""


def _texts(rows: pa.Table, fields: Sequence[str]) -> Iterator[tuple[int, str]]:
    row = 0
    for batch in rows.select(list(fields)).to_batches(max_chunksize=_BATCH):
        for texts in zip(*(batch[field].to_pylist() for field in fields), strict=True):
            yield row, "\n".join(text.replace("\0", " ") for text in texts if text)
            row += 1
