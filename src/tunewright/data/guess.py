"""What is in a table: which columns are the text, the pair, the label and the split, and why it seems so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.fields import RESERVED, Fields
from tunewright.data.labels import name_labels, sort_names
from tunewright.data.notes import notes_of
from tunewright.data.splits import split_name
from tunewright.errors import DataError

__all__ = ["Guess", "guess"]

_PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("text", "text_pair"),
    ("question", "sentence"),
    ("question", "passage"),
    ("query", "passage"),
    ("query", "document"),
)
# fmt: off
_TEXTS = (
    "text", "sentence", "review", "comment", "tweet", "utterance", "message", "post", "body", "original_content",
    "query", "question", "document", "article", "dialogue", "description", "abstract", "title",
)
_LABELS = (
    "label", "labels", "gold_label", "target", "class", "category", "intent", "sentiment", "emotion", "topic",
    "coarse_label", "polarity", "rating", "stars", "y",
)
# fmt: on
_SPLITS = ("split", "set", "partition", "subset", "fold")
_IDS = ("id", "guid", "uid", "uuid", "idx", "index", "pair_id", "pairid", "unnamed")
_TRUTH = re.compile(
    r"clean|true|truth|verdict|annotat|agree|counts?(_|$)|votes?(_|$)|relation|error|fine|majority|entropy"
)
_MOST_LABELS = 1000
_MOST_SPLITS = 50
_ONE_WORD = 1.2  # mean words, up to which strings are names rather than texts
_SAMPLE = 20_000  # rows looked at for lengths and distinct values, drawn from the whole table: it may be sorted


@dataclass(frozen=True, slots=True)
class Guess:
    """Columns by role, with a sentence for each column in ``reasons``.

    ``label_names`` are in the order of the codes where the file names them, else sorted values; empty without a label.
    """

    text: str
    text_pair: str | None
    label: str | None
    split: str | None
    id: str | None
    label_names: tuple[str, ...]
    metadata: tuple[str, ...]
    reasons: Mapping[str, str]

    @property
    def fields(self) -> Fields:
        """As `Dataset.create` takes them."""
        pair = (self.text_pair,) if self.text_pair else ()
        return Fields((self.text, *pair), self.label, self.metadata)


@dataclass(frozen=True, slots=True)
class _Profile:
    """What a sample of the rows of a column looks like."""

    name: str
    kind: pa.DataType
    distinct: int
    filled: int
    words: float  # mean number of words, 0 for what is no text
    values: frozenset[str]  # the distinct values, where they are few

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def is_string(self) -> bool:
        return bool(pa.types.is_string(self.kind))

    @property
    def can_be_label(self) -> bool:
        discrete = self.is_string or pa.types.is_integer(self.kind) or pa.types.is_boolean(self.kind)
        discrete = discrete or (pa.types.is_floating(self.kind) and all(value.endswith(".0") for value in self.values))
        return bool(discrete) and 2 <= self.distinct <= max(2, min(_MOST_LABELS, self.filled // 2))


def guess(table: pa.Table) -> Guess:
    """Guess what the columns of a table are, from their names and a sample of their rows.

    Columns that look like ground truth about labels (checked labels, annotators' votes) become metadata, so that no
    model reads them.

    Args:
        table: rows as `read_rows` gives them.

    Raises:
        DataError: if no column looks like text.
    """
    sample = _sample(table)
    profiles = {name: _profile(sample, name) for name in table.column_names}
    reasons: dict[str, str] = {}
    free = dict(profiles)
    split = _take(_split(free), free, reasons)
    identity = _take(_id(free), free, reasons)
    texts = _texts(free)
    for found in texts:
        _take(found, free, reasons)
    names = notes_of(table).label_names
    label = _take(_label(free, names), free, reasons)
    if not texts:
        raise DataError(
            f"expected a column of texts, found {_listed(profiles.values())}",
            fix="rename the column of the texts to 'text', or write project.py by hand (docs/guide/init.md)",
        )
    reasons |= {name: _why_metadata(profile) for name, profile in free.items()}
    text, pair = texts[0][0], texts[1][0] if len(texts) > 1 else None
    label_names = _label_names(table, label, names)
    if label and "-1" in profiles[label].values and "-1" not in label_names:
        reasons[label] += "; -1 means unlabelled"
    return Guess(
        text=text,
        text_pair=pair,
        label=label,
        split=split,
        id=identity,
        label_names=label_names,
        metadata=tuple(name for name in free if name not in RESERVED),
        reasons={name: reasons[name] for name in table.column_names},
    )


_Found = tuple[str, str]
"""(column, why)"""
_Profiles = Mapping[str, _Profile]


def _take(found: _Found | None, free: dict[str, _Profile], reasons: dict[str, str]) -> str | None:
    if found is None:
        return None
    name, reasons[name] = found
    del free[name]
    return name


def _sample(table: pa.Table) -> pa.Table:
    """The same rows every time, in their order; all of them if they are few."""
    if table.num_rows <= _SAMPLE:
        return table
    rows = np.random.default_rng(0).choice(table.num_rows, _SAMPLE, replace=False)
    return table.take(pa.array(np.sort(rows)))


def _profile(table: pa.Table, name: str) -> _Profile:
    column = table[name].combine_chunks()
    nested = pa.types.is_nested(column.type) or pa.types.is_binary(column.type)
    values = pc.unique(column.drop_null()) if not nested else pa.array([])
    words = (
        pc.mean(pc.list_value_length(pc.utf8_split_whitespace(column))).as_py()
        if pa.types.is_string(column.type)
        else 0
    )
    few = frozenset(map(str, values.to_pylist())) if len(values) <= _MOST_LABELS else frozenset()
    return _Profile(name, column.type, len(values), len(column) - column.null_count, words or 0.0, few)


def _by_name(free: _Profiles, names: Sequence[str], fits: Callable[[_Profile], bool]) -> _Profile | None:
    """The fitting column whose name comes first in a list of names."""
    keys = {profile.key: profile for profile in free.values() if fits(profile)}
    return next((keys[name] for name in names if name in keys), None)


def _split(free: _Profiles) -> _Found | None:
    def fits(profile: _Profile) -> bool:
        known = {split_name(value) for value in profile.values} & {"train", "test", "validation"}
        return profile.is_string and (bool(known) or (profile.key == "split" and profile.distinct <= _MOST_SPLITS))

    found = _by_name(free, _SPLITS, fits)
    return (found.name, f"split: its values are {_some(found.values)}") if found else None


def _id(free: _Profiles) -> _Found | None:
    found = _by_name(free, _IDS, lambda profile: profile.distinct == profile.filled > 0 and profile.words < 2)
    return (found.name, "id: every row has another value, and the name says so") if found else None


def _texts(free: _Profiles) -> list[_Found]:
    """One column, or two for a pair."""
    strings = {profile.key: profile for profile in free.values() if profile.is_string and profile.words >= 1}
    for first, second in _PAIRS:
        if first in strings and second in strings and min(strings[first].distinct, strings[second].distinct) > 2:
            names = strings[first].name, strings[second].name
            return [
                (names[0], f"text: pairs are often called {first} and {second}"),
                (names[1], "text_pair: see there"),
            ]
    known = _by_name(free, _TEXTS, lambda profile: profile.is_string and profile.words >= 1 and not _is_short(profile))
    if known:
        return [(known.name, f"text: its name, and {known.words:.0f} words in the mean")]
    longest = max(strings.values(), key=lambda profile: profile.words, default=None)
    if longest is None or _is_short(longest) or longest.words <= _ONE_WORD:
        return []
    return [(longest.name, f"text: the longest strings, {longest.words:.0f} words in the mean")]


def _is_short(profile: _Profile) -> bool:
    """Few short values: a category rather than a text."""
    return profile.words < 3 and profile.distinct < max(3, profile.filled // 2)


def _label(free: _Profiles, names: Mapping[str, Sequence[str]]) -> _Found | None:
    known = _by_name(free, _LABELS, lambda profile: profile.can_be_label)
    if known:
        return known.name, f"label: its name, and {known.distinct} values: {_some(known.values)}"
    others = [profile for profile in free.values() if profile.can_be_label and not _TRUTH.search(profile.key)]
    named = [profile for profile in others if profile.name in names]
    if named:
        return named[0].name, f"label: the file names its {len(names[named[0].name])} codes"
    few = [profile for profile in others if profile.words <= 3 and profile.distinct <= max(2, profile.filled // 5)]
    likely = [profile for profile in few if not pa.types.is_boolean(profile.kind) or "label" in profile.key]
    ranked = sorted(likely, key=lambda profile: ("label" not in profile.key, profile.distinct))
    return (ranked[0].name, f"label: few values ({ranked[0].distinct}): {_some(ranked[0].values)}") if ranked else None


def _why_metadata(profile: _Profile) -> str:
    if profile.name in RESERVED:
        return "left out: the name has a meaning of its own here, and the column does not fit it"
    if _TRUTH.search(profile.key):
        return "metadata: looks like ground truth about the labels, which no model may read"
    if profile.distinct <= 1:
        return "metadata: the same value everywhere" if profile.distinct else f"metadata: {profile.kind}"
    return f"metadata: {profile.kind}, {profile.distinct} values"


def _label_names(table: pa.Table, label: str | None, names: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if label is None:
        return ()
    if label in names:
        return names[label]
    found = sort_names(pc.unique(name_labels(table[label])[0].drop_null()).to_pylist())
    # -1 beside the codes 0 to 2 or more marks rows without a label; -1, 0, 1 are negative, neutral, positive
    codes = tuple(str(code) for code in range(len(found) - 1))
    return codes if len(codes) > 2 and found == ("-1", *codes) else found


def _some(values: frozenset[str]) -> str:
    shown = sort_names(values)
    return ", ".join(shown[:5]) + (", ..." if len(shown) > 5 else "")


def _listed(profiles: object) -> str:
    return ", ".join(f"{profile.name} ({profile.kind})" for profile in profiles)  # type: ignore[attr-defined]
