from __future__ import annotations

import copy
import json
import logging
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    BatchEncoding,
    DataCollatorForSeq2Seq,
    EncoderDecoderModel,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
)
from transformers.utils import logging as transformers_logging

from tunewright import Run
from tunewright.errors import ProjectError, TrainError
from tunewright.observe.embed import embed
from tunewright.observe.predict import predict
from tunewright.tasks.generate import decoder_start, generate
from tunewright.tasks.source import EMBEDDED, load_tokenizer, quiet
from tunewright.tasks.summarize import Summarization, _cut
from tunewright.toy import toy_model, toy_seq2seq, toy_summaries
from tunewright.train.recorder import Recorder

TASK = Summarization(max_length=40, max_target_length=16, max_new_tokens=6)
ROWS = toy_summaries(10)


def t5(folder):
    """A random T5 beside the words of the BART; its decoder starts from the padding token."""
    tokenizer = load_tokenizer(toy_seq2seq(folder))
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    tokens = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3}
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(T5Config(vocab_size=len(tokenizer), **sizes, **tokens))
    with quiet():
        model.save_pretrained(folder)
    return str(folder)


SOURCES = {"bart": toy_seq2seq, "t5": t5, "two encoders": toy_model}


@pytest.fixture(params=SOURCES, scope="module")
def loaded(request, tmp_path_factory):
    source = SOURCES[request.param](tmp_path_factory.mktemp("model"))
    torch.manual_seed(0)
    return TASK.load_model(source).eval(), load_tokenizer(source)


@pytest.fixture(scope="module")
def bart(tmp_path_factory):
    source = toy_seq2seq(tmp_path_factory.mktemp("bart"))
    return TASK.load_model(source).eval(), load_tokenizer(source)


def batch_of(tokenizer, rows=ROWS, task=TASK):
    batch = task.collator(tokenizer)(task.encode(rows.to_pydict(), tokenizer))
    return batch, batch.pop("labels")


# --- the targets ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Version v4:FutureWarning")
def test_the_loss_of_each_row_is_the_models_own(loaded):
    model, tokenizer = loaded
    batch, targets = batch_of(tokenizer)
    with torch.no_grad():
        losses = TASK.measure(model(**batch), targets)["loss"]
        for row in range(len(losses)):
            inputs = {name: batch[name][row : row + 1] for name in ("input_ids", "attention_mask")}
            own = model(**inputs, labels=targets["labels"][row : row + 1]).loss
            torch.testing.assert_close(losses[row], own, rtol=1e-5, atol=1e-6)


def test_the_decoder_reads_the_target_one_token_late_as_the_model_would_have_it(loaded):
    model, tokenizer = loaded
    batch, targets = batch_of(tokenizer)
    expected = model.prepare_decoder_input_ids_from_labels(targets["labels"])
    real = batch["decoder_attention_mask"].bool()
    assert torch.equal(batch["decoder_input_ids"][real], expected[real])
    assert batch["decoder_input_ids"][:, 0].tolist() == [model.config.decoder_start_token_id] * len(real)
    assert not (batch["decoder_input_ids"][:, 0] == targets["labels"][:, 0]).any()


def test_a_saved_model_starts_from_the_same_token_and_writes_the_same(loaded, tmp_path):
    model, tokenizer = loaded
    with quiet():
        model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, reader = TASK.load_model(str(tmp_path)).eval(), load_tokenizer(str(tmp_path))
    assert type(again) is type(model)
    assert decoder_start(reader) == decoder_start(tokenizer)
    assert not list(tmp_path.glob("*.bin"))
    assert predict(again, TASK, reader, ROWS).equals(predict(model, TASK, tokenizer, ROWS))


def test_rows_without_a_summary_are_read_and_answered_but_not_taught(bart):
    model, tokenizer = bart
    rows = ROWS.slice(0, 3).drop_columns(["label"]).append_column("label", [["ann says it was good", None, None]])
    features = TASK.encode(rows.to_pydict(), tokenizer)
    assert [feature["teaches"] for feature in features] == [True, False, False]
    batch, targets = batch_of(tokenizer, rows.slice(1))
    assert targets["labels"].tolist() == [[-100], [-100]]
    measured = TASK.measure(model(**batch), targets)
    assert measured["loss"].isnan().all()
    assert not measured["correct"].any()
    said = predict(model, TASK, tokenizer, rows.drop_columns(["label"]))
    assert said["tokens"].null_count == said["token_probability"].null_count == 3


def test_weights_come_with_the_targets(bart):
    rows = ROWS.slice(0, 2).append_column("weight", [[2.0, 0.5]])
    assert batch_of(bart[1], rows)[1]["weight"].tolist() == [2.0, 0.5]
    assert "weight" not in batch_of(bart[1])[1]


