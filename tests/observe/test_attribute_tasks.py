"""Attribution of questions and summaries, with windows, shared embeddings and tokenizers of every kind."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from tunewright.errors import DataError
from tunewright.observe.attribute import attribute
from tunewright.observe.marks import Mark, marks
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer, quiet
from tunewright.tasks.summarize import Summarization
from tunewright.toy import toy_answers, toy_model, toy_seq2seq, toy_summaries, toy_texts

ANSWERS = QuestionAnswering(max_length=24, stride=4)
SUMMARIES = Summarization(max_length=40, max_target_length=16, max_new_tokens=6)


def t5(folder):
    """A random T5, whose two halves share one layer of embeddings, and pads where others mask."""
    tokenizer = load_tokenizer(toy_seq2seq(folder))
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    tokens = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3}
    with quiet():
        T5ForConditionalGeneration(T5Config(vocab_size=len(tokenizer), **sizes, **tokens)).save_pretrained(folder)
    return str(folder)


@pytest.fixture(params=[toy_seq2seq, t5, toy_model], ids=["bart", "t5", "two encoders"], scope="module")
def writer(request, tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        source = request.param(tmp_path_factory.mktemp("model"))
        return SUMMARIES.load_model(source), SUMMARIES, load_tokenizer(source)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    source = toy_model(tmp_path_factory.mktemp("model"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ANSWERS.load_model(source), ANSWERS, load_tokenizer(source)


def by_hand(model, task, tokenizer, row):
    """Gradient x input with the encoder's embeddings given to the model as such, summed over everything."""
    batch = task.collator(tokenizer)(task.encode(row.to_pydict(), tokenizer))
    targets, ids = batch.pop("labels"), batch.pop("input_ids")
    vectors = model.get_encoder().get_input_embeddings()(ids).detach().requires_grad_()
    loss = task.measure(model(inputs_embeds=vectors, **batch), targets)["loss"].sum()
    (gradient,) = torch.autograd.grad(loss, vectors)
    return loss.item(), (gradient * vectors).sum().item()


def test_of_models_that_write_only_what_the_encoder_reads_is_explained(writer):
    row = toy_summaries(1)
    found = attribute(*writer, row, method="gradient_x_input")
    loss, total = by_hand(*writer, row)
    assert found.loss == pytest.approx(loss, rel=1e-5)
    assert sum(word.score for word in found.words) + found.rest == pytest.approx(total, rel=1e-3, abs=1e-6)
    assert {word.field for word in found.words} == {"dialogue"}


def test_the_integral_is_complete_for_models_that_write(writer):
    found = attribute(*writer, toy_summaries(2).slice(1), steps=100)
    assert found.completeness_error < 0.01
    assert found.rest == pytest.approx(0, abs=1e-6)


def test_the_losses_of_the_tokens_make_the_loss_of_the_summary(writer):
    row = toy_summaries(1)
    whole = attribute(*writer, row, steps=2)
    each = [attribute(*writer, row, steps=2, token=token) for token in range(len(whole.target))]
    assert np.mean([one.loss for one in each]) == pytest.approx(whole.loss, rel=1e-4)
    mean = np.mean([[word.score for word in one.words] for one in each], axis=0)
    np.testing.assert_allclose(mean, [word.score for word in whole.words], atol=1e-5)
    assert [one.token for one in each] == list(range(len(whole.target)))


def test_a_token_that_is_not_there_is_refused(writer):
    with pytest.raises(DataError, match="has tokens 0 to"):
        attribute(*writer, toy_summaries(1), token=99)


def test_a_question_is_explained_in_the_window_that_holds_its_answer(reader):
    for row in (toy_answers(6).slice(position, 1) for position in range(6)):
        found = attribute(*reader, row, steps=100)
        gold = [mark for mark in found.marks if mark.kind == "gold"]
        read = [word for word in found.words if word.field == "context"]
        assert found.windows > 1
        assert any(read[0].start <= mark.start and mark.end <= read[-1].end for mark in gold)
        assert {word.field for word in found.words} == {"question", "context"}
        assert found.completeness_error < 0.02


def test_a_question_without_answer_in_any_window_is_refused(reader):
    row = toy_answers(1).to_pylist()[0] | {"answers_text": ["nowhere at all"], "answers_start": [10_000]}
    with pytest.raises(DataError, match="no window of row 'toy-0000' holds its gold target"):
        attribute(*reader, pa.Table.from_pylist([row]))


def test_gold_and_predicted_answers_are_marked_where_they_stand():
    texts = {"question": "which house", "context": "the red house, the red door"}
    row = {"texts": ["red house", "house", "red"], "starts": [4, 8, 0], "predicted": "red", "predicted_start": 19}
    found = marks(row, texts, ("texts", "starts"))
    assert [(mark.kind, mark.start, mark.end) for mark in found] == [
        ("gold", 4, 13),
        ("gold", 8, 13),
        ("predicted", 19, 22),
    ]
    assert {mark.field for mark in found} == {"context"}


@pytest.mark.parametrize(
    "row",
    [
        {"predicted": "red"},
        {"predicted": "", "predicted_start": 0},
        {"predicted": "red", "predicted_start": -1},
        {"predicted": "red", "predicted_start": 5},
        {"predicted": "pos", "texts": None, "starts": None},
    ],
)
def test_what_has_no_place_is_not_marked(row):
    assert marks(row, {"text": "red"}, ("texts", "starts")) == ()
    assert marks(row, {"text": "red"}, ()) == ()


def test_a_mark_needs_no_second_place():
    assert Mark(kind="gold", field="a", start=0, end=1) == marks({"t": ["x"], "s": [0]}, {"a": "x"}, ("t", "s"))[0]


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def word_piece():
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return backend, trainers.WordPieceTrainer(vocab_size=60, special_tokens=SPECIAL, show_progress=False)


def byte_pairs():
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    options = {"vocab_size": 300, "initial_alphabet": alphabet, "special_tokens": SPECIAL, "show_progress": False}
    return backend, trainers.BpeTrainer(**options)


def sentence_piece():
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    options = {"vocab_size": 60, "unk_token": "[UNK]", "special_tokens": SPECIAL, "show_progress": False}
    return backend, trainers.UnigramTrainer(**options)


@pytest.mark.parametrize("kind", [word_piece, byte_pairs, sentence_piece])
def test_words_are_those_of_the_text_with_any_tokenizer(kind):
    backend, trainer = kind()
    backend.train_from_iterator(toy_texts(200)["text"].to_pylist(), trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=128, **named)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), **sizes))
    row = {"id": "r", "text": "  The great-film,\n was re\u0301ally  good! 🎉 today", "label": "pos"}
    found = attribute(model, Classification(labels=("neg", "pos")), tokenizer, pa.Table.from_pylist([row]), steps=50)
    shown = [word.text for word in found.words]
    assert shown == ["The", "great-film", ",", "was", "re\u0301ally", "good", "!", "🎉", "today"]
    assert found.rest == pytest.approx(0, abs=1e-6)
    assert found.completeness_error < 0.01
