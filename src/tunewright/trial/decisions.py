"""What may be tried, and how it is written down.

A decision is one or more parts joined by ``+``, with an optional name in front: ``cleaned=drop:top:5%+set:loss=focal``.

    version:NAME                     a version of the dataset, however it was made
    relabel:top:200, drop:top:5%     the most suspicious training rows get the suggested label, or go
    reweight:top:200:0.3             they count less
    file:reviewed.csv                a reviewed list
    rule:drop:suspicion > 0.9        rows that a rule about a run's columns finds; rule:reweight:0.3:EXPRESSION
    focus:ambiguous:0.33             keep a third of a region of the data map
    mix:3500:0.9:embeddings          MixUp of so many pairs, with the alpha of the weights and the layer
    set:loss=focal                   a field of the configuration
    ensemble:3                       the mean of so many trainings
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tunewright.errors import EditError, did_you_mean

__all__ = [
    "Action",
    "Decision",
    "Ensembled",
    "Focused",
    "Mixed",
    "Part",
    "Reviewed",
    "Ruled",
    "Setting",
    "Suspected",
    "Version",
    "parse",
    "parse_all",
]

Action = Literal["relabel", "drop", "reweight"]


@dataclass(frozen=True, slots=True)
class Version:
    """The edits that lead to a version of the dataset, by its name or id."""

    name: str


@dataclass(frozen=True, slots=True)
class Suspected:
    """Act on the most suspicious training rows: so many, or a share in (0, 1] of the training rows."""

    action: Action
    count: int | None
    share: float | None
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Ruled:
    """Act on the training rows that a rule finds."""

    action: Action
    rule: str
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a reviewed list says."""

    file: str


@dataclass(frozen=True, slots=True)
class Focused:
    """Keep a share in (0, 1] of a region of the data map."""

    region: str
    share: float


