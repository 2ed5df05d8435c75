"""`/_sandbox/*`: reading the world back and steering it; for tests, and for people who rehearse."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from msgspec import to_builtins
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from yuntu_push.sandbox.clock import beijing_day, wire_time
from yuntu_push.sandbox.delivery import delivery_status, push_status, status
from yuntu_push.sandbox.endpoints.qianchuan import status_of
from yuntu_push.sandbox.faults import FaultPlan
from yuntu_push.sandbox.grants import issue_code, revoke
from yuntu_push.sandbox.journal import Journal
from yuntu_push.sandbox.records import Audience, DataSource
from yuntu_push.sandbox.settle import settle
from yuntu_push.sandbox.statefile import reset_world, save_world
from yuntu_push.sandbox.world import World

Handler = Callable[[Request], Awaitable[Response]]


class Control:
    """The sandbox's own interface; it answers plain JSON, with HTTP 400 for what makes no sense."""

    def __init__(self, world: World, journal: Journal, plan: FaultPlan) -> None:
        self.world = world
        self.journal = journal
        self.plan = plan

    def routes(self) -> list[Route]:
        """The routes under `/_sandbox`."""
        reads = {"state": self.state, "requests": self.requests, "faults": self.faults}
        writes: dict[str, Callable[[dict[str, Any]], Any]] = {
            "clock": self.clock,
            "faults": self.add_faults,
            "faults/clear": self.clear_faults,
            "requests/clear": self.clear_requests,
            "bind": self.bind,
            "unbind": self.unbind,
            "app": self.app,
            "authorize": self.authorize,
            "revoke": self.revoke,
            "account": self.account,
            "reset": self.reset,
        }
        return [
            *(Route(f"/_sandbox/{name}", self._get(read)) for name, read in reads.items()),
            *(
                Route(f"/_sandbox/{name}", self._post(write), methods=["POST"])
                for name, write in writes.items()
            ),
        ]

    def _get(self, read: Callable[[], Any]) -> Handler:
        async def handle(_: Request) -> Response:
            settle(self.world)
            return JSONResponse(read())

        return handle

    def _post(self, write: Callable[[dict[str, Any]], Any]) -> Handler:
        async def handle(request: Request) -> Response:
            # A page of another origin cannot send this type without asking first.
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return JSONResponse({"error": "Content-Type must be application/json"}, 400)
            try:
                given = json.loads(await request.body())
                if not isinstance(given, dict):
                    raise TypeError("expected a JSON object")
                settle(self.world)
                answer = write(given)
            except (ValueError, TypeError, KeyError) as error:
                return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)
            settle(self.world)
            save_world(self.world)
            return JSONResponse(answer)

        return handle

    def clock(self, given: dict[str, Any]) -> dict[str, Any]:
        """Step the clock: {"advance": seconds} or {"set": ISO time}."""
        if "advance" in given:
            self.world.clock.advance(float(given["advance"]))
        else:
            self.world.clock.set(datetime.fromisoformat(given["set"]).timestamp())
        return {"now": self.world.clock.now(), "time": wire_time(self.world.clock.now())}

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force and how often each struck."""
        return [to_builtins(fault) for fault in self.plan.faults]

    def add_faults(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add one fault, or {"faults": [...]}."""
        self.plan.add(given.get("faults", [given]))
        return {"faults": len(self.plan.faults)}

    def clear_faults(self, _given: dict[str, Any]) -> dict[str, Any]:
        """Nothing goes wrong any more; a list lag that a fault set ends too."""
        self.plan.clear()
        self.world.list_lag = 0.0
        return {"faults": 0}

    def clear_requests(self, _given: dict[str, Any]) -> dict[str, Any]:
        """Forget the log."""
        self.journal.clear()
        return {}

    def bind(self, given: dict[str, Any]) -> dict[str, Any]:
        """Bind a brand to an advertiser: {"brand_id", "advertiser_id"}."""
        brand = self.world.state.brands[int(given["brand_id"])]
        account = self.world.state.accounts[int(given["advertiser_id"])]
        if account.id not in brand.bound:
            brand.bound.append(account.id)
        return {"bound": brand.bound}

    def unbind(self, given: dict[str, Any]) -> dict[str, Any]:
        """Undo a binding."""
        brand = self.world.state.brands[int(given["brand_id"])]
        number = int(given["advertiser_id"])
        brand.bound = [each for each in brand.bound if each != number]
        return {"bound": brand.bound}

    def app(self, given: dict[str, Any]) -> dict[str, Any]:
        """Change the application: {"callback_url"} or {"permissions": [...]}."""
        app = self.world.state.app
        if "callback_url" in given:
            app.callback_url = given["callback_url"]
        if "permissions" in given:
            app.permissions = [str(each) for each in given["permissions"]]
        return {"callback_url": app.callback_url, "permissions": app.permissions}

    def authorize(self, given: dict[str, Any]) -> dict[str, Any]:
        """A code without the consent page: {"accounts": [...], "uid"}, both optional."""
        logins = self.world.state.logins
        login = logins[int(given["uid"])] if "uid" in given else next(iter(logins.values()))
        accounts = [int(each) for each in given.get("accounts", login.accounts)]
        return {"auth_code": issue_code(self.world, login.uid, accounts, material=False)}

    def revoke(self, given: dict[str, Any]) -> dict[str, Any]:
        """Take back the authorisation of {"uid"}, or all."""
        for uid in [int(given["uid"])] if "uid" in given else list(self.world.state.grants):
            revoke(self.world, uid)
        return {"grants": len(self.world.state.grants)}

    def account(self, given: dict[str, Any]) -> dict[str, Any]:
        """Change an account: {"id", "valid" | "name" | "company"}."""
        account = self.world.state.accounts[int(given["id"])]
        if "valid" in given:
            account.valid = bool(given["valid"])
        account.name = str(given.get("name", account.name))
        account.company = str(given.get("company", account.company))
        changed: dict[str, Any] = to_builtins(account)
        return changed

    def reset(self, _given: dict[str, Any]) -> dict[str, Any]:
        """The seeded world again, without faults and log."""
        reset_world(self.world)
        self.plan.clear()
        self.journal.clear()
        return {}

    def requests(self) -> list[dict[str, Any]]:
        """The log, oldest first."""
        return self.journal.dump()

    def state(self) -> dict[str, Any]:
        """What the platform has, without tokens."""
        state, now = self.world.state, self.world.clock.now()
        return {
            "now": now,
            "time": wire_time(now),
            "accounts": [to_builtins(each) for each in state.accounts.values()],
            "brands": [to_builtins(each) for each in state.brands.values()],
            "files": [
                {key: value for key, value in vars(each).items() if key != "content"}
                for each in state.files.values()
            ],
            "data_sources": [self._source(each) for each in state.data_sources.values()],
            "audiences": [self._audience(each, now) for each in state.audiences.values()],
            "copies": [
                {**to_builtins(each), "arrived": each.ready <= now} for each in state.copies
            ],
            "publishes": [
                {"custom_audience_id": each.id, **to_builtins(publish)}
                for each in state.audiences.values()
                for publish in each.publishes
            ],
            "pushes": [
                {"custom_audience_id": each.id, **to_builtins(push)}
                for each in state.audiences.values()
                for push in each.pushes
            ],
            "qianchuan_audiences": [
                {**to_builtins(each), "status": status_of(each, now)}
                for each in state.qc_audiences.values()
            ],
            "grants": len(state.grants),
            "calls": state.calls,
            "quotas": self._quotas(now),
        }

    def _source(self, source: DataSource) -> dict[str, Any]:
        return {**to_builtins(source), "state": source.logs[-1].state.value}

    def _audience(self, audience: Audience, now: float) -> dict[str, Any]:
        options, owner = self.world.options, audience.advertiser_id
        viewers = [owner, *(push.target for push in audience.pushes if push.target != owner)]
        return {
            **to_builtins(audience),
            "sizes": {
                str(kind): self.world.ids.size({kind: name})
                for kind, name in audience.content.items()
            },
            "status": status(audience, owner, options, now),
            "push_status": push_status(audience, owner),
            "delivery": {
                str(each): delivery_status(audience, each, options, now) for each in viewers
            },
        }

    def _quotas(self, now: float) -> dict[str, dict[str, int]]:
        today = beijing_day(now)
        creates: dict[str, int] = {}
        updates: dict[str, int] = {}
        for source in self.world.state.data_sources.values():
            if beijing_day(source.created) == today:
                owner = str(source.advertiser_id)
                creates[owner] = creates.get(owner, 0) + 1
            updates[source.id] = sum(beijing_day(log.created) == today for log in source.logs[1:])
        return {"creates_today": creates, "updates_today": updates}