def test_what_is_too_long_is_cut_and_says_so(bart):
    task = Summarization(max_length=12, max_target_length=6)
    rows = {"id": ["short", "long"], "dialogue": ["ann : good", "ann : " + "good " * 20]}
    features = task.encode(rows | {"label": ["ann says " + "good " * 9, "ann"]}, bart[1])
    assert [feature["truncated"] for feature in features] == [False, True]
    assert [feature["target_truncated"] for feature in features] == [True, False]
    assert [feature["length"] for feature in features] == [5, 12]
    assert len(features[0]["labels"]) == 6
    assert features[0]["labels"][-1] == bart[1].sep_token_id


def test_a_prefix_is_read_but_is_not_of_the_document(bart):
    task = Summarization(prefix="film : ")
    rows = {"id": ["1"], "dialogue": ["ann : good"]}
    (feature,) = task.encode(rows, bart[1], offsets=True)
    assert bart[1].decode(feature["input_ids"]) == "[CLS] film : ann : good [SEP]"
    assert feature["fields"] == [None, None, None, "dialogue", "dialogue", "dialogue", None]
    assert [rows["dialogue"][0][start:end] for start, end in feature["offsets"]] == ["", "", "", "ann", ":", "good", ""]


# --- statistics -------------------------------------------------------------------------------------------------------


def test_statistics_by_hand():
    logits = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 0.0, 3.0], [9.0, 0.0, 0.0]]])
    row = TASK.measure(SimpleNamespace(logits=logits), torch.tensor([[0, 1, -100]]))
    p = logits[0].softmax(-1)
    assert row["loss"].item() == pytest.approx(-(p[0, 0].log() + p[1, 1].log()).item() / 2)
    assert row["gold_probability"].item() == pytest.approx((p[0, 0] * p[1, 1]).sqrt().item())
    assert row["gold_logit"].item() == pytest.approx(1.0)
    assert row["other_logit"].item() == pytest.approx(2.0)
    assert row["margin"].item() == pytest.approx(-1.0)
    assert row["log_sum_exp"].item() == pytest.approx(logits[0, :2].logsumexp(-1).mean().item())
    assert row["sum_of_squares"].item() == pytest.approx((p[:2] ** 2).sum(-1).mean().item())
    assert row["other"].item() == -1
    assert row["correct"].item()  # one of two


def test_half_precision_logits_are_measured_in_single_precision():
    logits = torch.randn(2, 5, 50, generator=torch.Generator().manual_seed(0)).bfloat16()
    targets = {"labels": torch.randint(50, (2, 5))}
    half = TASK.measure(SimpleNamespace(logits=logits), targets)
    single = TASK.measure(SimpleNamespace(logits=logits.float()), targets)
    assert half["loss"].dtype == torch.float32
    torch.testing.assert_close(half, single)


def test_blocks_of_rows_give_the_same(monkeypatch):
    logits = torch.randn(5, 4, 50, generator=torch.Generator().manual_seed(0))
    targets = torch.randint(-1, 50, (5, 4), generator=torch.Generator().manual_seed(0))
    whole = TASK.measure(SimpleNamespace(logits=logits), targets)
    monkeypatch.setattr("tunewright.tasks.generate._LOGITS", 2 * 4 * 50)
    torch.testing.assert_close(TASK.measure(SimpleNamespace(logits=logits), targets), whole, equal_nan=True)


def test_the_gradient_is_that_of_cross_entropy_and_a_row_without_gold_has_none():
    logits = torch.randn(2, 3, 7, requires_grad=True)
    gold = torch.tensor([[1, 2, -100], [-100, -100, -100]])
    TASK.measure(SimpleNamespace(logits=logits), gold)["loss"][0].backward()
    own = logits.detach().clone().requires_grad_()
    torch.nn.functional.cross_entropy(own[0], gold[0]).backward()
    torch.testing.assert_close(logits.grad, own.grad)


# --- what it writes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def heard():
    """What transformers logs as a warning, also what it says only once."""
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = transformers_logging.get_logger("transformers")
    transformers_logging.warning_once.cache_clear()
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def test_the_stop_reason_is_that_of_the_tokens(bart, monkeypatch):
    """Padding after the end, cut, ended with the last token allowed, nothing but the end."""
    model, tokenizer = bart
    start, first, end, word = 3, 2, 3, 7
    written = [
        [start, first, word, end, 0, 0],
        [start, first, word, word, word, word],
        [start, first, word, word, word, end],
        [start, end, 0, 0, 0, 0],
    ]
    monkeypatch.setattr(model, "generate", lambda **_: torch.tensor(written), raising=False)
    said = predict(model, TASK, tokenizer, ROWS.slice(0, 4).set_column(1, "dialogue", [["ann : good"] * 4]))
    assert said["stop_reason"].to_pylist() == ["eos", "length", "eos", "eos"]
    assert said["generated_tokens"].to_pylist() == [2, 5, 4, 0]
    assert said["predicted"].to_pylist() == [" ".join(["fine"] * count) for count in (1, 4, 3, 0)]


