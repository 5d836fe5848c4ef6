"""The two written forms of an alert: the line that a person reads, and JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, Literal

from tunewright.errors import DataError, ProjectError, did_you_mean, listed
from tunewright.monitor.alerts import Alert
from tunewright.monitor.conditions import Condition, Evidence, KOfN, Limits

__all__ = ["DEFAULT", "condition_from_json", "condition_to_json", "from_json", "parse", "read", "to_json", "written"]

DEFAULT = "default"
"""Stands for all alerts of `tunewright.monitor.default_alerts`."""

_EXAMPLE = '"vocabulary(text).coverage below 0.95 2 of 3", "long_text.rate evidence 0.05 every 1h"'
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_FORM = re.compile(
    rf"""\s*(?P<metric>\S.*?)\s+
    (?: above\s+(?P<above>{_NUMBER}) | below\s+(?P<below>{_NUMBER})
      | outside\s+(?P<low>{_NUMBER})\s+to\s+(?P<high>{_NUMBER}) | evidence(?:\s+(?P<evidence>{_NUMBER}))? )
    (?: \s+(?:in\s+)?(?P<k>\d+)\s+of\s+(?P<n>\d+) )?
    (?P<rest> (?:\s.*)? )""",
    re.VERBOSE | re.DOTALL,
)
_OPTION = re.compile(
    rf"""\s+(?: every\s+(?P<rows>\d+)\s+rows? | every\s+(?P<span>\d+\s*[a-z]+) | cooldown\s+(?P<cooldown>\d+\s*[a-z]+)
      | hysteresis\s+(?P<hysteresis>{_NUMBER}) | at\s+least\s+(?P<minimum_n>\d+)\s+rows?
      | (?P<severity>info|warning|critical) )(?=\s|$)""",
    re.VERBOSE,
)
_SETTINGS = ("window", "severity", "minimum_n", "hysteresis", "cooldown", "silence", "raised_by", "called")
_DEFAULTS = {item.name: item.default for item in fields(Alert) if item.default is not MISSING}


def parse(text: str) -> Alert:
    """An alert from a line: a metric, a condition, and settings in any order.

    A condition is ``above 0.2``, ``below 0.95``, ``outside 0.2 to 0.4``, each perhaps with ``2 of 3``, or ``evidence``
    with the quiet quarters that may have an alarm (0.05). Settings are ``every 500 rows`` or ``every 1h``,
    ``cooldown 1d``, ``hysteresis 0.01``, ``at least 100 rows`` and a severity.

    >>> str(parse("vocabulary(text).coverage below 0.95 2 of 3").condition)
    'below 0.95 in 2 of 3'

    Raises:
        DataError: if it is none.
        ProjectError: if a setting means nothing.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise DataError(f"expected a metric and a condition, found {text!r}", fix=f"such as {_EXAMPLE}")
    alert = Alert(metric=found["metric"], condition=_condition(found))
    place, rest = 0, found["rest"].rstrip()
    while place < len(rest):
        option = _OPTION.match(rest, place)
        if option is None:
            raise DataError(
                f"expected a setting of an alert, found {rest[place:].strip()!r} in {text!r}",
                fix="there are: every 500 rows, every 1h, cooldown 1d, hysteresis 0.01, at least 100 rows, critical",
            )
        alert, place = replace(alert, **_setting(option)), option.end()
    return alert


def written(alert: Alert) -> str:
    """The line of an alert; what it has no word for, as silences and a name of its own, is left out."""
    said = [alert.metric, _words(alert.metric, alert.condition)]
    if alert.window != _DEFAULTS["window"]:
        said.append(f"every {alert.window} rows" if isinstance(alert.window, int) else f"every {alert.window}")
    said += [f"at least {alert.minimum_n} rows"] if alert.minimum_n != 1 else []
    said += [f"hysteresis {alert.hysteresis!r}"] if alert.hysteresis else []
    said += [f"cooldown {alert.cooldown}"] if alert.cooldown != _DEFAULTS["cooldown"] else []
    return " ".join([*said, *([alert.severity] if alert.severity != _DEFAULTS["severity"] else [])])


