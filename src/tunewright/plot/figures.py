"""What every static figure shares: an empty sheet, sizes that suit the number of points, and saving.

Matplotlib is imported inside the functions and used through its objects, so no global state is touched.
"""

from __future__ import annotations

import unicodedata
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError
from tunewright.files import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["blank", "heading", "plain", "point_style", "quiet_axes", "save"]

INK = "#1f2328"
FAINT = "#57606a"
DPI = 160
VECTOR_POINTS = 3000
"""Up to so many points an SVG holds each as a shape; beyond, they are one embedded image."""


def blank(width: float, height: float) -> Figure:
    """An empty white figure of that size in inches, with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def heading(figure: Figure, title: str, facts: list[str]) -> None:
    """A bold title and a line of facts, left-aligned at the top; dataset text is never read as mathematics."""
    left, inches = 0.75 / figure.get_figwidth(), figure.get_figheight()
    text: dict[str, Any] = {"ha": "left", "va": "top", "parse_math": False}
    figure.text(left, 1 - 0.18 / inches, plain(title, most=80), fontsize=15, weight="bold", color=INK, **text)
    line = " · ".join(plain(fact, most=60) for fact in facts if fact)
    figure.text(left, 1 - 0.56 / inches, line, fontsize=10, color=FAINT, **text)


def plain(text: str, *, most: int = 40) -> str:
    r"""One printable line: control and format characters become U+FFFD, long texts are cut to ``most`` characters.

    >>> plain("a\x00b" + "c" * 9, most=6)
    'a\ufffdbcc…'
    """
    line = "".join("\ufffd" if unicodedata.category(char) in {"Cc", "Cf", "Cs"} else char for char in text)
    return line if len(line) <= most else line[: most - 1] + "…"


def point_style(n: int) -> tuple[float, float, bool]:
    """Marker area in points squared, opacity, and whether to rasterise in vector formats, for n points."""
    area = float(np.clip(24_000 / max(n, 1), 3.5, 42))
    alpha = float(np.clip(36 / np.sqrt(max(n, 1)), 0.22, 0.9))
    return area, alpha, n > VECTOR_POINTS


def quiet_axes(axes: Axes) -> None:
    """Only the left and bottom spines, faint; readable ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=FAINT, labelsize=10)


def save(figure: Figure, path: str | Path) -> Path:
    """Write the figure as PNG, SVG or PDF, by the path's suffix; the file appears whole or not at all.

    The same figure gives the same bytes: no date, fixed ids.

    Raises:
        DataError: if the suffix is none of the three.
    """
    import matplotlib as mpl

    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in {"pdf", "png", "svg"}:
        raise DataError(f"a figure is saved as .png, .svg or .pdf, found {path.name!r}", fix="change the suffix")
    dateless: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with whole(path) as part, mpl.rc_context({"svg.hashsalt": "tunewright"}), warnings.catch_warnings():
        # a script that the font lacks is drawn as boxes: no reason to fail, or to warn once per glyph
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(part, format=kind, metadata=dateless[kind])
    return path