@pytest.mark.parametrize("beams", [1, 3])
def test_a_batch_with_all_kinds_of_endings(tmp_path, beams):
    source = toy_seq2seq(tmp_path, seed=2)
    model, tokenizer = TASK.load_model(source).eval(), load_tokenizer(source)
    for weights in model.parameters():
        weights.data *= 16  # small random weights write the same whatever they read
    for most in (1, 3, 6):
        said = predict(model, Summarization(beams=beams, max_new_tokens=most), tokenizer, ROWS, batch_size=4)
        for reason, tokens in zip(said["stop_reason"].to_pylist(), said["generated_tokens"].to_pylist(), strict=True):
            assert (reason, tokens == most) in {("eos", False), ("length", True)}
    assert set(said["stop_reason"].to_pylist()) == {"eos", "length"}


def test_the_probability_is_that_of_the_tokens_written(loaded):
    model, tokenizer = loaded
    batch, _ = batch_of(tokenizer)
    features = TASK.encode(ROWS.to_pydict(), tokenizer)
    with torch.inference_mode():
        outputs = model(**batch)
        written = generate(model, outputs.encoder_last_hidden_state, batch["attention_mask"], beams=2, max_new_tokens=5)
        for row, tokens in enumerate(written.tokens):
            target = tokens + [model.generation_config.eos_token_id] * written.ended[row]
            collated = TASK.collator(tokenizer)([features[row] | {"labels": target}])
            loss = TASK.measure(model(**collated | {"labels": None}), collated["labels"])["loss"]
            assert written.probability[row] == pytest.approx(np.exp(-loss.item()), rel=1e-4)


def test_beams_take_rows_for_memory_and_the_logits_are_gone_before_it_writes(bart, monkeypatch):
    model, tokenizer = bart
    write, seen, rows = model.generate, [], []

    def watched(**settings):
        rows.append(len(settings["attention_mask"]))
        assert not any(logits() is not None for logits in seen)
        return write(**settings)

    def kept(module, inputs, outputs):
        if not rows:
            seen.append(weakref.ref(outputs.logits))

    whole = predict(model, replace(TASK, beams=2), tokenizer, ROWS, batch_size=1)
    monkeypatch.setattr(model, "generate", watched)
    handle = model.register_forward_hook(kept)
    assert predict(model, replace(TASK, beams=2), tokenizer, ROWS)["predicted"].equals(whole["predicted"])
    handle.remove()
    assert rows == [5, 5]
    assert len(seen) == 1


def test_scoring_a_row_at_a_time_gives_the_same(bart, monkeypatch):
    whole = predict(bart[0], TASK, bart[1], ROWS)
    monkeypatch.setattr("tunewright.tasks.generate._LOGITS", 1)
    np.testing.assert_allclose(predict(bart[0], TASK, bart[1], ROWS)["probability"], whole["probability"], rtol=1e-5)


def test_the_settings_are_the_tasks_and_transformers_has_nothing_to_say(loaded, heard):
    model, tokenizer = loaded
    kept = copy.deepcopy(model.generation_config)
    model.generation_config.update(max_length=5, min_length=4, length_penalty=2.0, early_stopping=True, num_beams=4)
    try:
        longer = Summarization(max_new_tokens=9, min_new_tokens=9)
        assert predict(model, longer, tokenizer, ROWS)["generated_tokens"].to_pylist() == [9] * ROWS.num_rows
        predict(model, Summarization(beams=2, length_penalty=0.5, max_new_tokens=500), tokenizer, ROWS)
    finally:
        model.generation_config = kept
    assert heard == []


def test_gold_tokens_and_their_probabilities_make_the_loss(loaded):
    model, tokenizer = loaded
    for row in predict(model, TASK, tokenizer, ROWS, batch_size=3).to_pylist():
        assert row["tokens"][-1] == tokenizer.sep_token
        assert len(row["tokens"]) == len(row["token_probability"])
        assert -np.log(row["token_probability"]).mean() == pytest.approx(row["loss"], rel=1e-4)


# --- scores -----------------------------------------------------------------------------------------------------------


def test_grades_by_hand():
    columns = {"label": ["Ann meets Bob", "a b c d", None], "predicted": ["ann meets bob", "a x", "a"]}
    grades = TASK.grade(columns)
    assert grades["rouge1"][:2].tolist() == pytest.approx([1, 1 / 3])
    assert grades["rouge2"][:2].tolist() == [1, 0]
    assert grades["correct"][:2].tolist() == [1, 0]
    assert all(np.isnan(values[2]) for values in grades.values())
    assert TASK.score(columns) == pytest.approx({"rouge1": 2 / 3, "rouge2": 0.5, "rougeL": 2 / 3})
    assert TASK.score({"label": [None], "predicted": ["a"]}) == {}


