"""What the canaries go through: every command, well used and badly, in the order of a home's life.

Each chapter runs its commands through a `Search`; the chapters stand on each other.
"""

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.canaries import (
    APPS_OWN,
    CANARIES,
    DATABASE,
    DEVICES,
    IN_CONFIG,
    IN_URL,
    WORKBOOK,
    Search,
)
from support.workbooks import sealed, xlsx
from support.world import World, write_csv

WAIT = ("--wait", "--poll", "0.1", "--timeout", "60")
PHONE = ("--id", "phone=手机号")
CONFIG = """
sql: {{allow_paths: ["{inputs}"]}}
sources:
  spoken:
    url: mysql://me:{password}@127.0.0.1:1/db
pushes:
  daily:
    name: 日更
    account: "{account}"
    brands: ["{brand}"]
    mode: mirror
    segment: {{name: daily, ids: {{phone: 手机号}}, csv: ["{inputs}/daily.csv"]}}
"""


def a_day_later(w: World) -> None:
    w.sandbox.advance(days=1, minutes=1)


def begin(w: World, run: Search, inputs: Path) -> None:
    """A channel that is logged in, another with a Secret of its own, databases with passwords."""
    run("init")
    add = (
        "--kind", "yuntu", "--app-id", str(w.sandbox.app_id), "--auth-url", w.sandbox.auth_url,
        "--api-url", w.sandbox.url, "--secret-stdin",
    )  # fmt: skip
    run("channel", "add", "other", *add, stdin=APPS_OWN)
    run("auth", "login", "other", "--paste", stdin=w.sandbox.auth_code(), code=4)
    run("channel", "set-secret", "other", "--secret-stdin", stdin=f"{APPS_OWN}\n")
    run.each_way("auth", "status", code=4)
    run("channel", "remove", "other", "-y")
    run("channel", "add", "acme", *add, stdin=str(w.sandbox.secret))
    run("auth", "login", "acme", "--paste", stdin=CANARIES[0], code=None)
    run("auth", "login", "acme", "--paste", stdin=w.sandbox.auth_code())
    run("accounts", "refresh", "acme")
    run.json("accounts", "refresh", "acme")
    run("doctor", "acme")
    run.json("doctor")
    account, brand = places(w)
    with (run.home / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(CONFIG.format(inputs=inputs, password=IN_CONFIG, account=account, brand=brand))
    people_database(inputs / "crm.db")
    run("source", "add", "crm", "--url", f"sqlite:///{inputs / 'crm.db'}")
    run("source", "add", "gone", "--url", f"postgresql://me:{IN_URL}@127.0.0.1:1/db")
    for source in ("gone", "spoken"):
        run.each_way("source", "test", source, code=75)
    run("source", "login", "gone", "--password-stdin", stdin=DATABASE)
    run.each_way("source", "test", "gone", code=75)


def places(w: World) -> tuple[str, str]:
    """The first bound account and its brand."""
    account, brand = w.bound_account()
    return account["advertiser_id"], brand["brand_id"]


def people_database(path: Path) -> None:
    import sqlite3

    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table people (mobile text)")
        made.executemany("insert into people values (?)", [(phone,) for phone in CANARIES])


def files_that_are_wrong(run: Search, inputs: Path) -> None:
    """Bad cells, no header, wrong columns, wrong types, broken bytes: no message quotes them."""

    def refused(*words: str | Path, code: int = 3, times: int = 1, **options: Any) -> None:
        for _ in range(times):
            run("segment", "build", "s", *words, code=code, **options)

    good = write_csv(inputs / "good.csv", "手机号", CANARIES)
    refused(good, "--id", "phone=手机")
    refused(good, "--id", "nonsense=手机号", code=2)
    refused(good, "--id", "IMEI=手机号", times=2)
    refused(good, "--id", "UID=手机号", times=2)
    bad = write_csv(inputs / "bad.csv", "手机号", [f"{phone}x" for phone in CANARIES])
    run.each_way("segment", "build", "s", bad, *PHONE, code=3)
    refused(bad, *PHONE, "--max-rejects", "100%")
    headless = inputs / "headless.csv"
    headless.write_text("\n".join(f"{phone},x" for phone in CANARIES))
    run.each_way("segment", "build", "s", headless, *PHONE, code=3)
    ragged = inputs / "ragged.csv"
    lines = [f"{phone},1,{phone}" for phone in CANARIES]
    ragged.write_text("\n".join(["手机号,n", *lines, f'"{CANARIES[0]}']))
    refused(ragged, *PHONE, times=3)
    refused(ragged, *PHONE, "--max-rejects", "99%")
    broken = inputs / "broken.csv"
    broken.write_bytes(f"手机号\n{CANARIES[0]}".encode() + b",\xff\xfe\x81\x00\x01\x9f\xff\n")
    refused(broken, *PHONE, times=2)
    refused(broken, *PHONE, "--encoding", "utf-8")
    hashed = [hashlib.md5(phone.encode()).hexdigest() for phone in CANARIES]
    md5 = write_csv(inputs / "md5.csv", "手机号", hashed)
    refused(md5, *PHONE, times=2)
    refused(md5, *PHONE, "--max-rejects", "100%")
    devices = inputs / "devices.csv"
    devices.write_text("\n".join(",".join(row) for row in (DEVICES, DEVICES.values())))
    for kind in DEVICES:
        refused(devices, "--id", f"phone={kind}")


def files_that_are_right(run: Search, inputs: Path) -> None:
    """Every kind of file and id."""

    def built(name: str, *words: str | Path, **options: Any) -> None:
        run("segment", "build", name, *words, **options)

    good = inputs / "good.csv"
    built("vip", good, *PHONE)
    built("piped", "-", *PHONE, stdin=good.read_text("utf-8"))
    built("headless", inputs / "headless.csv", "--no-header", "--id", "phone=c1")
    half = [*CANARIES[:20], *(f"{phone}x" for phone in CANARIES[20:])]
    write_csv(inputs / "half.csv", "手机号", half)
    built("half", inputs / "half.csv", *PHONE, "--max-rejects", "99%")
    run.each_way(
        "segment", "build", "half", inputs / "half.csv", *PHONE, "--max-rejects", "99%", "--dry-run"
    )
    (inputs / "gbk.csv").write_bytes("\n".join(["手机号", *CANARIES]).encode("gbk"))
    built("gbk", inputs / "gbk.csv", *PHONE, "--encoding", "gbk")
    digests = [hashlib.sha256(phone.encode()).hexdigest() for phone in CANARIES]
    built("hashed", write_csv(inputs / "hashed.csv", "手机号", digests), *PHONE)
    for kind in DEVICES:
        built(f"d_{kind}", inputs / "devices.csv", "--id", f"{kind}={kind}")
        if kind != "UID":
            built(f"m_{kind}", inputs / "devices.csv", "--id", f"{kind}_MD5={kind}")
    book = xlsx(inputs / "book.xlsx", {"名单": [["手机号"], *([int(p)] for p in CANARIES)]})
    built("book", "--excel", book, *PHONE)
    locked = inputs / "locked.xlsx"
    locked.write_bytes(book.read_bytes())
    sealed(locked, WORKBOOK)
    built("book", "--excel", locked, "--password-stdin", *PHONE, stdin=f"{WORKBOOK}\n")
    for typed in (APPS_OWN, ""):
        built("s", "--excel", locked, "--password-stdin", *PHONE, stdin=typed, code=None)
    import duckdb

    duckdb.sql(f"copy (from '{good}') to '{inputs / 'good.parquet'}'")
    built("parquet", "--parquet", inputs / "good.parquet", *PHONE)


def queries(run: Search, inputs: Path) -> None:
    """SQL over files and on a database; what it says of a value is not said again."""
    table = f"from '{inputs / 'good.csv'}'"
    one = f"select 手机号 {table} where 手机号 = "
    right = ("--sql", f"{one}'{CANARIES[5]}'"), ("--sql", f"{one}:p", "--param", f"p={CANARIES[6]}")
    for words in right:
        run("segment", "build", "one", *words, *PHONE)
    wrong = (
        f"select cast(手机号 as integer) as 手机号 {table}",
        f"select cast(手机号 as date) as 手机号 {table}",
        f"select error(手机号) as 手机号 {table}",
        f'select "{CANARIES[5]}" {table}',
        f"{one}'{CANARIES[5]}",
        f"select 手机号 {table} whre 手机号 = '{CANARIES[5]}'",
    )
    for sql in wrong:
        for _ in range(2):
            run("segment", "build", "s", "--sql", sql, *PHONE, code=3)
    run("segment", "build", "s", "--sql", f"{one}:p", "--param", "q=1", *PHONE, code=2)
    on_database(run, "crm")


def on_database(run: Search, source: str, table: str = "people") -> None:
    """Queries on a table of people, of which all but the first fail."""
    queries = (
        f"select mobile from {table}",
        f"select mobil from {table}",
        "select mobile from peple",
        f"select mobile from {table} where mobile = '{CANARIES[5]}",
        f"select mobile, {CANARIES[5]}x from {table}",
        f"select cast(mobile as smallint) as mobile from {table}",
        f"select cast(concat(mobile, 'x') as date) as mobile from {table}",
        f"select json(mobile || '{{') as mobile from {table}",
    )
    for place, sql in enumerate(queries):
        words = ("segment", "build", "db", "--source", source, "--sql", sql)
        done = run(*words, "--id", "phone=mobile", code=None)
        assert done.code in ((0,) if place == 0 else (0, 3)), (sql, done.stdout, done.stderr)


def sets(run: Search, inputs: Path) -> None:
    """Segments made of others, and a second version."""
    good = inputs / "good.csv"
    run("segment", "combine", "both", "--union", "half", "vip")
    run("segment", "combine", "both", "--intersect", "half", "vip")
    run("segment", "combine", "both", "--minus", "vip", "half")
    run("segment", "combine", "none", "--minus", "half", "vip", code=3)
    run("segment", "build", "less", good, *PHONE, "--exclude", "half")
    run("segment", "build", "less", good, *PHONE, "--exclude-csv", inputs / "half.csv")
    run("segment", "build", "s", good, *PHONE, "--exclude-csv", inputs / "headless.csv", code=3)
    run("segment", "build", "s", good, *PHONE, "--min-ids", "1000", code=6)
    bad = [*CANARIES[:15], *(f"{phone}x" for phone in CANARIES[20:])]
    write_csv(inputs / "half.csv", "手机号", bad)
    run("segment", "build", "half", inputs / "half.csv", *PHONE, "--max-rejects", "99%")
    run("segment", "remove", "gbk")


def pushes(w: World, run: Search, inputs: Path, account: str, brand: str) -> str:
    """A push from its dry run to its end, updates in every mode, an entry, audiences."""
    create = ("push", "create", "--name", "会员", "--account", account, "--brand", brand)
    run.each_way(*create, "--segment", "half", "--dry-run")
    push: str = run.json(*create, "--segment", "half", *WAIT).data["push_id"]
    run.each_way(*create, "--segment", "half", code=6)
    run.each_way("push", "status", push)
    run.each_way("push", "show", push, "--offline")
    run("push", "resume", push)
    run("push", "copy", push, "--brand", brand, code=6)
    run("push", "copy", push, "--brand", brand, "--again")
    run("push", "confirm", push, "--brand", brand)
    update = ("push", "update", push, "--allow", "max_removed", "--segment")
    for mode, segment in (
        ("reset", "vip"), ("append", "one"), ("remove", "less"), ("reset", "vip"),
        ("mirror", "half"), ("mirror", "vip"),
    ):  # fmt: skip
        a_day_later(w)
        run(*update, segment, "--mode", mode, *WAIT)
    waiting = run.json(*update, "one", *WAIT, code=75).data["push_id"]
    run("push", "cancel", waiting, "-y")
    for place in range(4):
        write_csv(inputs / "daily.csv", "手机号", CANARIES[place:])
        a_day_later(w)
        run("push", "run", "daily", *WAIT)
    assert list((run.home / "segments" / "daily").glob("v1/*.sealed"))
    run("segment", "diff", "daily", "1", "4")
    write_csv(inputs / "daily.csv", "手机号", CANARIES[30:])
    a_day_later(w)
    run("push", "run", "daily", code=6)  # a mass removal
    run("push", "run", "dayly", code=2)
    audience = run.json("push", "status", push).data["custom_audience_id"]
    run.each_way("audience", "list", "--account", account)
    run.each_way("audience", "show", audience)
    run("audience", "delete", audience, code=2)
    return push


def answers_that_quote(w: World, run: Search, account: str, brand: str) -> None:
    """The platform refuses with an id, its digest and a token in its message."""
    digest = hashlib.sha256(CANARIES[7].encode()).hexdigest()
    quoted = f"手机号{CANARIES[7]}无效, {digest}, access_token={w.sandbox.tokens()[-1]}"
    for route, code in {
        "file/upload": 40001, "data_source/create": 40110, "data_source/read": 50000,
        "custom_audience/publish": 40001, "custom_audience/push_v2": 40002,
        "custom_audience/copy": 40001,
    }.items():  # fmt: skip
        w.sandbox.fault(route, "refuse", code=code, message=quoted)
        create = ("push", "create", "--name", route.split("/")[-1], "--segment", "one", "--again")
        where = ("--account", account, "--brand", brand)
        made = run.json(*create, *where, "--wait", "--poll", "0.1", "--timeout", "1", code=None)
        assert made.code in (4, 5, 7, 8, 75), (route, made.stdout)
        run("push", "status", made.data["push_id"])
        w.sandbox.clear_faults()
        run("push", "cancel", made.data["push_id"], "-y", code=None)
    for route, words in {
        "brand/get": ("accounts", "refresh", "acme"),
        "oauth2/refresh_token": ("auth", "refresh", "acme"),
        "custom_audience/select": ("audience", "list", "--account", account),
    }.items():
        w.sandbox.fault(route, "refuse", code=40001, message=quoted)
        run(*words, code=None)
        w.sandbox.clear_faults()


def answers_that_fail(w: World, run: Search, account: str, brand: str) -> None:
    """Nonsense, outages and lost replies, once each for a read and an upload."""
    for fault in (
        {"effect": "html"}, {"effect": "half_json"}, {"effect": "empty"}, {"effect": "drop_before"},
        {"effect": "drop_after"}, {"effect": "http", "status": 500},
        {"effect": "http", "status": 429, "retry_after": "1"},
    ):  # fmt: skip
        for route in ("data_source/read", "file/upload", "data_source/create"):
            w.sandbox.fault(route, nth=1, **fault)
        words = ("push", "create", "--name", "故障", "--segment", "one", "--again")
        run(*words, "--account", account, "--brand", brand, code=None)
        w.sandbox.clear_faults()
        run("push", "resume", "--all", code=None)


def bugs(run: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unexpected errors whose text and locals quote all of it, and the reports about them."""
    quoted = f"{CANARIES[3]} {hashlib.sha256(CANARIES[3].encode()).hexdigest()} {DATABASE}"

    def broken(*_args: object, **_options: object) -> None:
        try:
            {}[quoted]  # type: ignore[index]
        except KeyError as exc:
            raise ValueError(f"cannot use {exc}") from exc

    for place, words in {
        "services.channels.Channels.list": ("channel", "list"),
        "services.segments.SegmentService.build": ("segment", "build", "s", "x.csv", *PHONE),
        "services.push.runner.PushRunner.run_due": ("push", "resume", "--all"),
    }.items():
        with monkeypatch.context() as patch:
            patch.setattr(f"yuntu_push.{place}", broken)
            run.each_way(*words, code=1)
    assert list((run.home / "logs").iterdir())


class MemoryKeyring:
    """A system's keyring that is not on this disk."""

    kept: dict[tuple[str, str], str]

    def __init__(self) -> None:
        self.kept = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def elsewhere(
    w: World, run: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, push: str
) -> None:
    """Secrets move to the keyring and back, the setup and a push to other homes."""
    vault = MemoryKeyring()
    monkeypatch.setattr("keyring.get_keyring", lambda: vault)
    allowed = frozenset({f"{MemoryKeyring.__module__}.{MemoryKeyring.__qualname__}"})
    monkeypatch.setattr("yuntu_push.adapters.secrets.keyring_store.ALLOWED", allowed)
    chosen: dict[str, Any] = {"env": {"YUNTU_PUSH_SECRETS": ""}}
    run("auth", "move", "acme", "--to", "keyring", **chosen)
    assert len(vault.kept) >= 3
    run.each_way("auth", "status", **chosen)
    run("auth", "refresh", "acme", **chosen)
    run("auth", "move", "acme", "--to", "file", **chosen)
    assert vault.kept == {}

    run("state", "export", "setup.json")
    run.each_way("state", "export", "setup.json", "-y")
    moved, fresh = tmp_path / "moved", tmp_path / "fresh"
    run("state", "import", "setup.json", home=moved)
    run.each_way("state", "import", "setup.json", home=moved, code=6)
    run("state", "import", "setup.json", "-y", home=moved)
    source = run.json("push", "status", push).data["data_source_id"]
    here = World(fresh, w.sandbox)
    fresh.mkdir()
    run.note(("channel", "add"), here.add_channel())
    run("auth", "login", "acme", "--paste", stdin=w.sandbox.auth_code(), home=fresh)
    account, _ = places(w)
    run(
        "push", "adopt", "--name", "接管", "--data-source-id", source, "--account", account,
        home=fresh,
    )  # fmt: skip
    run("auth", "login", "acme", "--paste", stdin=w.sandbox.auth_code())
    run("auth", "refresh", "acme")


def end(w: World, run: Search) -> None:
    """What is there is removed, or expires."""
    audience = run.json("push", "list").data["pushes"][-1]["custom_audience_id"]
    run("audience", "delete", audience, "-y")
    for source in ("gone", "crm", "spoken"):
        run("source", "remove", source)
    w.sandbox.advance(days=31)
    run.each_way("auth", "refresh", "acme", code=4)
    run.each_way("auth", "logout", "acme")
    run("channel", "remove", "acme", "-y")
    run.each_way("accounts", "refresh", "acme", code=2)