def to_json(alert: Alert) -> dict[str, Any]:
    """An alert as JSON values; settings that are as by default are left out.

    Raises:
        ProjectError: if its condition is one of a user's own.
    """
    changed = {name: getattr(alert, name) for name in _SETTINGS if getattr(alert, name) != _DEFAULTS[name]}
    if alert.silence:
        changed["silence"] = [list(span) for span in alert.silence]
    if alert.raised_by:
        changed["raised_by"] = sorted(alert.raised_by)
    return {"metric": alert.metric, "condition": condition_to_json(alert.condition), **changed}


def from_json(document: Any) -> Alert:
    """The inverse of `to_json`.

    Raises:
        DataError: if the document is none; it says what was expected, and what was found.
        ProjectError: if a setting means nothing.
    """
    told = _mapping(document, "an alert", required=("metric", "condition"), optional=_SETTINGS)
    metric = _typed(told["metric"], "metric", str)
    settings = {name: _read_setting(name, told[name]) for name in _SETTINGS if name in told}
    return Alert(metric=metric, condition=condition_from_json(told["condition"]), **settings)


def condition_to_json(condition: Condition) -> dict[str, Any]:
    """A condition as JSON values.

    >>> condition_to_json(KOfN(2, 3, Limits(low=0.95)))
    {'kind': 'k of n', 'k': 2, 'n': 3, 'of': {'kind': 'limits', 'below': 0.95}}
    """
    match condition:
        case Limits(low=low, high=high):
            ends = {"below": low, "above": high}
            return {"kind": "limits", **{name: end for name, end in ends.items() if math.isfinite(end)}}
        case Evidence(false_alarms=share, of=of, baseline=baseline, quarter=quarter):
            learnt = list(baseline) if isinstance(baseline, tuple) else baseline
            return {"kind": "evidence", "false_alarms": share, "of": of, "baseline": learnt, "quarter": quarter}
        case KOfN(k=k, n=n, of=of):
            return {"kind": "k of n", "k": k, "n": n, "of": condition_to_json(of)}
    raise ProjectError(
        f"expected limits, evidence or k of n, found {type(condition).__name__}, which has no JSON form",
        fix="name alerts with conditions of your own in Python",
    )


def condition_from_json(document: Any) -> Condition:
    """The inverse of `condition_to_json`.

    Raises:
        DataError: if the document is none.
        ProjectError: if a setting means nothing.
    """
    kinds: dict[str, Callable[[Mapping[str, Any]], Condition]]
    kinds = {"limits": _limits, "evidence": _evidence, "k of n": _k_of_n}
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if kind not in kinds:
        raise DataError(
            f"expected a condition with a kind of {listed([*kinds])}, found {_shown(document)}",
            fix='such as {"kind": "limits", "below": 0.95}',
        )
    return kinds[kind](document)


def read(given: Iterable[Any]) -> list[Alert | Literal["default"]]:
    """Alerts that are given as such, as lines or as JSON; the word "default" stays.

    Raises:
        DataError: if one is none of these.
    """
    return [_one(item) for item in given]


def _one(item: Any) -> Alert | Literal["default"]:
    match item:
        case Alert():
            return item
        case "default":
            return "default"
        case str():
            return parse(item)
    return from_json(item)


def _condition(found: re.Match[str]) -> Condition:
    one: Condition
    if found["low"] is not None:
        one = Limits(low=float(found["low"]), high=float(found["high"]))
    elif found["above"] is not None:
        one = Limits(high=float(found["above"]))
    elif found["below"] is not None:
        one = Limits(low=float(found["below"]))
    else:
        one = Evidence(false_alarms=float(found["evidence"] or 0.05), of=_kind_of(found["metric"]))
    return one if found["k"] is None else KOfN(int(found["k"]), int(found["n"]), one)


def _kind_of(metric: str) -> Literal["rate", "p"]:
    """What evidence of a metric is about: a number called ``p`` is a p-value."""
    return "p" if metric.endswith(".p") else "rate"


def _setting(option: re.Match[str]) -> dict[str, Any]:
    (name,) = (name for name, value in option.groupdict().items() if value is not None)
    value = option[name]
    match name:
        case "rows":
            return {"window": int(value)}
        case "span":
            return {"window": value}
        case "minimum_n":
            return {name: int(value)}
        case "hysteresis":
            return {name: float(value)}
    return {name: value}


