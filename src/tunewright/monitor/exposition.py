"""Figures in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Family", "Kind", "exposition"]

Kind = Literal["counter", "gauge"]


@dataclass(frozen=True, slots=True)
class Family:
    """Figures of one name: labels, and the figure that they tell apart."""

    name: str
    kind: Kind
    figures: Sequence[tuple[Mapping[str, str], float]]


def exposition(families: Iterable[Family]) -> str:
    r"""Families as text.

    >>> print(exposition([Family("rows_total", "counter", [({}, 3), ({"check": 'a"b'}, 0.5)])]), end="")
    # TYPE rows_total counter
    rows_total 3
    rows_total{check="a\"b"} 0.5
    """
    lines = []
    for family in families:
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += (f"{family.name}{_labels(labels)} {value:.10g}" for labels, value in family.figures)
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
