"""Hashing in the warehouse: raw ids never leave it, and a wrong template never makes an audience.

The expressions are our own, one row per dialect. On every connection they are first applied to
made-up values: each must give the digest that the rule of the domain gives, or refuse the value,
and the first, a plain one, must give it; anything else ends the build. What the warehouse refuses
arrives as `?` and is counted as a reject.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.identifiers import Accepted, Blank, IdType, identify
from yuntu_push.domain.settings import IdSettings
from yuntu_push.domain.text import msg

REFUSED = "?"
_PROBES = {
    IdType.MOBILE_HASH_SHA256: (
        "13912345678", "+8613912345678", "8613912345678", "139 1234 5678", "139-1234-5678",
        " 13912345678 ", "1391234567", "139123456789", "12912345678", "1.39E+10", "上海", "", "-",
        "NULL", "139****5678", "a" * 64, "A" * 64, "a" * 63, "13912345678\n",
        "１３９１２３４５６７８", "139123-45678", "0" * 64,
    ),
    IdType.IMEI_MD5: (
        "490154203237518", "49015420323751", "a" * 32, "A" * 32, "0" * 15, "", "上海",
    ),
    IdType.IDFA_MD5: (
        "6d92078a-8246-4ba4-ae5b-76104861e7dc", "6D92078A-8246-4BA4-AE5B-76104861E7DC", "a" * 32,
        "00000000-0000-0000-0000-000000000000", "x", "", "上海",
    ),
    IdType.OAID_MD5: (
        "6d92078a-8246-4ba4-ae5b-76104861e7dc", "1A2B3C4D5E6F7A8B", "A" * 32, "x", "", "上海",
        "00000000-0000-0000-0000-000000000000",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Functions:
    """How a dialect writes the few functions that the templates need; arguments are SQL."""

    sha256: Callable[[str], str]
    md5: Callable[[str], str]
    matches: Callable[[str, str], str]
    text: Callable[[str], str]
    last: Callable[[str, int], str] = lambda x, size: f"right({x}, {size})"


_MYSQL = Functions(
    sha256=lambda x: f"sha2({x}, 256)",
    md5=lambda x: f"md5({x})",
    # Here `$` also matches before a last line feed.
    matches=lambda x, pattern: f"({x} regexp '^({pattern})$' and instr({x}, char(10)) = 0)",
    text=lambda x: f"cast({x} as char)",
)
# In these, CHAR without a length may mean one character.
_DORIS = replace(_MYSQL, text=lambda x: f"cast({x} as string)")
_FUNCTIONS = {
    "postgresql": Functions(
        sha256=lambda x: f"encode(sha256(convert_to({x}, 'UTF8')), 'hex')",
        md5=lambda x: f"md5({x})",
        matches=lambda x, pattern: f"{x} ~ '^({pattern})$'",
        text=lambda x: f"cast({x} as text)",
    ),
    "mysql": _MYSQL,
    "bytehouse-mysql": _MYSQL,
    "doris": _DORIS,
    "starrocks": _DORIS,
    "clickhouse": Functions(
        sha256=lambda x: f"lower(hex(SHA256({x})))",
        md5=lambda x: f"lower(hex(MD5({x})))",
        matches=lambda x, pattern: f"match({x}, '^({pattern})$')",
        text=lambda x: f"toString({x})",
        last=lambda x, size: f"substring({x}, -{size})",
    ),
    "duckdb": Functions(
        sha256=lambda x: f"sha256({x})",
        md5=lambda x: f"md5({x})",
        matches=lambda x, pattern: f"regexp_full_match({x}, '{pattern}')",
        text=lambda x: f"cast({x} as varchar)",
    ),
}
_UUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_ZERO_UUID = "'00000000-0000-0000-0000-000000000000'"


def expression(dialect: str, id_type: IdType, column: str) -> str:
    """SQL that gives a digest, an empty text for a blank, or `?`; `column` is SQL, too."""
    functions = _FUNCTIONS.get(dialect)
    if functions is None or id_type not in _PROBES:
        raise ConfigError(
            "PUSH_DOWN_IMPOSSIBLE",
            msg("{id_type} cannot be hashed in {dialect}", id_type=id_type, dialect=dialect),
            hint=msg("build without --push-down, or hash the column in the SQL"),
        )
    text = functions.text(column)
    raw = f"trim({text})"
    blank = f"{text} is null or {raw} in ('', 'null', 'NULL', 'N/A', '-')"
    cases = _cases(functions, id_type, raw)
    return f"case when {blank} then '' {cases} else '{REFUSED}' end"


def _cases(functions: Functions, id_type: IdType, raw: str) -> str:
    matches = functions.matches
    size = 64 if id_type is IdType.MOBILE_HASH_SHA256 else 32
    digest = f"when {matches(raw, f'[0-9A-Fa-f]{{{size}}}')} then lower({raw})"
    match id_type:
        case IdType.MOBILE_HASH_SHA256:
            grouped = "1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4}|1[3-9][0-9]{9}"
            bare = f"replace(replace({raw}, ' ', ''), '-', '')"
            prefixed = "([+]86|0086|86)1[3-9][0-9]{9}"
            return (
                f"{digest} when {matches(raw, grouped)} then {functions.sha256(bare)}"
                f" when {matches(raw, prefixed)} then {functions.sha256(functions.last(raw, 11))}"
            )
        case IdType.IMEI_MD5:
            good = f"{matches(raw, '[0-9]{15}')} and {raw} <> '000000000000000'"
            return f"{digest} when {good} then {functions.md5(raw)}"
        case IdType.IDFA_MD5:
            good = f"{matches(raw, _UUID)} and {raw} <> {_ZERO_UUID}"
            return f"{digest} when {good} then {functions.md5(f'upper({raw})')}"
        case _:
            shapes = f"{_UUID}|[0-9A-Fa-f]{{16}}|[0-9A-Fa-f]{{64}}"
            good = f"{matches(raw, shapes)} and replace(replace({raw}, '-', ''), '0', '') <> ''"
            return f"{digest} when {good} then {functions.md5(raw)}"


def prove(
    dialect: str,
    id_types: Sequence[IdType],
    mark: Callable[[str], str],
    ask: Callable[[str, dict[str, object]], Any],
) -> None:
    """Apply the expressions to made-up values on this very connection, or `SourceError`.

    `ask` runs one query with bound parameters and gives its row.
    """
    for id_type in dict.fromkeys(id_types):
        values = _PROBES.get(id_type, ("",))
        names = [f"probe_{place}" for place in range(len(values))]
        asked = ", ".join(expression(dialect, id_type, mark(name)) for name in names)
        row = ask(f"select {asked}", dict(zip(names, values, strict=True)))
        for place, (value, answer) in enumerate(zip(values, row, strict=True)):
            if not _agrees(value, id_type, str(answer)) or (not place and answer == REFUSED):
                raise SourceError(
                    "SOURCE_HASH_WRONG",
                    msg(
                        "{dialect} hashes {id_type} in another way",
                        dialect=dialect,
                        id_type=id_type,
                    ),
                    hint=msg("build without --push-down"),
                )


def _agrees(value: str, id_type: IdType, answer: str) -> bool:
    """Whether the warehouse gave the right digest, or gave none."""
    match identify(value, id_type, IdSettings()):
        case Accepted(_, digest):
            return answer in {digest, REFUSED}
        case Blank():
            return answer in {"", REFUSED}
        case _:
            # Digests of nothing pass through; the engine refuses them like any others.
            return answer in {REFUSED, value.lower()}
