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
    outputs: Any,
    attention_mask: torch.Tensor,
    *,
    beams: int = 1,
    min_new_tokens: int = 0,
    max_new_tokens: int = 128,
    length_penalty: float = 1.0,
) -> Generated:
    """Texts from encoded inputs: the most probable token each time, or beam search; no sampling.

    Lengths and search are the arguments'; what else the model's generation config asks for stays, except a forced end
    token, which would hide that a text was cut.

    Args:
        model: a ``PreTrainedModel`` that generates.
        outputs: of a forward pass, whose ``encoder_last_hidden_state`` is not computed again.
        attention_mask: [batch, tokens] of the inputs.
        beams: sequences kept at a time; 1 is greedy.
        min_new_tokens: before which the end token is not allowed; it does not count.
        max_new_tokens: after which a text is cut, the end token counted; at most what the decoder has positions for.
        length_penalty: exponent of the length that a beam's log-probability is divided by.
    """
    from transformers.modeling_outputs import BaseModelOutput

    most = min(max_new_tokens, getattr(_decoder_config(model), "max_position_embeddings", None) or max_new_tokens)
    beam_search = {"length_penalty": length_penalty} if beams > 1 else {}
    sequences = model.generate(
        encoder_outputs=BaseModelOutput(last_hidden_state=outputs.encoder_last_hidden_state),
        attention_mask=attention_mask,
        do_sample=False,
        num_beams=beams,
        # lengths with the start token; given as new tokens, transformers warns of lengths in the model's own config
        min_length=1 + min(min_new_tokens, most),
        max_length=1 + most,
        min_new_tokens=None,
        max_new_tokens=None,
        forced_eos_token_id=None,
        use_cache=True,
        **beam_search,
    )
    ends = _end_tokens(model)
    written = [_until(row, ends) for row in sequences[:, 1:].tolist()]
    lengths = [len(tokens) + ended for tokens, ended in written]
    return Generated(
        tokens=[tokens for tokens, _ in written],
        ended=[ended for _, ended in written],
        probability=_probability(model, outputs, attention_mask, sequences, lengths),
    )


def token_log_probabilities(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """float32 [batch, tokens] log-probabilities of tokens [batch, tokens] under logits [batch, tokens, vocabulary].

    A few rows at a time, so that no float32 copy of all logits is made.
    """
    import torch

    few = rows_at_a_time(logits[0])
    blocks = zip(map(torch.Tensor.float, logits.split(few)), tokens.split(few), strict=True)
    return torch.cat([rows.gather(-1, ids.unsqueeze(-1)).squeeze(-1) - rows.logsumexp(-1) for rows, ids in blocks])


def rows_at_a_time(row: torch.Tensor) -> int:
    """How many rows of logits like this one are scored together: as many as memory should hold, at least one."""
    return max(1, _LOGITS // max(row.numel(), 1))


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
    model: PreTrainedModel, outputs: Any, attention_mask: torch.Tensor, sequences: torch.Tensor, lengths: list[int]
) -> list[float]:
    """[batch] by one more pass over what was written, as many rows at a time as memory should hold."""
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    real = torch.arange(sequences.shape[1] - 1) < torch.tensor(lengths).unsqueeze(1)
    real = real.to(sequences.device)
    rows = max(1, _LOGITS // max(real.shape[1] * outputs.logits.shape[-1], 1))
    means = []
    for start in range(0, len(lengths), rows):
        part = slice(start, start + rows)
        with torch.no_grad():
            logits = model(
                encoder_outputs=BaseModelOutput(last_hidden_state=outputs.encoder_last_hidden_state[part]),
                attention_mask=attention_mask[part],
                decoder_input_ids=sequences[part, :-1],
                decoder_attention_mask=real[part].long(),
                use_cache=False,
            ).logits
        found = token_log_probabilities(logits, sequences[part, 1:]).where(real[part], 0)
        means += (found.sum(1) / real[part].sum(1)).exp().tolist()
    return means
