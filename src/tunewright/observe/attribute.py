"""Model and one row -> which words drive its loss, and how far to believe that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch

from tunewright.errors import DataError, did_you_mean
from tunewright.observe.marks import Mark, marks
from tunewright.observe.predict import on_device
from tunewright.observe.probe import Probe, Shares, gradient_x_input, integrated_gradients, probe
from tunewright.observe.words import Place, places, shares
from tunewright.table import speaking

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["Attribution", "Deletion", "Method", "Word", "attribute"]

Method = Literal["integrated_gradients", "gradient_x_input"]

_METHODS = frozenset(get_args(Method))

_STRONG = 0.2  # share of the words that are shown as the strongest, and that the deletion test masks
_DRAWS = 20  # random sets of words it compares with
_STEPS = (16, 32, 64)  # of the integral, tried in turn
_COMPLETE = 0.05  # a completeness error that is small enough
_TOKENS = 4096  # in memory at a time
_IGNORED = -100  # target tokens that do not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word, where it stands, and its share of the loss in nats: positive drives the loss up."""

    text: str
    field: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What masking the strongest words does to the loss, against as many random words.

    The strongest are those with the largest absolute scores. Words that drive the loss up and words that hold it down
    cancel in part when both are masked, in random sets just as well; to choose one sign for the strongest alone would
    make the test easier for them.

    Args:
        masked: how many words: a fifth of them, but at least one.
        loss: with them masked, in nats.
        change: |loss with them masked - loss|.
        random_change: mean of the same over random sets of words.
        draws: how many random sets.
    """

    masked: int
    loss: float
    change: float
    random_change: float
    draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The loss of one row, shared out among the words that the model read.

    Args:
        id: of the row.
        method: how the scores were computed.
        loss: of the gold target, in nats; of one output token where ``token`` says which.
        baseline_loss: the same without the text: every word masked, or for gradient x input all embeddings zero.
        words: the words that the model read, in order.
        rest: score of special tokens.
        completeness_error: |sum of all scores - (loss - baseline_loss)|, over the sum of the absolute scores or over
            |loss - baseline_loss|, whichever is larger; small is good.
        deletion: the test that the words with large scores matter.
        window: which of the ``windows`` that the row was cut into is explained, from 0.
        windows: how many there are.
        token: which token of the target is explained; None: all.
        target: tokens of the gold target, where it is a text that the model writes.
        texts: the text fields.
        marks: places of the gold answers and of the predicted one, where answers are places.
        label: the gold target.
        predicted: what the model says, where the row has it.
    """

    id: str
    method: Method
    loss: float
    baseline_loss: float
    words: tuple[Word, ...]
    rest: float
    completeness_error: float
    deletion: Deletion
    window: int
    windows: int
    token: int | None
    target: tuple[str, ...]
    texts: Mapping[str, str]
    marks: tuple[Mark, ...]
    label: str
    predicted: str | None

    @property
    def strongest(self) -> tuple[Word, ...]:
        """The fifth of the words with the largest absolute scores, at least one, strongest first."""
        return tuple(sorted(self.words, key=lambda word: -abs(word.score))[: _fifth(len(self.words))])


