"""How an API host is connected to: TLS, proxies and CA bundles; and what the HTTP library logs."""

import logging
import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from yuntu_push import __version__
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.settings import ApiSettings
from yuntu_push.domain.text import msg


class _WithoutQuery(logging.Filter):
    """Takes the query, where a token may travel, out of the HTTP library's own log lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg
                for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_tls(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and is_loopback(url):
        return
    raise ConfigError(
        "API_URL_INVALID",
        msg("the API address {url} is refused: https is required", url=url),
        hint=msg(
            "set `api_url` of the channel to an https address such as {example}",
            example="https://api.oceanengine.com",
        ),
    )


def build_client(base_url: str, api: ApiSettings) -> httpx.Client:
    """A client with verified TLS, and proxies and CA bundles from the environment.

    Connections are not kept: after an idle minute of polling the peer may have closed one, and a
    write that meets that has an unknown outcome for nothing.
    """
    try:
        return httpx.Client(
            base_url=base_url,
            headers={"User-Agent": f"yuntu-push/{__version__}", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(api.timeout, connect=api.connect_timeout),
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=not is_loopback(base_url),  # a proxy cannot reach this machine's sandbox
        )
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(
            "CA_BUNDLE_UNREADABLE",
            msg("the CA bundle of SSL_CERT_FILE cannot be read: {reason}", reason=plain(exc)),
            hint=msg("point SSL_CERT_FILE to a PEM file of trusted certificates, or unset it"),
        ) from exc
    except (ValueError, ImportError, httpx.InvalidURL) as exc:
        raise ConfigError(
            "PROXY_INVALID",
            msg("the proxy of HTTPS_PROXY cannot be used"),
            hint=msg("set HTTPS_PROXY to an address such as http://proxy.example:3128"),
        ) from exc


def plain(exc: BaseException) -> str:
    """What an error of the system or of a library says, on one line."""
    return " ".join(str(exc).split())[:200] or type(exc).__name__
