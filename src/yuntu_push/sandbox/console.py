"""The console: Yuntu's brands, Ocean Engine's audiences and data sources, the request log."""

import hmac
import re
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from yuntu_push.sandbox.delivery import EXPIRES_AFTER, STATUS_PREFIX, delivery_status
from yuntu_push.sandbox.endpoints.qianchuan import status_of
from yuntu_push.sandbox.journal import Journal
from yuntu_push.sandbox.pages import Pages
from yuntu_push.sandbox.records import Kind, Platform
from yuntu_push.sandbox.settle import is_busy, settle
from yuntu_push.sandbox.statefile import save_world
from yuntu_push.sandbox.world import World

_SHOWN_REQUESTS = 200
_MOST_STEP = 7 * 86_400


class Console:
    """Read-only but for one thing: binding a brand to an account."""

    def __init__(self, world: World, journal: Journal, pages: Pages, token: str) -> None:
        self.world = world
        self.journal = journal
        self.pages = pages
        self.token = token

    def routes(self) -> list[Route]:
        """The console's routes."""
        return [
            Route("/", lambda _: RedirectResponse("/console", 303)),
            Route("/console", self.yuntu),
            Route("/console/engine", self.engine),
            Route("/console/log", self.log),
            Route("/console/bind", self.bind, methods=["POST"]),
            Route("/console/clock", self.clock, methods=["POST"]),
        ]

    async def yuntu(self, request: Request) -> Response:
        """Brands, what they are bound to, and the audiences copied into them."""
        settle(self.world)
        state = self.world.state
        bindable = [
            each
            for each in state.accounts.values()
            if each.kind is Kind.ADVERTISER and each.platform is Platform.AD and each.valid
        ]
        return self.pages.show(
            request,
            "yuntu.html",
            tab="yuntu",
            refresh=any(each.ready > self.world.clock.now() for each in state.copies),
            token=self.token,
            lineage={
                each.audience_id: state.data_sources[
                    state.audiences[each.audience_id].data_source_id
                ]
                for each in state.copies
            },
            brands=list(state.brands.values()),
            accounts=state.accounts,
            bindable=bindable,
            copies=list(reversed(state.copies)),
            application=state.app,
            authorised=[state.logins[uid].name for uid in state.grants],
        )

    async def engine(self, request: Request) -> Response:
        """Custom audiences and data sources."""
        settle(self.world)
        state, options, now = self.world.state, self.world.options, self.world.clock.now()
        audiences: list[dict[str, Any]] = [
            {
                "record": each,
                "delivery": delivery_status(each, each.advertiser_id, options, now).removeprefix(
                    STATUS_PREFIX
                ),
                "published": next((p.ready for p in reversed(each.publishes) if p.done), None),
                "expires": each.created + EXPIRES_AFTER,
            }
            for each in reversed(state.audiences.values())
        ]
        return self.pages.show(
            request,
            "engine.html",
            tab="engine",
            token=self.token,
            refresh=is_busy(self.world),
            audiences=audiences,
            accounts=state.accounts,
            sources=list(reversed(state.data_sources.values())),
            qianchuan=[
                (each, status_of(each, now)) for each in reversed(state.qc_audiences.values())
            ],
        )

    async def log(self, request: Request) -> Response:
        """The last requests, newest first."""
        entries = self.journal.entries()[-_SHOWN_REQUESTS:]
        return self.pages.show(
            request, "log.html", tab="log", token=self.token, refresh=False, entries=entries[::-1]
        )

    async def bind(self, request: Request) -> Response:
        """Bind or unbind, then show the brands again."""
        form = await self._form(request)
        if form is None:
            return PlainTextResponse("403 forbidden", 403)
        brand = self.world.state.brands.get(_number(form.get("brand_id")))
        account = self.world.state.accounts.get(_number(form.get("advertiser_id")))
        if brand is not None and account is not None:
            others = [number for number in brand.bound if number != account.id]
            brand.bound = [*others, account.id] if form.get("action") == "bind" else others
            save_world(self.world)
        return RedirectResponse("/console", 303)

    async def clock(self, request: Request) -> Response:
        """Step the platform's clock by an hour or a day."""
        form = await self._form(request)
        if form is None:
            return PlainTextResponse("403 forbidden", 403)
        with suppress(ValueError):  # at the end of time it stays where it is
            self.world.clock.advance(min(_number(form.get("step")), _MOST_STEP))
        settle(self.world)
        save_world(self.world)
        tab = {"engine": "/engine", "log": "/log"}.get(form.get("back", ""), "")
        return RedirectResponse(f"/console{tab}", 303)

    async def _form(self, request: Request) -> dict[str, str] | None:
        """The form's fields; None when the page that sent it is not ours."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        known = hmac.compare_digest(form.get("token", "").encode(), self.token.encode())
        return form if known else None


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch("[0-9]{1,18}", text) else 0
