"""URLs of databases: what they name, and what is refused in them."""

from collections.abc import Mapping
from dataclasses import dataclass

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.names import nearest
from yuntu_push.domain.text import msg

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 30 * 60
CLICKHOUSE = "clickhouse"  # speaks HTTP, see its own module
LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})

# They end a result early without an error when their connection dies.
TRUNCATING_DRIVERS = frozenset({"mariadbconnector", "mysqlconnector"})
_ALIASES = {"bytehouse": CLICKHOUSE, "postgres": "postgresql", "mariadb": "mysql"}
# What may stand behind the `?` of a URL.
_OPTIONS: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset({"sslmode", "sslrootcert"}),
    "mysql": frozenset({"tls", "ssl_ca"}),
    "doris": frozenset({"tls", "ssl_ca"}),
    "starrocks": frozenset({"tls", "ssl_ca"}),
    "bytehouse-mysql": frozenset({"tls", "ssl_ca"}),
    CLICKHOUSE: frozenset({"secure"}),
    "sqlite": frozenset(),
    "duckdb": frozenset(),
}
FAMILIES = frozenset(_OPTIONS)


@dataclass(frozen=True)
class Target:
    """Where to connect; the password is nowhere but here, for as long as the run lasts."""

    family: str
    host: str
    port: int | None
    user: str | None
    password: str | None
    database: str
    options: Mapping[str, str]

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine on the way."""
        return self.host in LOOPBACK or self.host.startswith("/")


def target_of(url: str, password: str | None) -> Target:
    """The parts of a URL such as `postgresql://analyst@db.internal/crm`, or `ConfigError`.

    `bytehouse://` is its HTTP port, `bytehouse+mysql://` the one for MySQL clients.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "SOURCE_URL_INVALID",
            msg("this is not the URL of a database"),
            hint=msg("write it like postgresql://user@host/database"),
        ) from None
    family = _family(parsed.drivername)
    stored = str(parsed.password) if parsed.password is not None else password
    options = {key: str(value) for key, value in parsed.query.items()}
    _check_options(family, options)
    return Target(
        family, parsed.host or "", parsed.port, parsed.username, stored,
        parsed.database or "", options,
    )  # fmt: skip


def _family(scheme: str) -> str:
    name, _, driver = scheme.partition("+")
    if driver in TRUNCATING_DRIVERS:
        raise ConfigError(
            "SOURCE_DRIVER_REFUSED",
            msg("the driver {driver} loses rows without an error", driver=driver),
            hint=msg("write {family}:// alone", family=name),
        )
    if name == "bytehouse" and "mysql" in driver:
        return "bytehouse-mysql"
    family = _ALIASES.get(name, name)
    if family not in FAMILIES:
        known = sorted([*FAMILIES - {"bytehouse-mysql"}, *_ALIASES])
        raise ConfigError(
            "SOURCE_DIALECT_UNKNOWN",
            msg("databases of the kind {family} are not known", family=repr(name)),
            hint=msg("known: {known}", known=", ".join(nearest(name, known) or known)),
        )
    return family


def _check_options(family: str, options: Mapping[str, str]) -> None:
    known = _OPTIONS[family]
    for name in options:
        if name in known:
            continue
        is_login = name.lower() in {"user", "username", "password", "passwd", "pwd"}
        raise ConfigError(
            "SOURCE_OPTION_UNKNOWN",
            msg("the URL's option {name} is not known", name=repr(name)),
            hint=msg("write the user before the host; `source login` stores the password")
            if is_login
            else msg("known: {known}", known=", ".join(sorted(known)) or "-"),
        )
