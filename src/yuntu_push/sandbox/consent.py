"""The authorisation page: a person ticks accounts and agrees, or refuses."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from yuntu_push.sandbox.grants import issue_code
from yuntu_push.sandbox.pages import Pages
from yuntu_push.sandbox.records import Login
from yuntu_push.sandbox.statefile import save_world
from yuntu_push.sandbox.world import World

PATHS = (
    "/audit/oauth.html",
    "/openapi/audit/oauth.html",
    "/openapi/qc/audit/oauth.html",
)
DEFAULT_CALLBACK = "http://127.0.0.1:8787/oauth/callback"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Consent:
    """Serves the page under the paths that the platform has it on."""

    def __init__(self, world: World, pages: Pages) -> None:
        self.world = world
        self.pages = pages

    def routes(self) -> list[Route]:
        """The page's routes."""
        return [Route(path, self.page, methods=["GET", "POST"]) for path in PATHS]

    async def page(self, request: Request) -> Response:
        """Show the page, or take what was decided on it and go to the callback."""
        asked = request.query_params
        problem = self._problem(request)
        if problem:
            return self.pages.show(request, "consent_error.html", 400, problem=problem)
        login = self._login(asked.get("uid", ""))
        if request.method == "GET" and not self.world.options.auto_consent:
            accounts = [self.world.state.accounts[number] for number in login.accounts]
            return self.pages.show(
                request,
                "consent.html",
                app=self.world.state.app,
                login=login,
                logins=list(self.world.state.logins.values()),
                accounts=accounts,
                regrant=login.uid in self.world.state.grants,
                callback=self._callback(request),
            )
        ticked, refused = list(login.accounts), False
        if request.method == "POST":
            form = await request.form()
            refused = form.get("decision") != "authorise"
            chosen = {value for value in form.getlist("account") if isinstance(value, str)}
            ticked = [number for number in login.accounts if str(number) in chosen]
        if not ticked and not refused:
            return self.pages.show(request, "consent_error.html", 400, problem="nothing_ticked")
        return self._back(request, login, [] if refused else ticked)

    def _problem(self, request: Request) -> str:
        asked = request.query_params
        if asked.get("app_id") != str(self.world.state.app.app_id):
            return "unknown_app"
        given = asked.get("redirect_uri")
        if given is None and "rid" not in asked:
            return "no_redirect"
        registered = self.world.state.app.callback_url
        if given is not None and registered is not None and given != registered:
            return "wrong_redirect"
        host = _host_of(self._callback(request))
        # Without a registered callback only this machine gets codes.
        if not host or (registered is None and host not in _LOOPBACK):
            return "wrong_redirect"
        return ""

    def _callback(self, request: Request) -> str:
        registered = self.world.state.app.callback_url or DEFAULT_CALLBACK
        return request.query_params.get("redirect_uri") or registered

    def _login(self, uid: str) -> Login:
        logins = self.world.state.logins
        if re.fullmatch("[0-9]{1,18}", uid) and int(uid) in logins:
            return logins[int(uid)]
        return next(iter(logins.values()))

    def _back(self, request: Request, login: Login, accounts: list[int]) -> Response:
        """To the callback; what the platform sends after a refusal is undocumented, so no code."""
        asked = request.query_params
        answer = {"state": asked.get("state", "")}
        if accounts:
            material = asked.get("material_auth") == "1"
            code = issue_code(self.world, login.uid, accounts, material=material)
            save_world(self.world)
            answer = {
                "app_id": str(self.world.state.app.app_id),
                "auth_code": code,
                "material_auth_status": "1" if material else "0",
                "scope": asked.get("scope", "[]"),
                "state": answer["state"],
                "uid": str(login.uid),
            }
        parts = urlsplit(self._callback(request))
        query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *answer.items()])
        return RedirectResponse(urlunsplit(parts._replace(query=query)), 303)


def _host_of(url: str) -> str:
    """The host of an address that a browser can be sent to; empty when it is none."""
    try:
        target = urlsplit(url)
        fine = target.scheme in ("http", "https") and target.port != 0
    except ValueError:
        return ""
    return (target.hostname or "") if fine else ""
