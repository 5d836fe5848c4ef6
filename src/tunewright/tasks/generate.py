"""Encoder-decoder models: loading or building one, where its decoder starts, and what it generates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tunewright.errors import TrainError
from tunewright.tasks.source import load_tokenizer, loading, pretrained

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "Generated",
    "decoder_start",
    "generate",
    "load_encoder_decoder",
    "rows_at_a_time",
    "token_log_probabilities",
]

_LOGITS = 1 << 26  # that are scored at a time: 256 MB, and as much again for each step of the formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What a model wrote for a batch.

    ``tokens``: the ids of each text, end token and padding taken off. ``ended``: whether the model ended it itself,
    rather than being cut. ``probability``: exp of the mean log-probability of its tokens (and of the end token, where
    there is one) under the model alone, whatever the settings of the search forbade.
    """

    tokens: list[list[int]]
    ended: list[bool]
    probability: list[float]


def load_encoder_decoder(source: str, *, trust_remote_code: bool = False) -> PreTrainedModel:
    """The encoder-decoder at a source, or one built from two copies of the encoder there; in float32.

    Read from safetensors only. The cross attention and head of one that is built are drawn from the current torch seed.

    Raises:
        TrainError: if there is no such model, or none that can be built from it.
    """
    from transformers import AutoConfig, AutoModelForSeq2SeqLM

    with loading(source) as name:
        config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code)
        if not config.is_encoder_decoder:
            return _from_encoder(
                name, load_tokenizer(source, trust_remote_code=trust_remote_code), trusted=trust_remote_code
            )
    return pretrained(AutoModelForSeq2SeqLM, source, trust_remote_code=trust_remote_code)


