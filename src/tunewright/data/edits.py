"""Edits: what can be done to the rows of a dataset, as values that say why.

What they do to a table is said by `tunewright.data.applying`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tunewright.errors import EditError, did_you_mean

__all__ = [
    "Add",
    "Drop",
    "Edit",
    "Evidence",
    "Keep",
    "Mix",
    "Note",
    "Relabel",
    "Reweight",
    "Tag",
    "from_json",
    "size",
    "to_json",
    "version_after",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a decision comes from: run id, analysis, the rule that chose the ids, author, ISO 8601 time.

    ``facts`` are further JSON values about the whole edit, such as the versions of a model and of its reference;
    ``rows`` are such about single rows, by id: why just these. What an edit does depends on neither.
    """

    run: str = ""
    analysis: str = ""
    rule: str = ""
    author: str = ""
    time: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_NOTHING = Evidence()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Rows of one split that are not named go away; other splits stay as they are."""

    ids: tuple[str, ...]
    split: str = "train"
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The named rows go away."""

    ids: tuple[str, ...]
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel:
    """Rows get another label; ``changes`` are (id, old, new), where None is unlabelled.

    ``field`` is ``label``, or a metadata column of strings.
    """

    changes: tuple[tuple[str, str | None, str | None], ...]
    field: str = "label"
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", tuple((str(name), old, new) for name, old, new in self.changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reweight:
    """Rows count more or less in the loss; ``weights`` are (id, weight), finite; 0 does not count."""

    weights: tuple[tuple[str, float], ...]
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple((str(name), float(weight)) for name, weight in self.weights))


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """New rows: JSON values by column; ``id`` and the text fields are needed.

    ``split`` is ``train`` by default, and ``weight`` 1; weights are those of `Reweight`.
    """

    rows: tuple[Mapping[str, Any], ...]
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(dict(row) for row in self.rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Recipes of synthetic training rows; the rows themselves are made in the forward pass (MixUp, Zhang et al. 2018).

    A recipe is (id, a, b, weight): its own id, those of its two parents, and the share of ``a`` in [0, 1]; ``b`` has
    the rest, of the vectors and of the label alike. ``layer`` is where the vectors are mixed: ``embeddings``,
    ``hidden:K`` (after the K-th encoder layer, counted from 1) or ``pooled``.
    """

    recipes: tuple[tuple[str, str, str, float], ...]
    layer: str = "embeddings"
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        recipes = tuple((str(name), str(a), str(b), float(weight)) for name, a, b, weight in self.recipes)
        object.__setattr__(self, "recipes", recipes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """The named rows get a tag more, in the column ``tags``; nothing that is learnt from or scored changes."""

    ids: tuple[str, ...]
    tag: str
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The named rows get a note instead of the one they had, in the column ``note``; an empty one takes it away.

    Nothing that is learnt from or scored changes.
    """

    ids: tuple[str, ...]
    text: str
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))


Edit = Keep | Drop | Relabel | Reweight | Add | Mix | Tag | Note
_KINDS: dict[str, type[Edit]] = {kind.__name__: kind for kind in (Add, Drop, Keep, Mix, Note, Relabel, Reweight, Tag)}


def size(edit: Edit) -> int:
    """How many rows an edit names; of `Mix`, how many it describes."""
    match edit:
        case Keep(ids=named) | Drop(ids=named) | Tag(ids=named) | Note(ids=named):
            return len(named)
        case Relabel(changes=named) | Reweight(weights=named):
            return len(named)
        case Add(rows=named) | Mix(recipes=named):
            return len(named)


def to_json(edit: Edit) -> dict[str, Any]:
    """As JSON values, with the name of the edit under ``kind``."""
    return {"kind": type(edit).__name__, **asdict(edit)}


def from_json(value: Mapping[str, Any]) -> Edit:
    """The inverse of `to_json`.

    Raises:
        EditError: if the value is no edit.
    """
    fields = dict(value)
    kind = fields.pop("kind", None)
    if kind not in _KINDS:
        raise EditError(f"no edit is called {kind!r}", fix=did_you_mean(str(kind), _KINDS))
    try:
        return _KINDS[kind](**fields | {"evidence": Evidence(**fields.get("evidence", {}))})
    except (TypeError, ValueError) as error:
        raise EditError(f"expected the fields of {kind}, found others ({error})") from error


def version_after(parent: str, edit: Edit) -> str:
    """The version that an edit makes of its parent: 12 hexadecimal digits.

    Only what the edit does counts, not who wanted it when and why: equal edits of equal data are equal versions.
    """
    does = {name: value for name, value in to_json(edit).items() if name not in ("reason", "evidence")}
    written = json.dumps(does, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(f"{parent}\n{written}".encode(errors="surrogatepass"), digest_size=6).hexdigest()
