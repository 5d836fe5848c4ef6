from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.data.dataset import Dataset, Fields


@pytest.fixture
def rows():
    """Twelve rows: eight to train on, two to validate, two to test; the label is the parity of the row."""
    return pa.table(
        {
            "id": [f"r{row}" for row in range(12)],
            "text": [f"text of row {row}" for row in range(12)],
            "label": ["even", "odd"] * 6,
            "split": ["train"] * 8 + ["validation"] * 2 + ["test"] * 2,
            "source": ["web", "book", None] * 4,
        }
    )


@pytest.fixture
def dataset(rows, tmp_path):
    return Dataset.create(tmp_path / "reviews", rows, fields=Fields(("text",), "label", ("source",)))
