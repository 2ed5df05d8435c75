"""Drivers' errors as ours. Their texts may quote rows, so only what names no value passes."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError, YuntuPushError
from yuntu_push.domain.text import msg

_DIGITS = re.compile(r"[0-9A-Fa-f]{7,}|[0-9]{5,}")
_TLS = re.compile(r"does not support SSL|SSL error|certificate")
_LOGIN = frozenset({"28P01", "28000", "1045", "1698"})
_NO_DATABASE = frozenset({"3D000", "1049"})
_TIMEOUT = frozenset({"57014", "1969", "3024"})
_GONE = frozenset(
    {"57P01", "57P02", "57P03", "08000", "08001", "08003", "08006", "2002", "2003", "2006", "2013",
     "2055", "1927", "1053", "1040", "53300"}
)  # fmt: skip
_AT_CONNECT = {"password authentication": "28P01", "does not exist": "3D000", "pg_hba": "28000"}
_MYSQL_TEXT = frozenset({"1064", "1146", "1054", "1052", "1060", "1142", "1143", "1248"})


@contextmanager
def translated(source: str) -> Iterator[None]:
    """Turn whatever a driver raises about `source` into an error of ours, without its details."""
    try:
        yield
    except (YuntuPushError, GeneratorExit):
        raise
    except Exception as exc:
        if not _of_a_driver(exc):
            raise
        raise error_of(exc, source) from None


def _of_a_driver(exc: BaseException) -> bool:
    module = type(exc).__module__.partition(".")[0]
    return module in {"psycopg", "pymysql", "sqlite3", "duckdb", "_duckdb", "ssl"} or isinstance(
        exc, ConnectionError | TimeoutError | EOFError
    )


def error_of(exc: Exception, source: str) -> YuntuPushError:
    """Our error for a driver's."""
    code = _code(exc)
    if _about_tls(exc, code):
        return ConfigError(
            "SOURCE_TLS_REFUSED",
            msg("{source} gives no encrypted connection that can be trusted", source=repr(source)),
            hint=msg(
                "name its CA in the URL (ssl_ca=FILE, PostgreSQL: sslrootcert=FILE), or, in a "
                "network that you trust, turn TLS off there (tls=off, sslmode=disable)"
            ),
        )
    if code in _LOGIN:
        return ConfigError(
            "SOURCE_LOGIN_REFUSED",
            msg("{source} refuses the user or the password", source=repr(source)),
            hint=msg("store the right one: `yuntu-push source login {source}`", source=source),
        )
    if code in _NO_DATABASE:
        return ConfigError(
            "SOURCE_DATABASE_MISSING",
            msg("{source} names a database that is not there", source=repr(source)),
            hint=msg("correct its url in the config"),
        )
    if code in _TIMEOUT:
        return SourceError(
            "SOURCE_TIMEOUT",
            msg("the query on {source} ran into the server's time limit", source=repr(source)),
            hint=msg("make the query cheaper, or prepare its result in a table"),
        )
    lost = not code and type(exc).__name__ in _LOST and not _about_query(exc)
    if code in _GONE or lost:
        return TryLaterError(
            "SOURCE_CONNECTION_LOST",
            msg("the connection to {source} failed or was lost", source=repr(source)),
            hint=msg("check host, port and network, then run it again; nothing was kept"),
        )
    return SourceError(
        "SOURCE_SQL_FAILED",
        msg("{source} refuses the query ({code}): {reason}", source=repr(source), code=code or "?",
            reason=_reason(exc, code)),
        hint=msg("try the query in a client of that database"),
    )  # fmt: skip


_SQLITE_ERROR = 1
_LOST = frozenset(
    {"OperationalError", "ConnectionTimeout", "InterfaceError", "ConnectionError", "TimeoutError",
     "ConnectionRefusedError", "ConnectionResetError", "EOFError", "SSLError", "gaierror",
     "AdminShutdown", "SSLCertVerificationError"}
)  # fmt: skip


def _about_tls(exc: Exception, code: str) -> bool:
    """Whether encryption failed: the server has none, or a certificate that nobody vouches for."""
    inner = getattr(exc, "original_exception", exc)
    said = str(exc)
    return (
        code == "2026"
        or isinstance(inner, ssl.SSLError)
        or (type(exc).__module__.startswith("psycopg") and _TLS.search(said) is not None)
    )


def _code(exc: Exception) -> str:
    driver = type(exc).__module__.partition(".")[0]
    if driver == "pymysql":  # its own numbers say more than the five letters of the standard
        number = exc.args[0] if exc.args else 0
        return str(number) if isinstance(number, int) and number > 0 else ""
    state = getattr(exc, "sqlstate", None)
    if state or driver != "psycopg":
        return str(state or "")
    text = str(exc)  # refusals at connect carry no code
    return next((code for sign, code in _AT_CONNECT.items() if sign in text), "")


def _reason(exc: Exception, code: str) -> str:
    """What the server says about the text of the query; of anything else, only the kind."""
    if not (code.startswith("42") or code in _MYSQL_TEXT or _about_text(exc)):
        return type(exc).__name__
    text = str(exc.args[-1]) if exc.args else ""
    return _DIGITS.sub("***", text.splitlines()[0] if text else type(exc).__name__)[:200]


def _about_query(exc: Exception) -> bool:
    """Whether SQLite, which calls everything an operational error, refuses the query itself."""
    return getattr(exc, "sqlite_errorcode", None) == _SQLITE_ERROR or _about_text(exc)


def _about_text(exc: Exception) -> bool:
    """Whether SQLite, which has no codes for it, speaks of the query's text."""
    said = str(exc).startswith(("no such", "near ", "ambiguous column", "incomplete input"))
    return type(exc).__module__.partition(".")[0] == "sqlite3" and said
