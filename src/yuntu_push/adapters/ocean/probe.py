"""A look at an API host without any login: network, proxy, TLS, clock."""

import os
from datetime import datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from yuntu_push.adapters.ocean import envelope
from yuntu_push.adapters.ocean.connecting import is_loopback
from yuntu_push.adapters.ocean.needs import Clock
from yuntu_push.adapters.ocean.transport import Call, Transport
from yuntu_push.domain.errors import OutcomeUnknownError, YuntuPushError
from yuntu_push.domain.platform import NetworkFacts
from yuntu_push.domain.settings import ApiSettings

# A read that needs a token and gets none: the platform answers with its envelope and does nothing.
HARMLESS = Call("GET", "/open_api/2/user/info/", sign="none")


class OceanProbe:
    """Looks at API hosts."""

    def __init__(self, api: ApiSettings, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def look(self, api_url: str) -> NetworkFacts:
        """How the host is reached; `UnreachableError` when it is not."""
        transport = Transport(api_url, self._api, self._clock)
        started = self._clock.monotonic()
        try:
            reply = transport.send(HARMLESS)
        except OutcomeUnknownError:
            # What is unknown is whether the platform acted, and here there is nothing to act on.
            genuine = False
        else:
            genuine = _is_envelope(reply, self._clock.now())
        finally:
            transport.close()
        return NetworkFacts(
            host=urlsplit(api_url).netloc,
            proxy=_proxy_of(api_url),
            ca_bundle=os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"),
            server_time=transport.announced_time(),
            genuine=genuine,
            seconds=self._clock.monotonic() - started,
        )


def _is_envelope(reply: envelope.Reply, now: datetime) -> bool:
    try:
        envelope.opened(reply, channel="", now=now)
    except YuntuPushError as exc:
        return exc.platform_code is not None
    return True


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a URL, without any password."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = urlsplit(proxies.get(parts.scheme) or proxies.get("all") or "")
    if not proxy.hostname:
        return None
    return f"{proxy.scheme}://{proxy.hostname}" + (f":{proxy.port}" if proxy.port else "")