def decoder_start(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token a decoder starts from: what the model beside the tokenizer says; of a mere encoder, the end token.

    As in BART, and not the token that targets begin with: a decoder that has read it twice learns to write it for ever.

    Raises:
        TrainError: if neither says; of a model with code of its own, only its config.json is asked.
    """
    source = tokenizer.name_or_path
    config = _config(source)
    start = config.get("decoder_start_token_id") if config.get("is_encoder_decoder") else tokenizer.sep_token_id
    if start is None:
        raise TrainError(
            f"{source!r} does not say which token its decoder starts from",
            fix="set decoder_start_token_id in its config.json",
        )
    return int(start)


def generate(
    model: Any,
    states: torch.Tensor,
    attention_mask: torch.Tensor,
    *,
    beams: int = 1,
    min_new_tokens: int = 0,
    max_new_tokens: int = 128,
    length_penalty: float = 1.0,
) -> Generated:
    """Texts from encoded inputs: the most probable token each time, or beam search; no sampling.

    Lengths and search are the arguments'; what else the model's generation config asks for stays, except a forced end
    token, which would hide that a text was cut. With beams, fewer rows are written at a time, for each takes the memory
    of as many.

    Args:
        model: a ``PreTrainedModel`` that generates.
        states: [batch, tokens, d] of the encoder.
        attention_mask: [batch, tokens] of the inputs.
        beams: sequences kept at a time; 1 is greedy.
        min_new_tokens: before which the end token is not allowed; it does not count.
        max_new_tokens: after which a text is cut, the end token counted; at most what the decoder has positions for.
        length_penalty: exponent of the length that a beam's log-probability is divided by.
    """
    most = min(max_new_tokens, getattr(_decoder_config(model), "max_position_embeddings", None) or max_new_tokens)
    settings = {
        "num_beams": beams,
        # lengths with the start token; given as new tokens, transformers warns of lengths in the model's own config
        "min_length": 1 + min(min_new_tokens, most),
        "max_length": 1 + most,
        **({"length_penalty": length_penalty} if beams > 1 else {}),
    }
    few = max(1, len(states) // beams)
    blocks = [
        _written(model, *block, settings) for block in zip(states.split(few), attention_mask.split(few), strict=True)
    ]
    return Generated(
        tokens=[tokens for block in blocks for tokens in block.tokens],
        ended=[ended for block in blocks for ended in block.ended],
        probability=[probability for block in blocks for probability in block.probability],
    )


def _written(model: Any, states: torch.Tensor, attention_mask: torch.Tensor, settings: dict[str, Any]) -> Generated:
    from transformers.modeling_outputs import BaseModelOutput

    sequences = model.generate(
        encoder_outputs=BaseModelOutput(last_hidden_state=states),
        attention_mask=attention_mask,
        do_sample=False,
        min_new_tokens=None,
        max_new_tokens=None,
        forced_eos_token_id=None,
        use_cache=True,
        **settings,
    )
    ends = _end_tokens(model)
    written = [_until(row, ends) for row in sequences[:, 1:].tolist()]
    lengths = [len(tokens) + ended for tokens, ended in written]
    return Generated(
        tokens=[tokens for tokens, _ in written],
        ended=[ended for _, ended in written],
        probability=_probability(model, states, attention_mask, sequences, lengths),
    )


def token_log_probabilities(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """float32 [batch, tokens] log-probabilities of tokens [batch, tokens] under logits [batch, tokens, vocabulary].

    A few rows at a time, so that no float32 copy of all logits is made.
    """
    import torch

    few = rows_at_a_time(logits[0].numel())
    blocks = zip(map(torch.Tensor.float, logits.split(few)), tokens.split(few), strict=True)
    return torch.cat([rows.gather(-1, ids.unsqueeze(-1)).squeeze(-1) - rows.logsumexp(-1) for rows, ids in blocks])


def rows_at_a_time(logits: int) -> int:
    """How many rows of so many logits are scored together: as many as memory should hold, at least one."""
    return max(1, _LOGITS // max(logits, 1))


@lru_cache(maxsize=8)
def _config(source: str) -> dict[str, Any]:
    """The settings of the model at a source, read once; no code that came with it is run."""
    from transformers import AutoConfig, PreTrainedConfig

    with loading(source) as name:
        config: dict[str, Any] = PreTrainedConfig.get_config_dict(name)[0]
        return config if "auto_map" in config else AutoConfig.from_pretrained(name).to_dict()


def _from_encoder(name: str, tokenizer: PreTrainedTokenizerBase, *, trusted: bool) -> PreTrainedModel:
    import torch
    from transformers import EncoderDecoderModel

    special = {
        "bos_token_id": tokenizer.cls_token_id,
        "decoder_start_token_id": tokenizer.sep_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if None in special.values():
        raise TrainError(
            f"expected an encoder-decoder, or an encoder whose tokenizer has cls, sep and pad tokens, found {name!r}",
            fix="a BART or T5 model, or a BERT-like encoder",
        )
    loaded = {"use_safetensors": True, "dtype": torch.float32, "trust_remote_code": trusted}
    model: PreTrainedModel = EncoderDecoderModel.from_encoder_decoder_pretrained(
        name, name, **{f"{half}_{key}": value for half in ("encoder", "decoder") for key, value in loaded.items()}
    )
    for config in (model.config, model.generation_config):
        for key, token in special.items():
            setattr(config, key, token)
    return model


def _decoder_config(model: PreTrainedModel) -> Any:
    return getattr(model.config, "decoder", model.config)


def _end_tokens(model: PreTrainedModel) -> set[int]:
    given = model.generation_config.eos_token_id
    return set(given) if isinstance(given, list) else {given}


def _until(tokens: list[int], ends: set[int]) -> tuple[list[int], bool]:
    """The tokens before the first end token, and whether there is one.

    >>> _until([5, 6, 2, 1], {2}), _until([5, 6], {2})
    (([5, 6], True), ([5, 6], False))
    """
    end = next((place for place, token in enumerate(tokens) if token in ends), None)
    return tokens[:end], end is not None


def _probability(
    model: PreTrainedModel,
    states: torch.Tensor,
    attention_mask: torch.Tensor,
    sequences: torch.Tensor,
    lengths: list[int],
) -> list[float]:
    """[batch] by one more pass over what was written, as many rows at a time as memory should hold."""
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    real = torch.arange(sequences.shape[1] - 1) < torch.tensor(lengths).unsqueeze(1)
    real = real.to(sequences.device)
    few = rows_at_a_time(real.shape[1] * _decoder_config(model).vocab_size)
    means: list[float] = []
    for encoded, mask, written, known in zip(
        states.split(few), attention_mask.split(few), sequences.split(few), real.split(few), strict=True
    ):
        with torch.no_grad():
            logits = model(
                encoder_outputs=BaseModelOutput(last_hidden_state=encoded),
                attention_mask=mask,
                decoder_input_ids=written[:, :-1],
                decoder_attention_mask=known.long(),
                use_cache=False,
            ).logits
        found = token_log_probabilities(logits, written[:, 1:]).where(known, 0)
        means += (found.sum(1) / known.sum(1)).exp().tolist()
    return means
