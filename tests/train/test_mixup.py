"""Mixed rows: what they are at the ends of the share, which rows are left alone, and on which models."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings, strategies as st
from transformers import (
    AlbertConfig,
    AlbertForSequenceClassification,
    BartConfig,
    BartForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from tunewright.errors import TrainError
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_pairs
from tunewright.train.mixup import MixUp, blended, united
from tunewright.train.pairs import BLEND, PARENTS, SHARE, Blending, numbered

LAYERS = ("embeddings", "hidden:1", "hidden:2", "hidden:3", "pooled")
SMALL = {"vocab_size": 40, "num_labels": 2, "max_position_embeddings": 80, "initializer_range": 0.5}
BERT = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
MODELS = {
    "bert": lambda: BertForSequenceClassification(BertConfig(**SMALL, **BERT)),
    "albert": lambda: AlbertForSequenceClassification(AlbertConfig(**SMALL, **BERT, embedding_size=8)),
    "electra": lambda: ElectraForSequenceClassification(ElectraConfig(**SMALL, **BERT, embedding_size=8)),
    "roberta": lambda: RobertaForSequenceClassification(RobertaConfig(**SMALL, **BERT)),
    "distilbert": lambda: DistilBertForSequenceClassification(
        DistilBertConfig(**SMALL, dim=16, n_layers=3, n_heads=2, hidden_dim=32)
    ),
}
TASK = Classification(text="premise", text_pair="hypothesis", labels=("same", "different"))
WITHOUT_TYPES = {"roberta", "distilbert"}  # models that know no first and second text


def made(name: str, attention: str = "sdpa"):
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    model.set_attn_implementation(attention)
    return model


@pytest.fixture(scope="module")
def pairs(source):
    """Features of sentence pairs of different lengths, and the task's collator."""
    tokenizer = load_tokenizer(source)
    features = TASK.encode(toy_pairs(12).to_pydict(), tokenizer)
    assert len({feature["length"] for feature in features}) > 3
    for feature in features:  # which the toy tokenizer leaves to the model
        of_first = feature["input_ids"].index(tokenizer.sep_token_id) + 1
        feature["token_type_ids"] = [0] * of_first + [1] * (feature["length"] - of_first)
    return numbered(features), TASK.collator(tokenizer)


def mixture(a, b, share):
    return {"id": "mixed", "window": 0, "length": 0, PARENTS: (a, b), SHARE: share}


def logits(model, name, collator, features):
    batch = collator(features)
    batch.pop("labels")
    if name in WITHOUT_TYPES:
        batch.pop("token_type_ids", None)
    with torch.no_grad():
        return model(**batch).logits


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_at_the_ends_a_mixture_is_one_of_its_parents_and_real_rows_are_untouched(pairs, name, layer, attention):
    features, collator = pairs
    a, b, c = sorted(features, key=lambda feature: feature["length"])[::5][:3]
    model = made(name, attention)
    MixUp(layer).attach(model)
    alone = [logits(model, name, collator, [feature]) for feature in (a, b, c)]
    batch = [c, mixture(a, b, 1.0), a, mixture(a, b, 0.0), mixture(b, c, 0.5)]
    found = logits(model, name, Blending(collator, 2), batch)
    assert found.shape == (5, 2)
    torch.testing.assert_close(found[:4], torch.cat([alone[2], alone[0], alone[0], alone[1]]), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found[4], alone[1][0], atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 12), min_size=2, max_size=5),
    layer=st.sampled_from(LAYERS),
    data=st.data(),
)
def test_with_all_of_the_share_a_mixture_is_that_parent_whatever_else_is_in_the_batch(lengths, layer, data):
    features = numbered([written(row, length) for row, length in enumerate(lengths)])
    places = st.tuples(*[st.integers(0, len(features) - 1)] * 2)
    pairs = data.draw(st.lists(st.tuples(places, st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=5))
    batch = [mixture(features[a], features[b], share) for (a, b), share in pairs]
    batch = data.draw(st.permutations([*features, *batch]))
    model = made("bert")
    plain = logits(model, "bert", together, features)
    MixUp(layer).attach(model)
    found = logits(model, "bert", Blending(together, 2), batch)
    for row, feature in enumerate(batch):
        a, b = feature.get(PARENTS, (feature, feature))
        share = feature.get(SHARE, 1.0)
        if share in {0.0, 1.0} or a is b:
            torch.testing.assert_close(found[row], plain[(a if share else b)["row"]], atol=1e-4, rtol=1e-4)


def written(row, length):
    words = [5 + (7 * row + 3 * place) % 30 for place in range(length)]
    return {"id": str(row), "length": length, "input_ids": words, "labels": row % 2}


def together(features):
    longest = max(feature["length"] for feature in features)
    filled = [[*feature["input_ids"], *[0] * (longest - feature["length"])] for feature in features]
    mask = [[1] * feature["length"] + [0] * (longest - feature["length"]) for feature in features]
    labels = [feature["labels"] for feature in features]
    return {
        "input_ids": torch.tensor(filled),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(labels),
    }


@pytest.mark.parametrize("layer", LAYERS)
def test_near_the_ends_a_mixture_is_near_its_parent_where_no_mask_differs(pairs, layer):
    features, collator = pairs
    a = features[0]
    b = {**a, "input_ids": [*a["input_ids"][:1], *a["input_ids"][:0:-1]], "row": features[1]["row"]}
    model = made("bert")
    MixUp(layer).attach(model)
    found = logits(model, "bert", Blending(collator, 2), [mixture(a, b, 1 - 1e-6), a])
    torch.testing.assert_close(found[0], found[1], atol=1e-3, rtol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=6),
    weights=st.lists(st.floats(0.125, 4), min_size=4, max_size=4),
    weighted=st.booleans(),
    data=st.data(),
)
def test_labels_sum_to_one_or_to_the_weights(shares, weights, weighted, data):
    labels = [[weight, 0.0, 0.0] for weight in weights] if weighted else [0, 1, 2, -100]
    features = numbered([{"id": str(row), "labels": label} for row, label in enumerate(labels)])
    parents = [data.draw(st.sampled_from([(0, 1), (1, 2), (2, 0)])) for _ in shares]
    mixed = [mixture(features[a], features[b], share) for (a, b), share in zip(parents, shares, strict=True)]
    batch = Blending(lambda rows: {"labels": torch.tensor([row["labels"] for row in rows])}, 3)([*features, *mixed])
    weight = weights if weighted else [1, 1, 1, 0]
    expected = [share * weight[a] + (1 - share) * weight[b] for (a, b), share in zip(parents, shares, strict=True)]
    assert batch["labels"].dtype == torch.float32
    torch.testing.assert_close(batch["labels"].sum(1), torch.tensor([*weight, *expected]).float())
    if not weighted:
        for row, ((a, b), share) in enumerate(zip(parents, shares, strict=True), start=4):
            torch.testing.assert_close(batch["labels"][row, a], torch.tensor(share).float())
            torch.testing.assert_close(batch["labels"][row, b], 1 - torch.tensor(share).float())


