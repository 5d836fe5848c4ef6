"""Tiny models and data made in code, so that documentation and tests train in a second."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from tunewright.run import Run

__all__ = ["toy_answers", "toy_model", "toy_pairs", "toy_run", "toy_seq2seq", "toy_summaries", "toy_texts"]

_GOOD = ("good", "great", "fine", "lovely")
_BAD = ("bad", "awful", "poor", "dull")
_FILLER = ("the", "film", "was", "really", "quite", "and", "story", "we", "saw", "it", "today", "again")
_NAMES = ("ann", "bob", "cara", "dan")
_SAID = (":", "says", "agrees", "disagrees")
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def toy_texts(rows: int = 64, *, seed: int = 0, noise: float = 0.0) -> pa.Table:
    """Sentences with a word of praise or blame: columns id, text, label (neg, pos), split (train, validation, test).

    Args:
        rows: how many; 60 % train, 20 % validation, 20 % test.
        seed: of the words.
        noise: share of training rows whose label is flipped.
    """
    import pyarrow as pa

    draw = random.Random(seed)
    made = []
    for number in range(rows):
        positive = number % 2 == 1
        words = draw.choices(_FILLER, k=draw.randint(2, 12))
        words.insert(draw.randrange(len(words)), draw.choice(_GOOD if positive else _BAD))
        split = ("train", "train", "train", "validation", "test")[number // 2 % 5]
        flipped = split == "train" and draw.random() < noise
        label = "pos" if positive != flipped else "neg"
        made.append({"id": f"toy-{number:04d}", "text": " ".join(words), "label": label, "split": split})
    return pa.Table.from_pylist(made)


def toy_pairs(rows: int = 64, *, seed: int = 0) -> pa.Table:
    """Pairs that agree or not in their word of praise or blame: columns id, premise, hypothesis, label, split."""
    import pyarrow as pa

    texts = toy_texts(rows * 2, seed=seed).to_pylist()
    draw = random.Random(seed)
    draw.shuffle(texts)
    made = []
    for number, (first, second) in enumerate(zip(texts[::2], texts[1::2], strict=True)):
        label = "same" if first["label"] == second["label"] else "different"
        split = ("train", "train", "train", "validation", "test")[number % 5]
        pair = {"premise": first["text"], "hypothesis": second["text"]}
        made.append({"id": f"toy-{number:04d}", **pair, "label": label, "split": split})
    return pa.Table.from_pylist(made)


def toy_answers(rows: int = 64, *, seed: int = 0) -> pa.Table:
    """Questions about long contexts: the answer is the noun after the word of praise or blame that is asked for.

    Columns id, question, context (30 to 50 words), label, answers_text and answers_start (lists; of every third row
    two answers), title, split. A shorter answer is the beginning of the longer one.
    """
    import pyarrow as pa

    draw = random.Random(seed)
    filler = [word for word in _FILLER if word not in {"film", "story"}]
    made = []
    for number in range(rows):
        praise, noun = draw.choice(_GOOD + _BAD), draw.choice(("film", "story"))
        before, after = (draw.choices(filler, k=draw.randint(15, 24)) for _ in range(2))
        answers = [f"{noun} {after[0]}", noun] if number % 3 == 2 else [noun]
        made.append(
            {
                "id": f"toy-{number:04d}",
                "question": f"what was {praise}",
                "context": " ".join([*before, praise, noun, *after]),
                "label": answers[0],
                "answers_text": answers,
                "answers_start": [len(" ".join([*before, praise])) + 1] * len(answers),
                "title": ("first", "second", "third", "fourth")[number // 5 % 4],
                "split": ("train", "train", "train", "validation", "test")[number % 5],
            }
        )
    return pa.Table.from_pylist(made)


def toy_summaries(rows: int = 64, *, seed: int = 0) -> pa.Table:
    """Two people speak of a film; the summary says who agrees.

    Columns id, dialogue, label, words (number), speaker (who begins), split.
    """
    import pyarrow as pa

    draw = random.Random(seed)
    made = []
    for number in range(rows):
        first, second = draw.sample(_NAMES, 2)
        verdicts = [draw.choice(draw.choice((_GOOD, _BAD))) for _ in range(2)]
        agrees = (verdicts[0] in _GOOD) == (verdicts[1] in _GOOD)
        turns = [
            f"{speaker} : {' '.join(draw.choices(_FILLER, k=draw.randint(1, 8)))} {verdict}"
            for speaker, verdict in zip((first, second), verdicts, strict=True)
        ]
        made.append(
            {
                "id": f"toy-{number:04d}",
                "dialogue": "\n".join(turns),
                "label": f"{first} says it was {verdicts[0]} and {second} {'agrees' if agrees else 'disagrees'}",
                "words": sum(len(turn.split()) for turn in turns),
                "speaker": first,
                "split": ("train", "train", "train", "validation", "test")[number % 5],
            }
        )
    return pa.Table.from_pylist(made)


def toy_model(folder: str | Path, *, seed: int = 0, hidden: int = 16) -> str:
    """Save a random BERT with two layers and a word-level tokenizer; its folder works with ``from_pretrained``."""
    import torch
    from transformers import BertConfig, BertModel

    words = [*_SPECIAL, *_GOOD, *_BAD, *_FILLER]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BertModel(
            BertConfig(
                vocab_size=len(words),
                hidden_size=hidden,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=2 * hidden,
                max_position_embeddings=64,
            )
        )
    return _saved(folder, model, words)


def toy_seq2seq(folder: str | Path, *, seed: int = 0, hidden: int = 16) -> str:
    """Save a random BART with two layers on each side and a word-level tokenizer that knows `toy_summaries`.

    As with every BART, the decoder starts from the end token, ``[SEP]``, and a target begins with ``[CLS]``.
    """
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    words = [*_SPECIAL, *_GOOD, *_BAD, *_FILLER, *_NAMES, *_SAID]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BartForConditionalGeneration(
            BartConfig(
                vocab_size=len(words),
                d_model=hidden,
                encoder_layers=2,
                decoder_layers=2,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=2 * hidden,
                decoder_ffn_dim=2 * hidden,
                max_position_embeddings=64,
                pad_token_id=0,
                bos_token_id=2,
                eos_token_id=3,
                decoder_start_token_id=3,
                forced_eos_token_id=3,
            )
        )
    return _saved(folder, model, words)


def toy_run(root: str | Path, rows: int = 1_000, *, epochs: int = 3, seed: int = 0) -> Run:
    """A finished run that nobody trained, of any size: texts, dynamics, predictions, a data map and a latent map.

    A million rows take some 20 seconds to make. The numbers are drawn so that the map has its usual shape.

    Args:
        root: folder of runs.
        rows: of the training split, labelled neg or pos.
        epochs: whose dynamics there are.
        seed: of everything.
    """
    import numpy as np
    import pyarrow as pa

    from tunewright.run import Run

    draw = np.random.default_rng(seed)
    ids = pa.array(np.char.add("toy-", np.arange(rows).astype(str)))
    gold = draw.integers(0, 2, rows)
    names = np.array(["neg", "pos"], dtype=object)
    texts = {"id": ids, "split": pa.array(["train"] * rows), "text": _sentences(draw, rows), "label": names[gold]}
    run = Run.create(
        root, kind="train", name="toy", config={}, examples=pa.table(texts), labels=["neg", "pos"], recorded="train"
    )
    # how well a row can be learnt, and how much that changes from epoch to epoch
    level, spread = draw.beta(3, 1, rows), draw.uniform(0, 1, rows)
    probability = np.clip(level[:, None] + spread[:, None] * draw.uniform(-0.5, 0.5, (rows, epochs)), 1e-4, 1 - 1e-4)
    for epoch in range(epochs):
        run.append("dynamics", f"part-{epoch:05d}", _epoch(ids, epoch, probability[:, epoch]))
    last, mean = probability[:, -1], probability.mean(1)
    correct = (probability > 0.5).mean(1)
    drawn = {"confidence": mean, "variability": probability.std(1), "correctness": correct}
    run.write("columns/data_map-toy", pa.table({"id": ids, **drawn, "epochs_seen": np.full(rows, epochs)}))
    run.write(
        "columns/umap-toy",
        pa.table({"id": ids, **dict(zip(("umap1", "umap2"), draw.normal(size=(2, rows)), strict=True))}),
    )
    said = {"predicted": names[np.where(last > 0.5, gold, 1 - gold)], "probability": np.maximum(last, 1 - last)}
    run.write("predictions", pa.table({"id": ids, **said, "loss": -np.log(last), "correct": last > 0.5}))
    share = [{"epoch": epoch, "seen": rows, "expected": rows} for epoch in range(epochs)]
    run.update(status="finished", coverage=share)
    return run


def _sentences(draw: np.random.Generator, rows: int) -> pa.Array:
    """Texts of 16 words."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pa.array([*_FILLER, *_GOOD, *_BAD])
    columns = [words.take(pa.array(draw.integers(0, len(words), rows))) for _ in range(16)]
    return pc.binary_join_element_wise(*columns, " ")


def _epoch(ids: pa.Array, epoch: int, probability: NDArray[np.float64]) -> pa.Table:
    """The dynamics of one epoch, as the recorder writes them."""
    import numpy as np
    import pyarrow as pa

    rows = len(ids)
    margin = np.log(probability / (1 - probability))
    numbers = {"gold_probability": probability, "loss": -np.log(probability), "margin": margin}
    places = {"epoch": np.full(rows, epoch, np.int32), "window": np.zeros(rows, np.int32)}
    measured = {name: values.astype(np.float32) for name, values in numbers.items()}
    return pa.table({"id": ids, **places, **measured, "correct": probability > 0.5})


def _saved(folder: str | Path, model: PreTrainedModel, words: Sequence[str]) -> str:
    """Save a model with a word-level tokenizer of these words, the special ones first."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    from tunewright.tasks.source import quiet

    backend = Tokenizer(models.WordLevel({word: code for code, word in enumerate(words)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **named)
    Path(folder).mkdir(parents=True, exist_ok=True)
    with quiet():
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    return str(folder)
