from __future__ import annotations

import pytest

from tunewright.errors import TrainError
from tunewright.train.config import TrainConfig
from tunewright.verbs.settings import parse


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("epochs=2", "epochs", 2.0),
        ("batch_size=64", "batch_size", 64),
        ("keep_best=false", "keep_best", False),
        ("patience=none", "patience", None),
        ("patience=2", "patience", 2),
        ("loss=focal", "loss", "focal"),
        ("class_weights=balanced", "class_weights", "balanced"),
        ("class_weights=1, 2", "class_weights", (1.0, 2.0)),
        ("class_weights=none", "class_weights", None),
        ("threads=auto", "threads", "auto"),
        ("threads=2", "threads", 2),
        ("trackers=wandb,mlflow", "trackers", ("wandb", "mlflow")),
        ("arguments.max_grad_norm=0.5", "arguments", {"max_grad_norm": 0.5}),
        ("arguments.torch_compile=true", "arguments", {"torch_compile": True}),
        ("arguments.lr_scheduler_type=cosine", "arguments", {"lr_scheduler_type": "cosine"}),
        ('arguments={"seed": 3}', "arguments", {"seed": 3}),
    ],
)
def test_values_are_of_their_fields_type(setting, field, value):
    assert parse([setting]) == {field: value}
    assert type(parse([setting])[field]) is type(value)
    assert getattr(TrainConfig().with_changes(**parse([setting])), field) == value


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "expected NAME=VALUE"),
        ("epochs=two", "epochs expects float, found 'two'"),
        ("batch_size=1.5", "batch_size expects int"),
        ("loss=hinge", "loss expects 'cross_entropy' or 'focal', found 'hinge'"),
        ("keep_best=maybe", "keep_best expects bool"),
        ("epoch=2", "no field 'epoch'"),
    ],
)
def test_other_values_are_refused(setting, message):
    with pytest.raises(TrainError, match=message):
        parse([setting])