def test_each_parent_is_computed_once(pairs):
    features, collator = pairs
    a, b, c = features[:3]
    batch = Blending(collator, 2)([a, b, mixture(a, b, 0.5), mixture(b, c, 0.5), mixture(c, a, 0.5)])
    assert batch["input_ids"].shape[0] == 3
    assert batch[BLEND]["first"].tolist() == [0, 1, 0, 1, 2]
    assert batch[BLEND]["second"].tolist() == [0, 1, 1, 2, 0]
    assert batch[BLEND]["mixed"].tolist() == [2, 3, 4]


def test_without_a_mixture_only_the_form_of_the_labels_changes(pairs):
    features, collator = pairs
    plain, batch = collator(features), Blending(collator, 2)(features)
    assert BLEND not in batch
    assert torch.equal(batch["labels"].argmax(1), plain["labels"])
    assert torch.equal(batch["input_ids"], plain["input_ids"])


def test_a_parent_counts_for_nothing_where_it_has_no_token():
    states = torch.arange(12.0).reshape(2, 3, 2) + 1
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    blend = {
        "first": torch.tensor([0, 0]),
        "second": torch.tensor([0, 1]),
        "share": torch.tensor([1.0, 0.25]),
        "mixed": torch.tensor([1]),
    }
    found = blended(states, blend, mask=mask)
    assert torch.equal(found[0], states[0])
    torch.testing.assert_close(found[1, 0], 0.25 * states[0, 0] + 0.75 * states[1, 0])
    torch.testing.assert_close(found[1, 1:], 0.25 * states[0, 1:])


@pytest.mark.parametrize(("opened", "shut"), [(1, 0), (True, False), (0.0, float("-inf"))])
def test_the_mask_is_that_of_both_parents_in_every_form(opened, shut):
    mask = torch.tensor([[opened, opened, shut], [opened, shut, shut]]).reshape(2, 1, 1, 3)
    blend = {"first": torch.tensor([0, 1, 1]), "second": torch.tensor([0, 1, 0])}
    assert united(mask, blend).reshape(3, 3).tolist() == [
        [opened, opened, shut],
        [opened, shut, shut],
        [opened, opened, shut],
    ]


@pytest.mark.parametrize("layer", ["embeddings", "hidden:2", "pooled"])
def test_gradients_reach_both_parents_under_bf16(pairs, layer):
    features, collator = pairs
    model = made("bert").train()
    MixUp(layer).attach(model)
    batch = Blending(collator, 2)([mixture(features[0], features[1], 0.5)])
    labels = batch.pop("labels")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model(**batch).logits
    (found.float().log_softmax(-1) * labels).sum().backward()
    used = model.get_input_embeddings().weight.grad.abs().sum(1) > 0
    words = {word for feature in features[:2] for word in feature["input_ids"]} - {0}
    assert all(used[word] for word in words)


@pytest.mark.parametrize(
    ("model", "layer", "found"),
    [
        (MODELS["bert"], "hidden:4", "3 layers"),
        (
            lambda: BartForSequenceClassification(
                BartConfig(
                    vocab_size=40,
                    d_model=16,
                    encoder_layers=1,
                    decoder_layers=1,
                    encoder_ffn_dim=32,
                    decoder_ffn_dim=32,
                    encoder_attention_heads=2,
                    decoder_attention_heads=2,
                )
            ),
            "embeddings",
            "'embeddings'",
        ),
    ],
)
def test_a_model_without_the_layer_is_refused(model, layer, found):
    with pytest.raises(TrainError, match=found):
        MixUp(layer).attach(model())


def test_layers_that_are_computed_twice_are_refused():
    with pytest.raises(TrainError, match="gradient checkpointing"):
        MixUp("hidden:1").on_train_begin(SimpleNamespace(gradient_checkpointing=True), None, None, model=None)


def test_detached_a_model_is_as_before(pairs):
    features, collator = pairs
    model = made("bert")
    mixup = MixUp("embeddings")
    mixup.attach(model)
    mixup.detach()
    assert not model._forward_pre_hooks
    assert not model.base_model.embeddings._forward_hooks
    logits(model, "bert", collator, features)
