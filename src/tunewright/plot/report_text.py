"""Texts and numbers as a report shows them: nothing of a dataset is markup, and nothing of it is invisible."""

from __future__ import annotations

import html
import math
import re

__all__ = ["escaped", "shortened", "spoken", "visible"]

_HIDDEN = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def visible(text: str) -> str:
    r"""A text whose control characters can be seen and do nothing; line breaks and tabs stay.

    >>> visible("a\x00b \u202egpj\ud83d")
    'a␀b ⟨U+202E⟩gpj\ufffd'
    """
    text = re.sub("[\x00-\x08\x0b-\x1f]", lambda char: chr(0x2400 + ord(char[0])), text)
    text = _HIDDEN.sub(lambda char: f"⟨U+{ord(char[0]):04X}⟩", text)
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def escaped(text: str) -> str:
    """A text as it may stand in a page, between tags or in quotes.

    >>> escaped('<b>"x"</b>')
    '&lt;b&gt;&quot;x&quot;&lt;/b&gt;'
    """
    return html.escape(visible(text))


def shortened(text: str, most: int) -> str:
    """The beginning of a long text, which says how long it was.

    >>> shortened("abcdef", 3)
    'abc… (6 characters)'
    """
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def spoken(value: object) -> str:
    """A value as it is read: three digits that say something, and no more.

    >>> [spoken(value) for value in (None, True, 1234, 0.15, 1234.5, 187.0, 1e-9, 2.5e12, "a")]
    ['–', 'yes', '1,234', '0.150', '1,234', '187', '1.0×10⁻⁹', '2.5×10¹²', 'a']
    """
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return _number(value)
    return str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        digits, power = f"{value:.1e}".split("e")
        return f"{digits}×10{str(int(power)).translate(_SUPERSCRIPTS)}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:#.3g}"
