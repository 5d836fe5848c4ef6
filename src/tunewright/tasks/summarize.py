"""Summarisation with encoder-decoder models, and whatever else turns a text into a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunewright.errors import ProjectError
from tunewright.metrics.rouge import KINDS, rouge, shared_words
from tunewright.tasks import Mark, Text
from tunewright.tasks.generate import (
    decoder_start,
    generate,
    load_encoder_decoder,
    rows_at_a_time,
    token_log_probabilities,
)
from tunewright.tasks.padding import IGNORED, filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Collator, Feature, Forward

__all__ = ["Summarization"]

_CORRECT = 0.5 - 1e-9  # ROUGE-L: a half, however it is rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarization:
    """One text written for each text.

    An output is ``correct`` when its ROUGE-L F1 is at least 0.5; while training, when at least half of the gold tokens
    are the most probable ones, each given the gold tokens before it.

    Args:
        document: column of the text to summarise.
        max_length: longest document in tokens, prefix and special tokens included; longer ones are cut.
        max_target_length: longest gold summary in tokens, special tokens included; longer ones are cut.
        prefix: put before every document, as T5 wants it: ``"summarize: "``.
        beams: of the search; 1 takes the most probable token each time.
        min_new_tokens: fewest tokens an output may have.
        max_new_tokens: most tokens an output may have, its end token included; None: ``max_target_length``.
        length_penalty: above 0 favours long outputs, below 0 short ones; only with several beams.
        stem: whether ROUGE compares stems of words.
        metric: score that is reported first: ``rouge1``, ``rouge2`` or ``rougeL``.
    """

    document: str = "dialogue"
    max_length: int = 512
    max_target_length: int = 128
    prefix: str = ""
    beams: int = 1
    min_new_tokens: int = 0
    max_new_tokens: int | None = None
    length_penalty: float = 1.0
    stem: bool = False
    metric: str = "rougeL"

    def __post_init__(self) -> None:
        if self.metric not in KINDS:
            raise ProjectError(f"no metric is called {self.metric!r}", fix=f"use one of {', '.join(KINDS)}")
        if min(self.max_length, self.max_target_length, self.beams, self._most_new_tokens) < 1:
            raise ProjectError("expected lengths and beams of at least 1", fix=f"change {self!r}")
        if not 0 <= self.min_new_tokens <= self._most_new_tokens:
            raise ProjectError(
                f"expected min_new_tokens from 0 to {self._most_new_tokens}, found {self.min_new_tokens}",
                fix="raise max_new_tokens",
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """None: a summary is no name from a list."""
        return ()

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The column a person reads."""
        return (self.document,)

    @property
    def target_fields(self) -> tuple[str, ...]:
        """None: the label is the summary."""
        return ()

    def encode(
        self, rows: Mapping[str, Sequence[Any]], tokenizer: PreTrainedTokenizerBase, *, offsets: bool = False
    ) -> list[Feature]:
        """Tokenise rows; every row is one feature.

        ``labels`` are the gold summary's tokens, none for a row without one. ``truncated`` and ``target_truncated``
        say what was cut.
        """
        texts = [self.prefix + text for text in rows[self.document]]
        limit = min(self.max_length, tokenizer.model_max_length)
        encoded = tokenizer(texts, truncation=True, max_length=limit, return_offsets_mapping=offsets)
        gold = rows["label"] if "label" in rows else [None] * len(texts)
        targets = self._targets(gold, tokenizer)
        cut = _cut(encoded, limit)
        weights = [{"weight": float(weight)} for weight in rows["weight"]] if "weight" in rows else [{}] * len(texts)
        return [
            {name: encoded[name][row] for name in ("input_ids", "attention_mask")}
            | {"id": example, "window": 0, "length": len(encoded["input_ids"][row]), "truncated": cut[row]}
            | targets[row]
            | weights[row]
            | (self._places(encoded, row) if offsets else {})
            for row, example in enumerate(rows["id"])
        ]

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Pad inputs and targets to the longest of the batch.

        ``labels`` holds ``labels``, int64 [batch, target tokens] padded with -100, and ``weight`` [batch] where any
        feature has one. The decoder reads the targets one token late, so that the model needs no labels.

        Raises:
            TrainError: if the model beside the tokenizer does not say where its decoder starts.
        """
        start, pad = decoder_start(tokenizer), tokenizer.pad_token_id or 0

        def collate(features: Sequence[Feature]) -> dict[str, Any]:
            import torch

            targets = [feature["labels"] or [IGNORED] for feature in features]
            read = [[start, *target[:-1]] for target in targets]
            labels = {"labels": filled(targets, IGNORED)}
            if any("weight" in feature for feature in features):
                labels["weight"] = torch.tensor([feature.get("weight", 1.0) for feature in features])
            return {
                "input_ids": filled([feature["input_ids"] for feature in features], pad),
                "attention_mask": filled([feature["attention_mask"] for feature in features], 0),
                "decoder_input_ids": filled(read, pad),
                "decoder_attention_mask": filled([[1] * len(tokens) for tokens in read], 0),
                "labels": labels,
            }

        return collate

    def load_model(self, source: str, *, trust_remote_code: bool = False) -> PreTrainedModel:
        """The encoder-decoder there, or two copies of the encoder there with new cross attention; safetensors only.

        Raises:
            TrainError: if there is no such model.
        """
        return load_encoder_decoder(source, trust_remote_code=trust_remote_code)

    def measure(self, outputs: Any, targets: Any) -> dict[str, torch.Tensor]:
        """Statistics of the gold summary, each given the gold tokens before: means over its tokens.

        Args:
            outputs: model outputs with ``logits`` [batch, tokens, vocabulary].
            targets: token ids [batch, tokens], negative where there is none, or a mapping that has them as ``labels``.

        Returns:
            float32 [batch]: loss (nats per token, unweighted), gold_probability (exp of the mean log-probability of a
            token), gold_logit, other_logit, margin, log_sum_exp, sum_of_squares; int64 ``other``, -1; bool
            ``correct``: at least half of the gold tokens are the most probable. Rows without gold give NaN and False.
        """
        import torch

        gold = targets["labels"] if isinstance(targets, Mapping) else targets
        few = rows_at_a_time(outputs.logits[0].numel())
        blocks = [_statistics(*block) for block in zip(outputs.logits.split(few), gold.split(few), strict=True)]
        measured = {name: torch.cat([block[name] for block in blocks]) for name in blocks[0]}
        return measured | {"other": torch.full_like(gold[:, 0], -1)}

    def decode(self, forward: Forward) -> dict[str, Sequence[Any] | NDArray[np.generic]]:
        """Outputs of the task's search, and how probable the model finds each token of the gold summary.

        Takes the ``logits`` off the outputs when it has read them, lest they be in memory while it writes.

        Returns:
            [batch] each: predicted, probability (exp of the mean log-probability of a token), stop_reason (``eos``,
            or ``length`` when it was cut), generated_tokens, truncated and target_truncated, and lists ``tokens`` and
            ``token_probability`` of the gold summary, null where there is none.
        """
        targets = [feature["labels"] for feature in forward.features]
        probabilities = _token_probabilities(forward.outputs.logits, targets)
        forward.outputs["logits"] = None
        written = generate(
            forward.model,
            forward.outputs.encoder_last_hidden_state,
            forward.inputs["attention_mask"],
            beams=self.beams,
            min_new_tokens=self.min_new_tokens,
            max_new_tokens=self._most_new_tokens,
            length_penalty=self.length_penalty,
        )
        read = forward.tokenizer.convert_ids_to_tokens
        return {
            "predicted": [
                text.strip() for text in forward.tokenizer.batch_decode(written.tokens, skip_special_tokens=True)
            ],
            "probability": written.probability,
            "stop_reason": ["eos" if ended else "length" for ended in written.ended],
            "generated_tokens": [len(tokens) for tokens in written.tokens],
            "truncated": [feature["truncated"] for feature in forward.features],
            "target_truncated": [feature["target_truncated"] for feature in forward.features],
            "tokens": [read(target) if target else None for target in targets],
            "token_probability": probabilities,
        }

    def grade(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[np.generic]]:
        """``rouge1``, ``rouge2``, ``rougeL`` (F1) and ``correct`` (ROUGE-L of 0.5 or more), [n]; NaN without a label."""
        import numpy as np

        known = np.array([gold is not None for gold in columns["label"]], dtype=bool)
        gold = [gold or "" for gold in columns["label"]]
        scores = rouge(gold, [said or "" for said in columns["predicted"]], stem=self.stem)
        grades = {kind: score.f1 for kind, score in scores.items()}
        grades["correct"] = (grades["rougeL"] >= _CORRECT).astype(np.float64)
        return {name: np.where(known, values, np.nan) for name, values in grades.items()}

    def score(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """Means of ``rouge1``, ``rouge2`` and ``rougeL`` over the labelled rows, in [0, 1]; empty without any."""
        import numpy as np

        if all(gold is None for gold in columns["label"]):
            return {}
        grades = self.grade(columns)
        return {kind: float(np.nanmean(np.asarray(grades[kind], dtype=np.float64))) for kind in KINDS}

    def texts(self, row: Mapping[str, Any]) -> tuple[Text, ...]:
        """The document, the gold and the predicted summary; marked is what ROUGE-L finds in both, in order."""
        document = Text(self.document, row.get(self.document) or "")
        gold, said = row.get("label"), row.get("predicted")
        shared = shared_words(gold or "", said or "", stem=self.stem)
        marks = (
            tuple(Mark(*span, "gold") for span in shared[0]),
            tuple(Mark(*span, "predicted") for span in shared[1]),
        )
        summaries = (("label", gold, marks[0]), ("predicted", said, marks[1]))
        return document, *(Text(field, text, marked) for field, text, marked in summaries if text is not None)

    @property
    def _most_new_tokens(self) -> int:
        return self.max_target_length if self.max_new_tokens is None else self.max_new_tokens

    def _targets(self, gold: Sequence[str | None], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        limit = min(self.max_target_length, tokenizer.model_max_length)
        encoded = tokenizer(text_target=[text or "" for text in gold], truncation=True, max_length=limit)
        cut = _cut(encoded, limit)
        return [
            {"labels": [], "teaches": False, "target_truncated": False}
            if text is None
            else {"labels": encoded["input_ids"][row], "teaches": True, "target_truncated": cut[row]}
            for row, text in enumerate(gold)
        ]

    def _places(self, encoded: BatchEncoding, row: int) -> Feature:
        """``offsets`` into the document and ``fields`` of a row's tokens; the prefix is not of the document."""
        skip = len(self.prefix)
        spans = encoded["offset_mapping"][row]
        return {
            "offsets": [(max(start - skip, 0), max(end - skip, 0)) for start, end in spans],
            "fields": [self.document if end > max(start, skip) else None for start, end in spans],
        }


