from __future__ import annotations

import torch
from transformers import AutoTokenizer

from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.speed import choose


def test_measuring_changes_neither_model_nor_randomness(source, task):
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = task.load_model(source)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batch = task.collator(tokenizer)(task.encode(toy_texts(8).to_pydict(), tokenizer))
    torch.manual_seed(7)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    speed = choose(model, batch, TrainConfig())
    torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert speed.precision in {"fp32", "bf16"}
    assert f"{speed.precision}, {speed.threads} threads" in speed.seconds
    assert min(speed.seconds.values()) > 0


def test_what_is_given_is_not_measured(source, task):
    speed = choose(task.load_model(source), {}, TrainConfig(threads=1, precision="fp32"), measure=False)
    assert (speed.threads, speed.precision, speed.seconds) == (1, "fp32", {})
