"""What is in a table: which columns are the text, the pair, the label and the split, and why it seems so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.fields import RESERVED, Fields
from tunewright.data.kinds import SUMMARIES, Kind, Roles, find_answers, find_summaries, refuse_half, refuse_unknown
from tunewright.data.labels import name_labels, sort_names
from tunewright.data.notes import notes_of
from tunewright.data.profiles import Profile, find_by_name, profiles_of
from tunewright.data.splits import split_name
from tunewright.data.targets import read_lists
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
_MOST_SPLITS = 50
_ONE_WORD = 1.2  # mean words, up to which strings are names rather than texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Columns by role, with a sentence for each column in ``reasons``.

    ``label_names`` are in the order of the codes where the file names them, else sorted values; empty without a label
    and where labels are open. Of answers, ``text`` is the question, ``text_pair`` the passage, ``target`` the answers'
    texts and starts, and ``unanswerable`` says whether a question has none.
    """

    text: str
    text_pair: str | None = None
    label: str | None = None
    split: str | None = None
    id: str | None = None
    label_names: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = "classification"
    target: tuple[str, ...] = ()
    unanswerable: bool = False

    @property
    def fields(self) -> Fields:
        """As `Dataset.create` takes them."""
        pair = (self.text_pair,) if self.text_pair else ()
        return Fields((self.text, *pair), self.label, self.metadata, self.target)


def guess(table: pa.Table, *, kind: Kind | None = None) -> Guess:
    """Guess what the columns of a table are, from their names and a sample of their rows.

    Columns that look like ground truth about labels (checked labels, annotators' votes) become metadata, so that no
    model reads them.

    Args:
        table: rows as `read_rows` gives them.
        kind: what is to be learnt; None guesses that too. A table with both a summary and a label by its name is taken
            for classification.

    Raises:
        DataError: if no column looks like text, or the columns that ``kind``, or questions about contexts with answers,
            need are not there.
    """
    refuse_unknown(kind)
    profiles = profiles_of(table)
    reasons: dict[str, str] = {}
    free = dict(profiles)
    split = _take(_split(free), free, reasons)
    identity = _take(_id(free), free, reasons)
    roles = _open_roles(free, kind)
    if roles is None:
        found = _classification(table, free, reasons)
    else:
        taken = {role: _take(column, free, reasons) or "" for role, column in roles.items()}
        found = _answers(table, taken) if "context" in taken else _summaries(taken)
    reasons |= {name: _why_metadata(profile) for name, profile in free.items() if name not in reasons}
    _mention_summary(free, reasons)
    return replace(
        found,
        split=split,
        id=identity,
        metadata=tuple(name for name in free if name not in RESERVED),
        reasons={name: reasons[name] for name in table.column_names},
    )


_Found = tuple[str, str]
"""(column, why)"""
_Profiles = Mapping[str, Profile]


def _open_roles(free: _Profiles, kind: Kind | None) -> Roles | None:
    """The columns of answers or summaries; None where one of a few labels is to be learnt."""
    match kind:
        case "classification":
            return None
        case "answers":
            return find_answers(free, asked=True)
        case "summaries":
            return find_summaries(free, asked=True)
        case _:
            labelled = find_by_name(free, _LABELS, _has_few_values) is not None
            if not labelled:
                refuse_half(free)
            return find_answers(free) or (None if labelled else find_summaries(free))


def _has_few_values(profile: Profile) -> bool:
    return profile.can_be_label and profile.distinct <= max(2, profile.filled // 10)


def _answers(table: pa.Table, columns: Mapping[str, str]) -> Guess:
    texts, starts = columns["answers"], columns["starts"]
    return Guess(
        kind="answers",
        text=columns["question"],
        text_pair=columns["context"],
        label=texts,
        target=(texts, starts),
        unanswerable=any(value == [] for value in read_lists(table[texts])),
    )


def _summaries(columns: Mapping[str, str]) -> Guess:
    return Guess(kind="summaries", text=columns["document"], label=columns["summary"])


def _classification(table: pa.Table, free: dict[str, Profile], reasons: dict[str, str]) -> Guess:
    """Takes its columns out of ``free``, and says why in ``reasons``."""
    names, columns = notes_of(table).label_names, list(free.values())
    texts = _texts(free)
    for found in texts:
        _take(found, free, reasons)
    chosen = _label(free, names)
    values = free[chosen[0]].values if chosen else frozenset()
    label = _take(chosen, free, reasons)
    if not texts:
        raise DataError(
            f"expected a column of texts, found {_listed(columns)}",
            fix="rename the column of the texts to 'text', or write project.py by hand (docs/guide/init.md)",
        )
    label_names = _label_names(table, label, names)
    if label and "-1" in values and "-1" not in label_names:
        reasons[label] += "; -1 means unlabelled"
    pair = texts[1][0] if len(texts) > 1 else None
    return Guess(text=texts[0][0], text_pair=pair, label=label, label_names=label_names)


def _mention_summary(free: _Profiles, reasons: dict[str, str]) -> None:
    """Say of a column that it may be what somebody wants to learn to write."""
    texts = [name for name, reason in reasons.items() if reason.startswith("text:")]
    summary = find_by_name(free, SUMMARIES, lambda profile: profile.is_string and profile.words > _ONE_WORD)
    if summary and texts:
        reasons[summary.name] += f"; if it is a summary of {texts[0]!r} to learn: --task summaries"


def _take(found: _Found | None, free: dict[str, Profile], reasons: dict[str, str]) -> str | None:
    if found is None:
        return None
    name, reasons[name] = found
    del free[name]
    return name


def _split(free: _Profiles) -> _Found | None:
    def fits(profile: Profile) -> bool:
        known = {split_name(value) for value in profile.values} & {"train", "test", "validation"}
        return profile.is_string and (bool(known) or (profile.key == "split" and profile.distinct <= _MOST_SPLITS))

    found = find_by_name(free, _SPLITS, fits)
    return (found.name, f"split: its values are {_some(found.values)}") if found else None


def _id(free: _Profiles) -> _Found | None:
    found = find_by_name(free, _IDS, lambda profile: profile.distinct == profile.filled > 0 and profile.words < 2)
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
    known = find_by_name(
        free, _TEXTS, lambda profile: profile.is_string and profile.words >= 1 and not _is_short(profile)
    )
    if known:
        return [(known.name, f"text: its name, and {known.words:.0f} words in the mean")]
    longest = max(strings.values(), key=lambda profile: profile.words, default=None)
    if longest is None or _is_short(longest) or longest.words <= _ONE_WORD:
        return []
    return [(longest.name, f"text: the longest strings, {longest.words:.0f} words in the mean")]


def _is_short(profile: Profile) -> bool:
    """Few short values: a category rather than a text."""
    return profile.words < 3 and profile.distinct < max(3, profile.filled // 2)


def _label(free: _Profiles, names: Mapping[str, Sequence[str]]) -> _Found | None:
    known = find_by_name(free, _LABELS, lambda profile: profile.can_be_label)
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


def _why_metadata(profile: Profile) -> str:
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