def test_stems_are_compared_when_asked_for():
    columns = {"label": ["meeting films"], "predicted": ["meets film"]}
    assert TASK.score(columns)["rougeL"] == 0
    assert Summarization(stem=True).score(columns)["rougeL"] == 1


# --- models and mistakes ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_embedded_encoder_becomes_both_halves():
    tokenizer = load_tokenizer(EMBEDDED)
    torch.manual_seed(0)
    model = TASK.load_model(EMBEDDED).eval()
    assert isinstance(model, EncoderDecoderModel)
    assert decoder_start(tokenizer) == tokenizer.sep_token_id
    said = predict(model, TASK, tokenizer, ROWS.slice(0, 2))
    assert set(said["stop_reason"].to_pylist()) <= {"eos", "length"}
    assert embed(model, TASK, tokenizer, ROWS.slice(0, 2))["vector"].type.list_size == 384


def test_halves_in_half_precision_are_loaded_in_single(tmp_path):
    source = toy_model(tmp_path)
    with quiet():
        half = AutoModel.from_pretrained(source).bfloat16()
        half.config.dtype = torch.bfloat16
        half.save_pretrained(source)
    assert {weights.dtype for weights in TASK.load_model(source).parameters()} == {torch.float32}


def test_the_start_of_the_decoder_is_read_once_and_without_the_models_own_code(tmp_path):
    tokenizer = load_tokenizer(toy_seq2seq(tmp_path))
    config = json.loads((tmp_path / "config.json").read_text())
    custom = config | {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Mine"}, "decoder_start_token_id": 4}
    (tmp_path / "config.json").write_text(json.dumps(custom))
    assert decoder_start(tokenizer) == 4
    (tmp_path / "config.json").unlink()
    assert decoder_start(tokenizer) == 4


def test_a_decoder_that_starts_nowhere_is_an_error(tmp_path):
    tokenizer = load_tokenizer(toy_seq2seq(tmp_path))
    (tmp_path / "config.json").unlink()
    with pytest.raises(TrainError, match="cannot load"):
        TASK.collator(tokenizer)


def test_a_decoder_that_says_no_start_is_an_error(tmp_path):
    tokenizer = load_tokenizer(toy_seq2seq(tmp_path))
    T5Config(vocab_size=9).save_pretrained(tmp_path)
    with pytest.raises(TrainError, match="which token its decoder starts from"):
        TASK.collator(tokenizer)


def test_an_encoder_without_an_end_token_cannot_be_built_upon(tmp_path):
    source = toy_model(tmp_path)
    tokenizer = load_tokenizer(source)
    tokenizer.sep_token = None
    tokenizer.save_pretrained(source)
    with pytest.raises(TrainError, match="cls, sep and pad"):
        TASK.load_model(source)


def test_a_tokenizer_that_does_not_say_what_it_cut_is_judged_by_length():
    assert _cut(BatchEncoding({"input_ids": [[1, 2], [1]]}), 2) == [True, False]


@pytest.mark.parametrize(
    "settings", [{"metric": "bleu"}, {"beams": 0}, {"max_new_tokens": 0}, {"min_new_tokens": 9, "max_new_tokens": 8}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ProjectError):
        Summarization(**settings)


def test_the_settings_are_in_the_name():
    assert "beams=4, min_new_tokens=0, max_new_tokens=None, length_penalty=1.0" in repr(Summarization(beams=4))


# --- a stock Trainer --------------------------------------------------------------------------------------------------


def test_a_stock_trainer_is_recorded_whole(tmp_path):
    source = toy_seq2seq(tmp_path / "model")
    model, tokenizer = TASK.load_model(source), load_tokenizer(source)
    names = ("id", "input_ids", "attention_mask", "labels")
    features = [{name: feature[name] for name in names} for feature in TASK.encode(ROWS.to_pydict(), tokenizer)]
    recorder = Recorder(tmp_path / "runs", TASK)
    Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(tmp_path / "out"),
            per_device_train_batch_size=4,
            num_train_epochs=3,
            learning_rate=1e-2,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        ),
        train_dataset=features,
        data_collator=recorder.collator(DataCollatorForSeq2Seq(tokenizer, model=model)),
        callbacks=[recorder],
    ).train()
    dynamics = Run.open(recorder.run.folder).table("dynamics")
    assert dynamics.num_rows == 3 * ROWS.num_rows
    assert [epoch["seen"] for epoch in recorder.run.meta["coverage"]] == [ROWS.num_rows] * 3
    assert np.isfinite(dynamics["loss"].to_numpy()).all()
    losses = dynamics.group_by("epoch").aggregate([("loss", "mean")]).sort_by("epoch")["loss_mean"].to_pylist()
    assert losses[2] < losses[0]
