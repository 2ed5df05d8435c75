"""`/_sandbox/*`: reading the world back and steering it; for tests, and for people who rehearse."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
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
from yuntu_push.sandbox.orders import (
    AccountChange,
    AppChange,
    Authorisation,
    Binding,
    Nothing,
    Revocation,
    Step,
)
from yuntu_push.sandbox.records import Account, Audience, Brand, DataSource, Kind
from yuntu_push.sandbox.settle import settle
from yuntu_push.sandbox.statefile import reset_world, save_world
from yuntu_push.sandbox.world import World

Handler = Callable[[Request], Awaitable[Response]]
Given = TypeVar("Given")


class Control:
    """The sandbox's own interface; it answers plain JSON, with HTTP 400 for what makes no sense."""

    def __init__(self, world: World, journal: Journal, plan: FaultPlan) -> None:
        self.world = world
        self.journal = journal
        self.plan = plan

    def routes(self) -> list[Route]:
        """The routes under `/_sandbox`."""
        reads = {"state": self.state, "requests": self.requests, "faults": self.faults}
        writes = {
            "clock": self._post(Step, self.clock),
            "faults": self._post(dict[str, Any], self.add_faults),
            "faults/clear": self._post(Nothing, self.clear_faults),
            "requests/clear": self._post(Nothing, self.clear_requests),
            "bind": self._post(Binding, self.bind),
            "unbind": self._post(Binding, self.unbind),
            "app": self._post(AppChange, self.app),
            "authorize": self._post(Authorisation, self.authorize),
            "revoke": self._post(Revocation, self.revoke),
            "account": self._post(AccountChange, self.account),
            "reset": self._post(Nothing, self.reset),
        }
        return [
            *(Route(f"/_sandbox/{name}", self._get(read)) for name, read in reads.items()),
            *(
                Route(f"/_sandbox/{name}", write, methods=["POST"])
                for name, write in writes.items()
            ),
        ]

    def _get(self, read: Callable[[], Any]) -> Handler:
        async def handle(_: Request) -> Response:
            settle(self.world)
            return JSONResponse(read())

        return handle

    def _post(self, kind: type[Given], write: Callable[[Given], Any]) -> Handler:
        async def handle(request: Request) -> Response:
            # A page of another origin cannot send this type without asking first.
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return JSONResponse({"error": "Content-Type must be application/json"}, 400)
            try:
                given = msgspec.json.decode(await request.body(), type=kind, strict=False)
                settle(self.world)
                answer = write(given)
            except (ValueError, RecursionError) as error:
                return JSONResponse({"error": str(error)}, 400)
            settle(self.world)
            save_world(self.world)
            return JSONResponse(answer)

        return handle

    def clock(self, given: Step) -> dict[str, Any]:
        """Step the clock: {"advance": seconds} or {"set": ISO time}."""
        match given.advance, given.set:
            case float(seconds), None:
                self.world.clock.advance(seconds)
            case None, moment if moment is not None:
                self.world.clock.set(moment.timestamp())
            case _:
                raise ValueError("one of advance and set is needed")
        return {"now": self.world.clock.now(), "time": wire_time(self.world.clock.now())}

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force and how often each struck."""
        return self.plan.dump()

    def add_faults(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add one fault, or {"faults": [...]}."""
        self.plan.add(given.get("faults", [given]))
        return {"faults": len(self.plan.dump())}

    def clear_faults(self, _given: Nothing) -> dict[str, Any]:
        """Nothing goes wrong any more; a list lag that a fault set ends too."""
        self.plan.clear()
        self.world.list_lag = 0.0
        return {"faults": 0}

    def clear_requests(self, _given: Nothing) -> dict[str, Any]:
        """Forget the log."""
        self.journal.clear()
        return {}

    def _brand(self, number: int) -> Brand:
        if number not in self.world.state.brands:
            raise ValueError(f"there is no brand {number}")
        return self.world.state.brands[number]

    def _account_of(self, number: int) -> Account:
        if number not in self.world.state.accounts:
            raise ValueError(f"there is no account {number}")
        return self.world.state.accounts[number]

    def bind(self, given: Binding) -> dict[str, Any]:
        """Bind a brand to an advertiser."""
        brand, account = self._brand(given.brand_id), self._account_of(given.advertiser_id)
        if account.kind is not Kind.ADVERTISER:
            raise ValueError(f"account {account.id} is no advertiser")
        if account.id not in brand.bound:
            brand.bound.append(account.id)
        return {"bound": brand.bound}

    def unbind(self, given: Binding) -> dict[str, Any]:
        """Undo a binding."""
        brand = self._brand(given.brand_id)
        brand.bound = [each for each in brand.bound if each != given.advertiser_id]
        return {"bound": brand.bound}

    def app(self, given: AppChange) -> dict[str, Any]:
        """Change the application: {"callback_url"} or {"permissions": [...]}."""
        app = self.world.state.app
        if given.callback_url != "":
            app.callback_url = given.callback_url
        if given.permissions is not None:
            app.permissions = given.permissions
        return {"callback_url": app.callback_url, "permissions": app.permissions}

    def authorize(self, given: Authorisation) -> dict[str, Any]:
        """A code without the consent page."""
        logins = self.world.state.logins
        uid = next(iter(logins)) if given.uid is None else given.uid
        if uid not in logins:
            raise ValueError(f"there is no login {uid}")
        accounts = logins[uid].accounts if given.accounts is None else given.accounts
        for number in accounts:
            self._account_of(number)
        return {"auth_code": issue_code(self.world, uid, list(accounts), material=False)}

    def revoke(self, given: Revocation) -> dict[str, Any]:
        """Take back one authorisation, or all."""
        for uid in list(self.world.state.grants) if given.uid is None else [given.uid]:
            revoke(self.world, uid)
        return {"grants": len(self.world.state.grants)}

    def account(self, given: AccountChange) -> dict[str, Any]:
        """Change an account: {"id", "valid" | "name" | "company"}."""
        account = self._account_of(given.id)
        account.valid = account.valid if given.valid is None else given.valid
        account.name = account.name if given.name is None else given.name
        account.company = account.company if given.company is None else given.company
        changed: dict[str, Any] = to_builtins(account)
        return changed

    def reset(self, _given: Nothing) -> dict[str, Any]:
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