def attribute(
    model: PreTrainedModel,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    row: pa.Table,
    *,
    method: Method = "integrated_gradients",
    steps: int | None = None,
    internal_batch: int | None = None,
    token: int | None = None,
    seed: int = 0,
) -> Attribution:
    """Share the loss of a labelled row out among its words, with two figures that say how far to believe it.

    Integrated gradients from the masked text to the text, at the word embeddings; or gradient x input, in one pass.
    Of a row cut into windows, the one in which the model is surest of the gold target is explained. Dropout is off,
    no gradient stays, and torch's random state is not touched.

    Args:
        model: any that the task loads.
        task: how the row is encoded and its loss measured.
        tokenizer: a fast one, which knows the characters of its tokens.
        row: one row: ``id``, the text fields, ``label``, the target fields, optionally ``predicted`` and
            ``predicted_start``.
        method: how the scores are computed.
        steps: of the integral; more make the completeness error smaller. By default 16, and twice as many, up to 64,
            until that error is below 5 %.
        internal_batch: copies of the input in memory at a time; by default as many as make 4,096 tokens.
        token: explain the loss of this token of the target alone, counted from 0; where the target is written.
        seed: of the random words that the deletion test compares with.

    Raises:
        DataError: if there is no such method or target token, the row has no label or no words, or no window holds its
            target.
    """
    if method not in _METHODS:
        raise DataError(f"no method is called {method!r}", fix=did_you_mean(method, _METHODS))
    values = _labelled(row)
    columns = row.drop_columns([name for name in ("weight",) if name in row.column_names])
    features = task.encode(columns.to_pydict(), tokenizer, offsets=True)
    model.eval()
    copies = internal_batch or max(1, _TOKENS // max(feature["length"] for feature in features))
    window = _window(model, task, tokenizer, features, copies=copies)
    whole = probe(model, task, tokenizer, features[window], copies=copies)
    one = whole if token is None else replace(whole, targets=_only(whole.targets, token))
    texts = {field: str(values[field]) for field in task.text_fields}
    words, table = _read(texts, features[window], len(one.text))
    if not words:
        raise DataError(
            f"row {values['id']!r} has no words, so there is nothing to explain", fix="name a row with text"
        )
    found = _integrated(one, steps) if method == "integrated_gradients" else gradient_x_input(one)
    scores = table @ found.scores
    return Attribution(
        id=values["id"],
        method=method,
        loss=found.loss,
        baseline_loss=found.baseline_loss,
        words=tuple(_word(texts, place, score) for place, score in zip(words, scores.tolist(), strict=True)),
        rest=float(found.scores.sum() - scores.sum()),
        completeness_error=_incompleteness(found),
        deletion=_deletion(one, table > 0, scores, seed=seed),
        window=window,
        windows=len(features),
        token=token,
        target=tuple(str(tokenizer.decode([code])) for code in _tokens(_written(whole.targets))),
        texts=texts,
        marks=marks(values, texts, task.target_fields),
        label=values["label"],
        predicted=values.get("predicted"),
    )


def _labelled(row: pa.Table) -> dict[str, Any]:
    """The one row of a table, which has a label."""
    if row.num_rows != 1:
        raise DataError(f"expected one row to explain, found {row.num_rows}")
    values: dict[str, Any] = row.to_pylist()[0]
    if values.get("label") is None:
        raise DataError(
            f"row {values['id']!r} has no label, and what is explained is the loss of the gold target",
            fix="label the row first, or name one that has a label",
        )
    return values


def _window(
    model: PreTrainedModel, task: Task, tokenizer: PreTrainedTokenizerBase, features: Sequence[Feature], *, copies: int
) -> int:
    """The window with the largest gold probability.

    Raises:
        DataError: if none has a finite loss, since none holds the target.
    """
    blocks = [
        _gold(model, task, tokenizer, features[start : start + copies]) for start in range(0, len(features), copies)
    ]
    sure, everywhere = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    if np.isnan(sure).all():
        raise DataError(
            f"no window of row {features[0]['id']!r} holds its gold target, so its loss is not defined",
            fix="correct the target's place, or read longer inputs (max_length, stride)",
        )
    return int(speaking(np.zeros(len(sure), np.intp), sure, everywhere=everywhere)[0])


def _gold(
    model: PreTrainedModel, task: Task, tokenizer: PreTrainedTokenizerBase, features: Sequence[Feature]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Gold probability of each window, NaN where it is not there, and whether it holds in every window; both [n]."""
    inputs = on_device(task.collator(tokenizer)(features), model.device)
    targets = inputs.pop("labels")
    with torch.no_grad():
        measured = task.measure(model(**inputs), targets)
    sure: NDArray[np.float64] = measured["gold_probability"].double().cpu().numpy()
    everywhere = (
        measured["gold_everywhere"].cpu().numpy() if "gold_everywhere" in measured else np.zeros(len(sure), bool)
    )
    return sure, everywhere


def _written(targets: Any) -> torch.Tensor | None:
    """Token ids [1, tokens] of a target that is written token by token; other targets have none."""
    codes = targets.get("labels") if isinstance(targets, Mapping) else targets
    return codes if codes is not None and codes.ndim == 2 and not codes.is_floating_point() else None


def _tokens(codes: torch.Tensor | None) -> list[int]:
    return [] if codes is None else codes[codes >= 0].tolist()


def _only(targets: Any, token: int) -> Any:
    """Targets of which one written token counts.

    Raises:
        DataError: if there is no such token.
    """
    codes = _written(targets)
    count = len(_tokens(codes))
    if codes is None or not 0 <= token < count:
        there = f"tokens 0 to {count - 1}" if count else "no tokens: it is not written by the model"
        raise DataError(f"the gold target has {there}; asked for is token {token}", fix="leave the token out")
    place = (codes[0] >= 0).nonzero()[token, 0]
    kept = torch.full_like(codes, _IGNORED)
    kept[0, place] = codes[0, place]
    return {**targets, "labels": kept} if isinstance(targets, Mapping) else kept


def _read(texts: Mapping[str, str], feature: Feature, tokens: int) -> tuple[list[Place], NDArray[np.float64]]:
    """The words that the model read, and the share [words, tokens] of each token that is theirs."""
    where = places(texts)
    table = np.zeros((len(where), tokens))
    table[:, : len(feature["fields"])] = shares(where, feature["offsets"], feature["fields"])
    seen = np.flatnonzero(table.any(1))
    return [where[number] for number in seen], table[seen]


def _word(texts: Mapping[str, str], place: Place, score: float) -> Word:
    field, start, end = place
    return Word(text=texts[field][start:end], field=field, start=start, end=end, score=score)


def _integrated(one: Probe, steps: int | None) -> Shares:
    """Integrated gradients with so many steps, or as few as make them nearly complete."""
    for tried in _STEPS if steps is None else (steps,):
        found = integrated_gradients(one, steps=tried)
        if _incompleteness(found) < _COMPLETE:
            break
    return found


def _incompleteness(found: Shares) -> float:
    expected = found.loss - found.baseline_loss
    scale = max(abs(expected), float(np.abs(found.scores).sum()))
    return abs(float(found.scores.sum()) - expected) / scale if scale else 0.0


def _deletion(one: Probe, holds: NDArray[np.bool_], scores: NDArray[np.float64], *, seed: int) -> Deletion:
    """Mask the strongest words, and random ones; holds [words, tokens], scores [words]."""
    count = _fifth(len(scores))
    draw = np.random.default_rng(seed)
    strongest = np.argsort(-np.abs(scores), kind="stable")[:count]
    chosen = [strongest, *(draw.choice(len(scores), count, replace=False) for _ in range(_DRAWS))]
    hidden = np.stack([np.zeros(holds.shape[1], dtype=bool), *(holds[words].any(0) for words in chosen)])
    loss, masked_loss, *random = one.losses(hidden).tolist()
    return Deletion(
        masked=count,
        loss=masked_loss,
        change=abs(masked_loss - loss),
        random_change=float(np.mean(np.abs(np.array(random) - loss))),
        draws=_DRAWS,
    )


def _fifth(words: int) -> int:
    return max(1, round(_STRONG * words))
