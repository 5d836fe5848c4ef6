"""Extractive question answering: the answer is a span of the context, which may be longer than the model reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunewright.errors import DataError, ProjectError
from tunewright.metrics import squad
from tunewright.tasks import Text
from tunewright.tasks.padding import IGNORED, padded
from tunewright.tasks.passages import character_spans, held, marked_answers, windows
from tunewright.tasks.source import pretrained
from tunewright.tasks.spans import best_other, context_mask, cut, span_scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Collator, Feature, Forward
    from tunewright.tasks.passages import Span

__all__ = ["QuestionAnswering"]

_BLOCK = 512  # rows that are tokenised at a time: what a tokenizer gives is many times what is kept
_NULL = (0, 0)  # the first token, [CLS]: where models point to say that there is no answer
_NO_INPUT = {"overflow_to_sample_mapping", "offset_mapping"}  # of what the tokenizer gives


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswering:
    """One answer per question, cut from a context.

    A context that does not fit is read in windows that overlap. A window that does not hold the answer is not
    trained on; an answer that no window holds leaves its row untaught. Questions keep their beginning: what would
    leave the context less than two strides is cut off their end.

    Args:
        question: column of the questions.
        context: column of the texts that hold the answers.
        answers: column of the gold answers of each row, a list of texts; an empty list is a question without answer.
        starts: column of where they start in the context, a list of characters; this, not the text, is trusted.
        max_length: tokens in a window, question and special tokens included, or what the tokenizer allows when that
            is less.
        stride: tokens that a window shares with the one before; at most a third of the window is used.
        max_answer_tokens: tokens in the longest answer that is considered.
        n_best: answers kept per window.
        unanswerable: whether "no answer" is an answer (SQuAD 2.0); else rows without gold answers are unlabelled.
        metric: score that is reported first: ``f1`` or ``exact_match``.
    """

    question: str = "question"
    context: str = "context"
    answers: str = "answers_text"
    starts: str = "answers_start"
    max_length: int = 384
    stride: int = 128
    max_answer_tokens: int = 30
    n_best: int = 5
    unanswerable: bool = False
    metric: str = "f1"

    def __post_init__(self) -> None:
        if self.metric not in {"exact_match", "f1"}:
            raise ProjectError(f"no metric is called {self.metric!r}", fix="use 'f1' or 'exact_match'")
        smallest = {"max_length": 16, "stride": 0, "max_answer_tokens": 1, "n_best": 1}
        for name, least in smallest.items():
            if getattr(self, name) < least:
                raise ProjectError(
                    f"expected {name} of {least} or more, found {getattr(self, name)}",
                    fix=f"QuestionAnswering({name}={least}) or more",
                )

    @property
    def labels(self) -> tuple[str, ...]:
        """None: answers are no list."""
        return ()

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The columns a person reads."""
        return (self.question, self.context)

    @property
    def target_fields(self) -> tuple[str, ...]:
        """The columns of the gold answers and where they start."""
        return (self.answers, self.starts)

    def encode(
        self, rows: Mapping[str, Sequence[Any]], tokenizer: PreTrainedTokenizerBase, *, offsets: bool = False
    ) -> list[Feature]:
        """Tokenise rows; every window of a context is one feature.

        ``labels`` are the gold spans that the window holds, as (first, last) token; the first token for a question
        without answer; none for a window without the answer and for an unlabelled row. ``offsets`` and ``fields``
        are always there, offsets as int32 [tokens, 2]; ``pool`` marks the question; ``context`` is the text and
        ``context_tokens`` its (first, end) token.

        Raises:
            DataError: if the tokenizer keeps no offsets, or a row has more answers than starts.
        """
        blocks = (
            {name: values[start : start + _BLOCK] for name, values in rows.items()}
            for start in range(0, len(rows["id"]), _BLOCK)
        )
        return [feature for block in blocks for feature in self._features(block, tokenizer)]

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Pad to the longest of the batch.

        ``labels`` is a mapping: start_positions and end_positions int64 [batch, golds], padded with -100; token_mask
        (no padding) and context_mask bool [batch, tokens]; weight float32 [batch] where given.
        """

        def collate(features: Sequence[Feature]) -> dict[str, Any]:
            inputs = padded(features, tokenizer)
            targets = _targets(features, inputs["input_ids"].shape[1])
            return {**inputs, "labels": targets | {"token_mask": inputs["attention_mask"].bool()}}

        return collate

    def load_model(self, source: str, *, trust_remote_code: bool = False) -> PreTrainedModel:
        """``AutoModelForQuestionAnswering``, in float32; safetensors only.

        Raises:
            TrainError: if there is no such model.
        """
        from transformers import AutoModelForQuestionAnswering

        return pretrained(
            AutoModelForQuestionAnswering,
            source,
            num_labels=2,
            trust_remote_code=trust_remote_code,
            ignore_mismatched_sizes=True,
        )

    def measure(self, outputs: Any, targets: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Statistics of the best gold span in each window.

        Probabilities are a softmax over all tokens of the input, as in the model's own loss, which is the mean of start
        and end where this is their sum; padding, which that loss counts as tokens, is left out where it is known, so
        that a row does not depend on its batch. The span that the gold one is compared with is the best one that
        is no gold answer, no longer than ``max_answer_tokens`` and inside the context where that is known.

        Args:
            outputs: model outputs with ``start_logits`` and ``end_logits`` [batch, tokens].
            targets: ``start_positions`` and ``end_positions`` [batch, golds] or [batch], where what is no token of
                the input is no gold answer, and neither is the first token unless questions may be unanswerable:
                usual scripts point there in windows without the answer; optionally ``token_mask`` (no padding) and
                ``context_mask``, bool [batch, tokens].

        Returns:
            float32 [batch]: gold_probability (start x end), loss (nats, sum of both), gold_logit, other_logit (each
            start + end), log_sum_exp, sum_of_squares (over all pairs of tokens), margin; int64 ``other`` (-1); bool
            ``correct`` and ``gold_everywhere`` (the gold answer is "no answer", which every window of the row must
            say). Windows without a gold answer give NaN and False.
        """
        import torch

        start, end = outputs.start_logits.float(), outputs.end_logits.float()
        batch, tokens = start.shape
        first = targets["start_positions"].view(batch, -1)
        last = targets["end_positions"].view(batch, -1)
        known = (first >= self._first_gold) & (first < tokens) & (last >= 0) & (last < tokens)
        golds = start.gather(1, first.where(known, 0)) + end.gather(1, last.where(known, 0))
        best = golds.masked_fill(~known, float("-inf")).argmax(1, keepdim=True)
        gold_logit = golds.gather(1, best).squeeze(1)
        read = [_unpadded(logits, targets.get("token_mask")) for logits in (start, end)]
        log_sum_exp = read[0].logsumexp(-1) + read[1].logsumexp(-1)
        loss = log_sum_exp - gold_logit
        with torch.no_grad():
            other_logit = self._best_other(start, end, targets.get("context_mask"), (first, last))
            margin = gold_logit - other_logit
            statistics = {
                "gold_probability": (-loss).exp(),
                "gold_logit": gold_logit.detach(),
                "other_logit": other_logit,
                "log_sum_exp": log_sum_exp.detach(),
                "sum_of_squares": read[0].softmax(-1).square().sum(-1) * read[1].softmax(-1).square().sum(-1),
                "margin": margin,
            }
        labelled = known.any(1)
        unknown = start.new_full((), float("nan"))
        return {name: value.where(labelled, unknown) for name, value in (statistics | {"loss": loss}).items()} | {
            "other": torch.full_like(best.squeeze(1), -1),
            "correct": (margin > 0) & labelled,
            "gold_everywhere": labelled & (first.gather(1, best) == 0).squeeze(1),
        }

    def decode(self, forward: Forward) -> dict[str, Sequence[Any] | NDArray[np.generic]]:
        """The best valid spans of each window, cut from the context.

        Returns:
            ``predicted`` texts ("" is no answer), ``predicted_start`` in characters of the context, ``probability``
            (start x end, normalised over the valid spans of the window), ``window_score`` (start + end logit; with
            ``unanswerable``, minus that of no answer: the row has no answer when no window is above 0) and
            ``n_best``, dicts of text, start, probability and score in the unit of ``window_score``.
        """
        import torch

        start = forward.outputs.start_logits.detach().float()
        end = forward.outputs.end_logits.detach().float()
        ranges = [feature["context_tokens"] for feature in forward.features]
        allowed = context_mask(ranges, start.shape[1]).to(start.device)
        spans = span_scores(start, end, allowed, self.max_answer_tokens).flatten(1)
        empty = ~allowed.any(1)  # where nothing can be said, nothing is said
        null = start[:, 0] + end[:, 0]
        silent = empty | self.unanswerable
        scores = torch.cat([spans, null.masked_fill(~silent, float("-inf")).unsqueeze(1)], 1)
        level = null.where(silent, 0)
        # twice as many as asked for: spans that differ in blanks alone have one text
        top, places = scores.topk(min(2 * self.n_best, scores.shape[1]))
        found = zip(
            forward.features,
            places.tolist(),
            (top - scores.logsumexp(1, keepdim=True)).exp().tolist(),
            (top - level.unsqueeze(1)).tolist(),
            strict=True,
        )
        n_best = [self._answers(*answers) for answers in found]
        return {
            "predicted": [answers[0]["text"] for answers in n_best],
            "predicted_start": [answers[0]["start"] for answers in n_best],
            "probability": [answers[0]["probability"] for answers in n_best],
            "window_score": (spans.amax(1) - level).masked_fill(empty, 0).tolist(),
            "n_best": n_best,
        }

    def grade(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[np.generic]]:
        """``exact_match`` and ``f1`` [n] against the best gold answer, in [0, 1], and ``correct``: an exact match.

        Without a column of gold answers, ``label`` is the only one. NaN for rows without a label.
        """
        import numpy as np

        labels = columns["label"]
        answers = columns.get(self.answers, [None] * len(labels))
        golds = [self._gold_texts(*gold) for gold in zip(labels, answers, strict=True)]
        pairs = list(zip(columns["predicted"], golds, strict=True))
        exact = np.array([np.nan if gold is None else squad.exact_match(said, gold) for said, gold in pairs])
        shared = np.array([np.nan if gold is None else squad.f1(said, gold) for said, gold in pairs])
        return {"exact_match": exact, "f1": shared, "correct": exact}

    def score(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """``exact_match`` and ``f1``, means over the labelled rows, in [0, 1]; empty without labels."""
        import numpy as np

        grades = {name: np.asarray(values, np.float64) for name, values in self.grade(columns).items()}
        if np.isnan(grades["correct"]).all():
            return {}
        return {name: float(np.nanmean(grades[name])) for name in ("exact_match", "f1")}

    def texts(self, row: Mapping[str, Any]) -> tuple[Text, ...]:
        """Question and context, where every gold answer and the predicted one are marked."""
        context = row.get(self.context) or ""
        marks = marked_answers(
            context,
            gold=(row.get(self.answers) or (), row.get(self.starts) or ()),
            predicted=(row.get("predicted"), row.get("predicted_start")),
        )
        return Text(self.question, row.get(self.question) or ""), Text(self.context, context, marks)

    @property
    def _first_gold(self) -> int:
        """The first token that a gold answer may begin with."""
        return 0 if self.unanswerable else 1

    def _gold_texts(self, label: str | None, answers: Sequence[str] | None) -> list[str] | None:
        """A row's gold answers: none for a question without answer, None for an unlabelled row."""
        if label is None:
            return None
        texts = [text for text in ([label] if answers is None else answers) if text]
        return texts if texts or self.unanswerable else None

    def _golds(self, rows: Mapping[str, Sequence[Any]]) -> Iterator[list[Span] | None]:
        """Each row's gold answers in characters of its context; empty and None as for their texts."""
        nothing = [None] * len(rows["id"])
        columns = (rows.get(name, nothing) for name in (self.answers, self.starts))
        labels = rows["label"] if "label" in rows else rows["id"]  # no such column: every row is labelled
        for example, texts, starts, label in zip(rows["id"], *columns, labels, strict=True):
            if texts is None or starts is None or label is None:
                yield None
                continue
            if len(texts) != len(starts):
                raise DataError(
                    f"row {example!r} has {len(texts)} answers and {len(starts)} starts",
                    fix=f"give each of {self.answers!r} one place in {self.starts!r}",
                )
            spans = character_spans(texts, starts)
            yield spans if spans or self.unanswerable else None

    def _features(self, rows: Mapping[str, Sequence[Any]], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        questions, contexts = rows[self.question], rows[self.context]
        encoded = windows(questions, contexts, tokenizer, max_length=self.max_length, stride=self.stride)
        owners: list[int] = encoded["overflow_to_sample_mapping"]
        golds = list(self._golds(rows))
        weights = [{"weight": float(weight)} for weight in rows["weight"]] if "weight" in rows else None
        features: list[Feature] = []
        for position, row in enumerate(owners):
            again = position > 0 and owners[position - 1] == row
            last = position + 1 == len(owners) or owners[position + 1] != row
            feature, places = self._places(encoded, position), encoded["offset_mapping"][position]
            labels = _held(golds[row], places, feature["context_tokens"], first=not again, last=last)
            features.append(
                feature
                | {"id": rows["id"][row], "window": features[-1]["window"] + 1 if again else 0}
                | {"context": contexts[row], "labels": labels, "teaches": bool(labels)}
                | (weights[row] if weights else {})
            )
        return features

    def _places(self, encoded: BatchEncoding, position: int) -> Feature:
        """A window's model inputs, and where its tokens are from."""
        import numpy as np

        parts = encoded.sequence_ids(position)
        first = parts.index(1) if 1 in parts else len(parts)
        names = {None: None, 0: self.question, 1: self.context}
        return {name: encoded[name][position] for name in encoded if name not in _NO_INPUT} | {
            "length": len(parts),
            "offsets": np.array(encoded["offset_mapping"][position], np.int32),  # as tuples, half of all memory
            "fields": [names[part] for part in parts],
            "pool": [int(part == 0) for part in parts],
            "context_tokens": (first, first + parts.count(1)),
        }

    def _best_other(
        self,
        start: torch.Tensor,
        end: torch.Tensor,
        allowed: torch.Tensor | None,
        golds: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """Score [batch] of the best valid span that is no gold one."""
        first, last = golds
        best = best_other(span_scores(start, end, allowed, self.max_answer_tokens), first, last)
        if self.unanswerable:
            is_null = ((first == 0) & (last == 0)).any(1)
            best = best.maximum((start[:, 0] + end[:, 0]).masked_fill(is_null, float("-inf")))
        # a context of one token has no other span: the margin stays finite
        return best.maximum(start.amin(1) + end.amin(1))

    def _answers(
        self, feature: Feature, places: list[int], probabilities: list[float], scores: list[float]
    ) -> list[dict[str, Any]]:
        """Up to ``n_best`` different answers of one window, best first; never none."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for place, probability, score in zip(places, probabilities, scores, strict=True):
            answer = self._said(feature, place)
            if probability != 0 and answer not in found:
                text, begin = answer
                found[answer] = {"text": text, "start": begin, "probability": probability, "score": score}
        return list(found.values())[: self.n_best]

    def _said(self, feature: Feature, place: int) -> tuple[str, int]:
        """Text and start of a span, by its place among the span scores; the one after the last is no answer."""
        first, length = divmod(place, self.max_answer_tokens)
        offsets = feature["offsets"]
        if first + length >= len(offsets):
            return "", 0
        return cut(feature["context"], (int(offsets[first][0]), int(offsets[first + length][1])))


def _unpadded(logits: torch.Tensor, tokens: torch.Tensor | None) -> torch.Tensor:
    return logits if tokens is None else logits.masked_fill(~tokens, float("-inf"))


def _held(golds: list[Span] | None, offsets: Sequence[Span], context: Span, *, first: bool, last: bool) -> list[Span]:
    """The gold spans of a window in its tokens; the first token where there is no answer."""
    if not golds:
        return [] if golds is None else [_NULL]
    begin, end = context
    spans = held(golds, offsets[begin:end], first=first, last=last)
    return [(begin + span[0], begin + span[1]) for span in spans]


def _targets(features: Sequence[Feature], tokens: int) -> dict[str, torch.Tensor]:
    import torch

    most = max(1, *(len(feature["labels"]) for feature in features))
    spans = torch.tensor(
        [[*feature["labels"], *[(IGNORED, IGNORED)] * (most - len(feature["labels"]))] for feature in features]
    )
    targets = {
        "start_positions": spans[..., 0].contiguous(),
        "end_positions": spans[..., 1].contiguous(),
        "context_mask": context_mask([feature["context_tokens"] for feature in features], tokens),
    }
    if "weight" in features[0]:
        targets["weight"] = torch.tensor([feature["weight"] for feature in features])
    return targets
