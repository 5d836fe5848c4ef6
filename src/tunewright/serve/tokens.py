"""The token of a service: made at random, or given by a file or the environment, and what is told from it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from tunewright.errors import DataError

__all__ = ["VARIABLE", "cookie_of", "given_token", "new_token", "same"]

VARIABLE = "TUNEWRIGHT_TOKEN"

_FORM = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")  # what RFC 6750 allows, and long enough that it is not guessed


def new_token() -> str:
    """43 letters with 256 random bits."""
    return secrets.token_urlsafe(32)


def given_token(path: Path | None = None) -> str | None:
    """The token of a file, which is made with a new one if it is not there; else that of the environment; else None.

    Raises:
        DataError: if it is too short, or has letters that a header cannot carry.
    """
    if path is not None:
        return _checked(_of_file(path), str(path))
    told = os.environ.get(VARIABLE)
    return None if told is None else _checked(told.strip(), VARIABLE)


def cookie_of(token: str, port: int) -> str:
    """The value of the cookie: it opens this service at this port, and does not tell the token."""
    return hmac.new(token.encode(), f"cookie of port {port}".encode(), hashlib.sha256).hexdigest()


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _of_file(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    token = new_token()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token


def _checked(token: str, origin: str) -> str:
    if not _FORM.fullmatch(token):
        raise DataError(
            f"expected a token of 16 to 512 letters, digits or ._~+/=- in {origin}, found {len(token)} characters",
            fix="python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one",
        )
    return token