@dataclass(frozen=True, slots=True)
class Mixed:
    """MixUp of so many pairs of training rows."""

    count: int
    alpha: float
    layer: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A change of the configuration, as ``NAME=VALUE``."""

    text: str


@dataclass(frozen=True, slots=True)
class Ensembled:
    """The mean probabilities of so many trainings that differ in their seed."""

    members: int


Part = Version | Suspected | Ruled | Reviewed | Focused | Mixed | Setting | Ensembled


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to try: its name, and its parts with the text of each."""

    name: str
    parts: tuple[Part, ...]
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The decision as it is written, without its name."""
        return "+".join(self.texts)

    def without(self, position: int) -> Decision:
        """The decision but one of its parts."""
        keep = [other for other in range(len(self.parts)) if other != position]
        return Decision(
            f"{self.name} without {self.texts[position]}",
            tuple(self.parts[other] for other in keep),
            tuple(self.texts[other] for other in keep),
        )


def parse(text: str) -> Decision:
    """The decision that a text stands for.

    >>> parse("cleaned=drop:top:5%+set:loss=focal").name
    'cleaned'
    >>> parse("reweight:top:200:0.3").parts
    (Suspected(action='reweight', count=200, share=None, weight=0.3),)

    Raises:
        EditError: if it is none.
    """
    named = _NAMED.match(text.strip())
    name, rest = (named[1], named[2]) if named else ("", text.strip())
    texts = tuple(part.strip() for part in _JOINED.split(rest))
    parts = tuple(_part(part) for part in texts)
    if sum(isinstance(part, Ensembled) for part in parts) > 1:
        raise EditError(f"expected one ensemble at most, found {text!r}")
    return Decision(name or rest, parts, texts)


def parse_all(texts: Sequence[str]) -> tuple[Decision, ...]:
    """The decisions that texts stand for.

    Raises:
        EditError: if there is none, one is no decision, or two have one name.
    """
    if not texts:
        raise EditError("expected one decision or more, found none", fix=_EXAMPLE)
    decisions = tuple(parse(text) for text in texts)
    names = [decision.name for decision in decisions]
    taken = [name for name in names if names.count(name) > 1]
    if taken:
        raise EditError(f"two decisions are called {taken[0]!r}", fix="give each a name: NAME=DECISION")
    return decisions


def _part(text: str) -> Part:
    kind, _, rest = text.partition(":")
    make = _PARTS.get(kind)
    if make is None or not rest:
        raise EditError(f"expected a decision, found {text!r}", fix=did_you_mean(kind, _PARTS) if rest else _EXAMPLE)
    try:
        return make(rest)
    except ValueError as error:
        raise EditError(f"expected {_FORMS[kind]}, found {text!r}" + (f": {error}" if str(error) else "")) from error


def _suspected(action: Action) -> Callable[[str], Part]:
    def make(text: str) -> Part:
        top, how_many, *rest = text.split(":")
        if top != "top" or len(rest) != (action == "reweight"):
            raise ValueError
        weight = _weight(rest[0]) if rest else 0.0
        if how_many.endswith("%"):
            return Suspected(action, None, _share(float(how_many[:-1]) / 100), weight)
        return Suspected(action, _count(how_many), None, weight)

    return make


def _ruled(text: str) -> Part:
    action, _, rule = text.partition(":")
    weight = 0.0
    if action == "reweight":
        number, _, rule = rule.partition(":")
        weight = _weight(number)
    if action not in get_args(Action) or not rule.strip():
        raise ValueError
    return Ruled(action, rule.strip(), weight)  # type: ignore[arg-type]  # it was looked up


def _focused(text: str) -> Part:
    region, _, share = text.partition(":")
    if region not in _REGIONS:
        raise ValueError(f"a region is one of {', '.join(_REGIONS)}")
    return Focused(region, _share(float(share)) if share else 1 / 3)


def _mixed(text: str) -> Part:
    count, _, rest = text.partition(":")
    alpha, _, layer = rest.partition(":")
    return Mixed(_count(count), _positive(alpha or "0.9"), layer or "embeddings")


def _setting(text: str) -> Part:
    if "=" not in text:
        raise ValueError
    return Setting(text)


def _ensembled(text: str) -> Part:
    members = _count(text)
    if members < 2:
        raise ValueError("an ensemble has two members or more")
    return Ensembled(members)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError("at least 1")
    return count


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise ValueError("a share is more than 0 and at most 1 (100%)")
    return value


def _weight(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError("a weight is 0 or more")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError("more than 0")
    return value


_REGIONS = ("easy", "ambiguous", "hard")
_EXAMPLE = "write for example: drop:top:5%, version:cleaned or set:loss=focal"
_PARTS: dict[str, Callable[[str], Part]] = {
    "version": Version,
    "relabel": _suspected("relabel"),
    "drop": _suspected("drop"),
    "reweight": _suspected("reweight"),
    "file": Reviewed,
    "rule": _ruled,
    "focus": _focused,
    "mix": _mixed,
    "set": _setting,
    "ensemble": _ensembled,
}
_FORMS = {
    "relabel": "relabel:top:COUNT or relabel:top:SHARE%",
    "drop": "drop:top:COUNT or drop:top:SHARE%",
    "reweight": "reweight:top:COUNT:WEIGHT or reweight:top:SHARE%:WEIGHT",
    "rule": "rule:relabel:EXPRESSION, rule:drop:EXPRESSION or rule:reweight:WEIGHT:EXPRESSION",
    "focus": "focus:REGION or focus:REGION:SHARE",
    "mix": "mix:COUNT, mix:COUNT:ALPHA or mix:COUNT:ALPHA:LAYER",
    "set": "set:NAME=VALUE",
    "ensemble": "ensemble:COUNT",
}
_KINDS = "|".join(_PARTS)
_JOINED = re.compile(rf"\s*\+\s*(?=(?:{_KINDS}):)")
_NAMED = re.compile(rf"^(\w[\w .-]*?)=((?:{_KINDS}):.*)$", re.DOTALL)
