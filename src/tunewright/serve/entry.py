"""The page on which a person enters the token: for a browser that opens an address without it.

A form is sent with ``Origin: null`` from a page that tells no referrer, which the guard refuses; so this one tells it to
its own service. Where the form goes is the address that was opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import Scope

__all__ = ["MOST_BYTES", "STYLE", "is_opened", "is_sent", "page", "style", "token_of"]

MOST_BYTES = 4096
"""Of the form: a token has 512 letters at most, of which each may be sent as three."""

STYLE = "/entry.css"
"""Path of the style of the page, which needs no token."""

_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Token - Tunewright</title>
<link rel="stylesheet" href="{STYLE}">
<main>
<h1>Tunewright</h1>
<form method="post">
<label for="token">Token</label>
<input id="token" name="token" type="password" required autofocus maxlength="512" spellcheck="false"
 autocomplete="current-password" aria-describedby="{{described}}">
<button>Open</button>
</form>
{{problem}}<p id="where">It is in the file that <code>--token-file</code> names, or in <code>TUNEWRIGHT_TOKEN</code>,
where this service was started; or at the end of the address that was printed there.</p>
</main>
</html>
"""
_WRONG = '<p id="wrong" class="wrong" role="alert">This is not the token of this service.</p>\n'
_LOOKS = """:root { color-scheme: light dark; font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { width: min(26rem, calc(100vw - 4rem)); }
h1 { font-size: 20px; margin: 0 0 1rem; }
form { display: grid; grid-template-columns: 1fr auto; gap: 4px 8px; }
label { grid-column: 1 / -1; }
input, button { font: inherit; padding: 6px 10px; border-radius: 6px; border: 1px solid #868d99; }
button { background: #0b5cad; color: #ffffff; border-color: #0b5cad; }
input:focus-visible, button:focus-visible { outline: 2px solid #4a90d9; outline-offset: 2px; }
.wrong { color: light-dark(#a8261c, #ff9d92); margin: 8px 0 0; }
#where { color: light-dark(#565d69, #a6aebb); }
"""


def is_opened(scope: Scope, headers: Headers) -> bool:
    """Whether a browser opens an address to show it; scripts, of pages too, ask for something else."""
    return scope["method"] == "GET" and _is_navigation(headers)


def is_sent(scope: Scope, headers: Headers) -> bool:
    """Whether a browser sends the form."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return scope["method"] == "POST" and kind == "application/x-www-form-urlencoded" and _is_navigation(headers)


def token_of(body: bytes) -> str:
    """What was entered; nothing of a form that is another."""
    return parse_qs(body.decode("latin-1"), errors="replace").get("token", [""])[0].strip()


def page(*, was_wrong: bool) -> Response:
    """The page, refusing the request that it answers; ``was_wrong``: another token was given."""
    described, problem = ("wrong where", _WRONG) if was_wrong else ("where", "")
    headers = {"WWW-Authenticate": "Bearer", "Referrer-Policy": "same-origin"}
    return Response(_PAGE.format(described=described, problem=problem), 401, headers, "text/html; charset=utf-8")


def style() -> Response:
    """How the page looks."""
    return Response(_LOOKS, media_type="text/css; charset=utf-8")


def _is_navigation(headers: Headers) -> bool:
    accepted = {kind.partition(";")[0].strip().lower() for kind in headers.get("accept", "").split(",")}
    return "text/html" in accepted and headers.get("sec-fetch-mode", "navigate") == "navigate"
