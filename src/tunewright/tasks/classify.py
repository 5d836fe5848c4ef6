"""Classification of single texts and of pairs, 2 to thousands of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunewright.errors import DataError, ProjectError, did_you_mean
from tunewright.tasks import Text
from tunewright.tasks.padding import IGNORED, padded
from tunewright.tasks.source import pretrained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Collator, Feature, Forward

__all__ = ["Classification"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """One label per text, or per pair of texts.

    Args:
        text: column of the text, or of the first text of a pair.
        text_pair: column of the second text of a pair.
        label: column of the label names; null means unlabelled.
        labels: the label names in the order of the logits, two or more.
        max_length: longest input in tokens, special tokens included; longer ones are cut. None: 512, or what
            the tokenizer allows when that is less.
        metric: score that picks the best checkpoint: ``accuracy`` or ``macro_f1``.
    """

    text: str = "text"
    text_pair: str | None = None
    label: str = "label"
    labels: tuple[str, ...]
    max_length: int | None = None
    metric: str = "accuracy"

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ProjectError(
                f"classification expects two or more different label names, found {list(self.labels)!r}",
                fix="list every label once: Classification(labels=('negative', 'positive'))",
            )
        if self.metric not in {"accuracy", "macro_f1"}:
            raise ProjectError(f"no metric is called {self.metric!r}", fix="use 'accuracy' or 'macro_f1'")

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The columns a person reads: one, or two for a pair."""
        return (self.text,) if self.text_pair is None else (self.text, self.text_pair)

    @property
    def target_fields(self) -> tuple[str, ...]:
        """None: the label is the target."""
        return ()

    def encode(
        self, rows: Mapping[str, Sequence[Any]], tokenizer: PreTrainedTokenizerBase, *, offsets: bool = False
    ) -> list[Feature]:
        """Tokenise rows; every row is one feature.

        ``labels`` is a class index, -100 for an unlabelled row; where any row's weight is not 1, it is a
        distribution over the labels times the weight, so that the weight needs no channel of its own.

        Raises:
            DataError: if a label is not one of the task's.
        """
        texts = [list(rows[field]) for field in self.text_fields]
        limit = min(self.max_length or 512, tokenizer.model_max_length)
        encoded = tokenizer(*texts, truncation=True, max_length=limit)
        places = self._places(texts, tokenizer, limit) if offsets else [{} for _ in texts[0]]
        codes = self._codes(rows[self.label]) if self.label in rows else [IGNORED] * len(texts[0])
        targets = self._weighted(codes, rows["weight"]) if "weight" in rows else codes
        names = list(encoded.keys())
        return [
            {name: encoded[name][row] for name in names}
            | {"id": example, "window": 0, "length": len(encoded["input_ids"][row])}
            | {"labels": target, "teaches": codes[row] != IGNORED}
            | places[row]
            for row, (example, target) in enumerate(zip(rows["id"], targets, strict=True))
        ]

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Pad to the longest of the batch; ``labels`` int64 [batch] or, weighted, float32 [batch, labels]."""
        import torch

        def collate(features: Sequence[Feature]) -> dict[str, Any]:
            return {**padded(features, tokenizer), "labels": torch.tensor([feature["labels"] for feature in features])}

        return collate

    def load_model(self, source: str, *, trust_remote_code: bool = False) -> PreTrainedModel:
        """``AutoModelForSequenceClassification`` with this task's labels, in float32; safetensors only.

        Raises:
            TrainError: if there is no such model.
        """
        from transformers import AutoModelForSequenceClassification

        return pretrained(
            AutoModelForSequenceClassification,
            source,
            num_labels=len(self.labels),
            id2label=dict(enumerate(self.labels)),
            label2id={label: code for code, label in enumerate(self.labels)},
            trust_remote_code=trust_remote_code,
            ignore_mismatched_sizes=True,
        )

    def measure(self, outputs: Any, targets: torch.Tensor) -> dict[str, torch.Tensor]:
        """Per-example statistics of the gold label.

        Args:
            outputs: model outputs with ``logits`` [batch, labels].
            targets: class indices [batch], or distributions [batch, labels] whose largest entry is the gold label.

        Returns:
            float32 [batch]: gold_probability, loss (nats, unweighted), gold_logit, other_logit, log_sum_exp,
            sum_of_squares, margin; int64 ``other``; bool ``correct``. Unlabelled rows give NaN and False.
        """
        logits = outputs.logits.float()
        gold = targets.argmax(-1) if targets.ndim == 2 else targets
        labelled = gold >= 0
        index = gold.clamp(min=0).unsqueeze(1)
        log_sum_exp = logits.logsumexp(-1)
        gold_logit = logits.gather(1, index).squeeze(1)
        other_logit, other = logits.scatter(1, index, float("-inf")).max(-1)
        loss = log_sum_exp - gold_logit
        margin = gold_logit - other_logit
        statistics = {
            "gold_probability": (-loss).exp(),
            "loss": loss,
            "gold_logit": gold_logit,
            "other_logit": other_logit,
            "log_sum_exp": log_sum_exp,
            "sum_of_squares": logits.softmax(-1).square().sum(-1),
            "margin": margin,
        }
        unknown = logits.new_full((), float("nan"))
        return {name: value.where(labelled, unknown) for name, value in statistics.items()} | {
            "other": other,
            "correct": (margin > 0) & labelled,
        }

    def decode(self, forward: Forward) -> dict[str, Sequence[Any] | NDArray[np.generic]]:
        """``predicted`` label names [batch], their ``probability`` [batch], and float32 ``logits`` [batch, labels]."""
        import numpy as np

        logits = forward.outputs.logits.detach().float()
        probability, code = logits.softmax(-1).max(-1)
        return {
            "predicted": np.array(self.labels, dtype=object)[code.cpu().numpy()],
            "probability": probability.cpu().numpy(),
            "logits": logits.cpu().numpy(),
        }

    def grade(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[np.generic]]:
        """``correct`` [n]: 1 where the predicted label is the gold one, NaN where there is none."""
        import numpy as np

        pairs = zip(columns["label"], columns["predicted"], strict=True)
        return {"correct": np.array([np.nan if gold is None else float(gold == said) for gold, said in pairs])}

    def score(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """``accuracy`` and ``macro_f1`` (mean over the gold labels that occur), both in [0, 1]; empty without labels."""
        from sklearn.metrics import accuracy_score, f1_score

        pairs = [pair for pair in zip(columns["label"], columns["predicted"], strict=True) if pair[0] is not None]
        if not pairs:
            return {}
        gold, predicted = zip(*pairs, strict=True)
        return {
            "accuracy": float(accuracy_score(gold, predicted)),
            "macro_f1": float(f1_score(gold, predicted, labels=sorted(set(gold)), average="macro", zero_division=0)),
        }

    def texts(self, row: Mapping[str, Any]) -> tuple[Text, ...]:
        """The text, or both texts of a pair."""
        return tuple(Text(field, row.get(field) or "") for field in self.text_fields)

    def _places(
        self, texts: list[list[str]], tokenizer: PreTrainedTokenizerBase, limit: int
    ) -> list[dict[str, list[Any]]]:
        """``offsets`` and ``fields`` of every row's tokens."""
        encoded = tokenizer(*texts, truncation=True, max_length=limit, return_offsets_mapping=True)
        fields = self.text_fields
        return [
            {
                "offsets": encoded["offset_mapping"][row],
                "fields": [None if part is None else fields[part] for part in encoded.sequence_ids(row)],
            }
            for row in range(len(texts[0]))
        ]

    def _codes(self, names: Sequence[str | None]) -> list[int]:
        known = {label: code for code, label in enumerate(self.labels)}
        unknown = sorted({str(name) for name in names if name is not None and name not in known})
        if unknown:
            raise DataError(
                f"expected the labels {list(self.labels)}, found {unknown[:5]}", fix=did_you_mean(unknown[0], known)
            )
        return [IGNORED if name is None else known[name] for name in names]

    def _weighted(self, codes: list[int], weights: Sequence[float]) -> list[Any]:
        if all(weight == 1 for weight in weights):
            return list(codes)
        if IGNORED in codes:
            raise DataError("weights need a label on every row", fix="drop the unlabelled rows first")
        targets = []
        for code, weight in zip(codes, weights, strict=True):
            target = [0.0] * len(self.labels)
            target[code] = float(weight)
            targets.append(target)
        return targets