def _cut(encoded: BatchEncoding, limit: int) -> list[bool]:
    """Which texts had more tokens; of a tokenizer that does not say, those that fill the limit."""
    if encoded.encodings is None:
        return [len(tokens) >= limit for tokens in encoded["input_ids"]]
    return [bool(part.overflowing) for part in encoded.encodings]


def _statistics(logits: torch.Tensor, gold: torch.Tensor) -> dict[str, torch.Tensor]:
    """Means over the gold tokens of logits [rows, tokens, vocabulary]: [rows]. Only the loss carries a gradient."""
    import torch

    known, index = gold >= 0, gold.clamp(min=0).unsqueeze(-1)
    logits = logits.float()

    def mean(values: torch.Tensor) -> torch.Tensor:
        return values.where(known, 0).sum(-1) / known.sum(-1)

    log_sum_exp = logits.logsumexp(-1)
    gold_logit = logits.gather(-1, index).squeeze(-1)
    loss = mean(log_sum_exp - gold_logit)
    with torch.no_grad():
        other_logit = logits.scatter(-1, index, float("-inf")).amax(-1)
        margin = gold_logit - other_logit
        squares = ((2 * logits).logsumexp(-1) - 2 * log_sum_exp).exp()
        return {
            "loss": loss,
            "gold_probability": (-loss).exp(),
            "gold_logit": mean(gold_logit),
            "other_logit": mean(other_logit),
            "margin": mean(margin),
            "log_sum_exp": mean(log_sum_exp),
            "sum_of_squares": mean(squares),
            "correct": mean((margin > 0).float()) >= 0.5,
        }


def _token_probabilities(logits: torch.Tensor, targets: Sequence[list[int]]) -> list[list[float] | None]:
    if not any(targets):
        return [None] * len(targets)
    tokens = filled([target or [0] for target in targets], 0).to(logits.device)
    found = token_log_probabilities(logits.detach(), tokens).exp().tolist()
    return [row[: len(target)] if target else None for row, target in zip(found, targets, strict=True)]
