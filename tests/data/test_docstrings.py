from __future__ import annotations

import pytest

from tunewright.data.docstrings import MASK, clean, collect, mask, rank
from tunewright.errors import DataError

SOURCE = '''"""Tools that fit straight lines to clouds of points."""
import madeup_missing

def fit(x):
    r"""Fit a line to the points with :func:`~madeup.solve`, as \\d says.

    The rest is not read.
    """
    def inner():
        """Nested functions are nobody's business in the end."""

class Line:
    """A line that was fitted to points by Madeup."""

    def __init__(self):
        """Private names are not part of the data set."""

    def slope(self):
        """How steep the line is, in units of rise."""

class _Hidden:
    def method(self):
        """Methods of private classes do not count either."""

if True:
    def late():
        """Definitions below a condition are found as well."""
else:
    def late():
        """Only the first of two equal names is kept."""

def short():
    """Too short."""

def legal():
    """Copyright of this file is held by nobody at all."""

def code():
    """x[0] = f(y) + 3; z = [1, 2]; print(z) done now ok."""
'''


@pytest.fixture
def madeup(tmp_path, monkeypatch):
    folder = tmp_path / "madeup"
    (folder / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "lines.py").write_text(SOURCE)
    (folder / "tests" / "test_lines.py").write_text('"""Tests of packages are not read for the data set."""')
    (folder / "broken.py").write_text('"""A file that does not parse is passed over."""\ndef (')
    (folder / "undecodable.py").write_bytes(b'"""A file of bytes that nobody can decode: \xff\xfe."""')
    (folder / "null.py").write_bytes(b'"""A file with a null byte is no source."""\x00')
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_public_definitions_are_found_without_importing(madeup):
    found = {docstring.id: docstring for docstring in collect("madeup", masked=["madeup"])}
    assert {name: item.kind for name, item in found.items()} == {
        "madeup/lines.py": "module",
        "madeup/lines.py:fit": "function",
        "madeup/lines.py:Line": "class",
        "madeup/lines.py:Line.slope": "method",
        "madeup/lines.py:late": "function",
    }
    fit = found["madeup/lines.py:fit"]
    assert fit.text == "Fit a line to the points with solve, as says."
    assert (fit.library, fit.module, fit.length) == ("madeup", "madeup.lines", 10)
    assert found["madeup/lines.py:Line"].text == f"A line that was fitted to points by {MASK}."
    assert found["madeup/lines.py:late"].text.startswith("Definitions")


def test_a_link_in_a_package_that_leads_nowhere_is_passed_over(madeup):
    (madeup / "gone.py").symlink_to(madeup / "nowhere.py")
    assert collect("madeup", masked=["madeup"])


def test_a_package_that_is_not_installed_is_an_error():
    with pytest.raises(DataError, match="no installed package is called 'no_such_package'"):
        collect("no_such_package", masked=[])


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        ("One line\nthen another.\n\nAnd more.", "One line then another."),
        ("=====\nTitle\n=====\n\nProse.", "Title"),
        ("Do it.\n>>> f(1)\n1", "Do it."),
        ("Do it.\nArgs:\n    x: number", "Do it."),
        ("Do it.\n.. versionadded:: 1.2", "Do it."),
        ("Do it.\n:param x: number", "Do it."),
        ("Do it.\nx (int, optional): a number", "Do it."),
        ("Use ``a`` and `b`_ and **c** [1]_ here.", "Use a and b and c here."),
        ("See :ref:`the guide <user guide>` or [this](http://a.b/c).", "See the guide or this."),
        ("Where :math:`x_{i} \\in R` is small, e.g. in setup.py.", "Where is small, e.g. in setup.py."),
        ("Return :class:`~torch.nn.Module`.", "Return Module."),
        ("Of %(kind)s things, 2 * 3 * 4.", "Of things, 2 * 3 * 4."),
        ("The `guide`_ of __init__ and a_b.", "The guide of __init__ and a_b."),
        ("", ""),
    ],
)
def test_markup_is_stripped(docstring, text):
    assert clean(docstring) == text


@pytest.mark.parametrize(
    "text",
    [
        *("NumPy", "np", "numpy.linalg.svd", "np.ndarray", "SciPy's", "scikit-learn", "sklearn.base"),
        *("PyTorch", "torch", "torch.nn", "TorchScript", "__torch_function__"),
        *("🤗 Transformers", "TRANSFORMERS_OFFLINE", "Hugging Face", "HfArgumentParser"),
    ],
)
def test_names_and_aliases_are_masked(text):
    masked = mask(f"An array of {text} here.", ["numpy", "scipy", "sklearn", "torch", "transformers"])
    assert masked.replace(MASK, "").replace("'s", "").split() == ["An", "array", "of", "here."]


def test_words_that_merely_look_alike_stay():
    text = "A Transformer transforms an input, half of it, in a snap; nps are not masked."
    assert mask(text, ["numpy", "transformers"]) == text


def test_the_random_order_depends_on_the_seed_only():
    names = [f"name {number}" for number in range(20)]
    orders = [sorted(names, key=lambda name, seed=seed: rank(name, seed)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
