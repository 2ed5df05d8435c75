"""The sandbox's pages: templates, two languages, no outside assets."""

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from yuntu_push.sandbox.clock import wire_time
from yuntu_push.sandbox.words import WORDS
from yuntu_push.sandbox.world import World

if TYPE_CHECKING:
    from jinja2 import Environment

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    # The consent page's form ends at the application's callback, wherever that is.
    "form-action *; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class Pages:
    """Renders templates in the reader's language."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def _environment(self) -> "Environment":
        # Imported with the first page: a sandbox that only answers calls serves sooner.
        from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

        environment = Environment(
            loader=PackageLoader("yuntu_push.sandbox"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["time"] = wire_time
        environment.filters["wire"] = _wire
        environment.filters["number"] = lambda n: "—" if n is None else f"{n:,}"
        return environment

    def show(self, request: Request, template: str, status: int = 200, **facts: Any) -> Response:
        """A page in the language of `?lang=`, else of the cookie, else of the browser."""
        lang = _language(request)
        words = WORDS[lang]
        other = request.url.include_query_params(lang="en" if lang == "zh" else "zh")
        html = self._environment.get_template(template).render(
            lang=lang,
            t=words,
            other_language=f"{other.path}?{other.query}",
            here=f"{request.url.path}?{request.url.query}",
            now=self.world.clock.now(),
            **{"refresh": False, **facts},
        )
        response = HTMLResponse(html, status, _HEADERS)
        response.set_cookie("sandbox_lang", lang, samesite="lax")
        return response


def _wire(value: Any) -> str:
    """A value as it travels: text raw, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _language(request: Request) -> str:
    asked = request.query_params.get("lang") or request.cookies.get("sandbox_lang", "")
    if asked in WORDS:
        return asked
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"