def _words(metric: str, condition: Condition) -> str:
    match condition:
        case Limits(low=low, high=high) if math.isfinite(low) and math.isfinite(high):
            return f"outside {low!r} to {high!r}"
        case Limits(low=low, high=high):
            return f"below {low!r}" if math.isfinite(low) else f"above {high!r}"
        case Evidence(false_alarms=share):
            return f"evidence {share!r}"
        case KOfN(k=k, n=n, of=of):
            return f"{_words(metric, of)} {k} of {n}"
    return str(condition)


def _limits(document: Mapping[str, Any]) -> Limits:
    told = _mapping(document, "limits", required=("kind",), optional=("below", "above"))
    if len(told) == 1:
        raise DataError("expected limits with 'below', 'above' or both, found neither", fix='such as "below": 0.95')
    ends = {name: _number(told[name], name) for name in ("below", "above") if name in told}
    return Limits(low=ends.get("below", -math.inf), high=ends.get("above", math.inf))


def _evidence(document: Mapping[str, Any]) -> Evidence:
    told = _mapping(document, "evidence", required=("kind",), optional=("false_alarms", "of", "baseline", "quarter"))
    if told.get("of", "rate") not in {"rate", "p"}:
        raise DataError(f"expected evidence of 'rate' or 'p', found {_shown(told['of'])}")
    settings: dict[str, Any] = {name: told[name] for name in ("of",) if name in told}
    if "false_alarms" in told:
        settings["false_alarms"] = _number(told["false_alarms"], "false_alarms")
    if "quarter" in told:
        settings["quarter"] = _typed(told["quarter"], "quarter", int)
    if "baseline" in told:
        settings["baseline"] = _baseline(told["baseline"])
    return Evidence(**settings)


def _baseline(value: Any) -> tuple[int, int] | int:
    if isinstance(value, list) and len(value) == 2:
        return (_typed(value[0], "baseline", int), _typed(value[1], "baseline", int))
    return int(_typed(value, "baseline", int))


def _k_of_n(document: Mapping[str, Any]) -> KOfN:
    told = _mapping(document, "k of n", required=("kind", "k", "n", "of"))
    return KOfN(_typed(told["k"], "k", int), _typed(told["n"], "n", int), condition_from_json(told["of"]))


def _read_setting(name: str, value: Any) -> Any:
    match name:
        case "window":
            return _typed(value, name, int, str)
        case "minimum_n":
            return _typed(value, name, int)
        case "hysteresis":
            return _number(value, name)
        case "silence":
            return tuple(_span(item) for item in _typed(value, name, list))
        case "raised_by":
            return frozenset(_typed(item, name, str) for item in _typed(value, name, list))
    return _typed(value, name, str)


def _span(value: Any) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(end, str) for end in value):
        raise DataError(f"expected a silence of two times in ISO 8601, found {_shown(value)}")
    return value[0], value[1]


def _mapping(
    document: Any, what: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise DataError(
            f"expected {what} as a JSON object with {listed(required)}, found {_shown(document)}",
            fix='such as {"metric": "long_text.rate", "condition": {"kind": "limits", "above": 0.2}}',
        )
    if lacking := [name for name in required if name not in document]:
        raise DataError(
            f"expected {what} with {lacking[0]!r}, found {listed([*map(str, document)])}", fix=f"add {lacking[0]!r}"
        )
    if unknown := [name for name in document if name not in {*required, *optional}]:
        raise DataError(f"{what} has no {unknown[0]!r}", fix=did_you_mean(str(unknown[0]), [*required, *optional]))
    return document


def _typed(value: Any, name: str, *kinds: type) -> Any:
    if not isinstance(value, kinds) or isinstance(value, bool):
        words = {int: "a whole number", str: "a text", list: "a list"}
        raise DataError(
            f"expected {' or '.join(words[kind] for kind in kinds)} as {name!r} of an alert, found {_shown(value)}"
        )
    return value


def _number(value: Any, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise DataError(f"expected a finite number as {name!r} of an alert, found {_shown(value)}")
    return float(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
