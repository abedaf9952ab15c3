"""The app as it is served: headers that keep the page to itself, /healthz, and the pages.

Run it with `rehearsal serve`. The pages begin in main.py.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.style import SCROLL


def _allowed(script: str) -> str:
    """Return the checksum by which a policy allows one inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy() -> str:
    """Return the content security policy: nothing from anywhere but this server."""
    index = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    own = re.findall(r"<script>(.*?)</script>", index, flags=re.DOTALL)
    scripts = " ".join(_allowed(script) for script in [*own, SCROLL])
    return (
        f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        "object-src 'none'; frame-src 'none'; frame-ancestors 'none'; base-uri 'self'; "
        "form-action 'self'"
    )


HEADERS: Final = {
    "content-security-policy": policy(),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """Puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete what is sent back."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [h for h in message["headers"] if h[0].decode().lower() not in HEADERS]
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*kept, *own]}
            await send(message)

        await self._app(scope, receive, with_headers)


async def healthz(_: Request) -> JSONResponse:
    """Say that the server answers."""
    return JSONResponse({"status": "ok"})


app = st.App(
    Path(__file__).with_name("main.py"),
    routes=[Route("/healthz", healthz)],
    middleware=[Middleware(SecurityHeaders)],
)
