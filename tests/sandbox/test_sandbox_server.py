"""The server: starting and stopping, state over restarts, parallel clients, clock and doors."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from support.sandbox import (
    BRAND,
    OWNER,
    UNBOUND,
    Sandbox,
    local_sandbox,
    phone_zip,
    running_sandbox,
)
from support.terminal import CTRL_C, at_terminal
from yuntu_push.sandbox.options import SandboxOptions, read_switches
from yuntu_push.sandbox.server import SandboxServer

PROGRAM = """
import json, sys
from pathlib import Path
from yuntu_push.sandbox.options import SandboxOptions
from yuntu_push.sandbox.server import serve_forever
state = Path(sys.argv[1]) if len(sys.argv) > 1 else None
serve_forever(SandboxOptions(state_file=state), lambda facts: print(json.dumps(facts), flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_itself_once_and_stops_at_a_signal(number: int):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts.keys() == {"url", "app_id", "secret", "auth_url", "console_url"}
        assert len(facts["app_id"]) == 16
        page = httpx.get(facts["console_url"], trust_env=False, timeout=30)
        assert page.status_code == 200
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        assert process.stdout.read() == ""


def test_at_a_terminal_it_says_where_to_look_and_ends_with_ctrl_c(tmp_path: Path):
    code, shown = at_terminal(
        "sandbox", "serve",
        home=tmp_path, env={"YUNTU_PUSH_LANG": "en"}, answers=[("Ctrl+C ends it", CTRL_C)],
        finished_lines=True,
    )  # fmt: skip
    facts = json.loads(shown.splitlines()[0])
    assert f"open {facts['console_url']} in a browser" in shown
    assert "Traceback" not in shown
    assert code == 0


def test_the_same_seed_is_the_same_world_and_another_is_not():
    with local_sandbox() as one, local_sandbox() as two, local_sandbox(seed=7) as three:
        assert (one.app_id, one.secret) == (two.app_id, two.secret)
        assert (one.app_id, one.secret) != (three.app_id, three.secret)


def test_start_and_stop_leave_nothing_behind():
    before = threading.active_count()
    with SandboxServer(SandboxOptions()) as server:
        port = server.port
    assert threading.active_count() == before
    with SandboxServer(SandboxOptions(port=port)) as again:
        assert again.port == port


def test_a_taken_port_is_an_os_error():
    with SandboxServer(SandboxOptions()) as server, pytest.raises(OSError):
        SandboxServer(SandboxOptions(port=server.port)).start()


def test_the_state_file_survives_a_restart(tmp_path: Path):
    """Tokens, ids, clock and bindings come back; the file is private and holds no token."""
    path = tmp_path / "world.json"
    with local_sandbox(state_file=path) as sb:
        tokens = sb.authorize()
        audience = sb.available(tokens.access, phone_zip(0, 100))
        sb.bind(10250004, UNBOUND)
        sb.advance(hours=5)
        secrets = [*sb.tokens(), sb.secret]
        before = sb.state()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for each in path.with_name("world.json.ids").iterdir():
            assert stat.S_IMODE(each.stat().st_mode) == 0o600
    text = path.read_text("utf-8")
    assert not [secret for secret in secrets if secret in text]

    with local_sandbox(state_file=path) as sb:
        after = sb.state()
        for part in ("brands", "data_sources", "audiences", "publishes", "pushes", "calls"):
            assert after[part] == before[part]
        assert after["now"] - before["now"] < 3600
        body = {"advertiser_id": OWNER, "custom_audience_id": audience, "to_advertiser_id": BRAND}
        assert sb.post("2/dmp/custom_audience/copy/", body, tokens.access)["code"] == 0
        source = after["data_sources"][0]["id"]
        update = {
            "advertiser_id": OWNER,
            "data_source_id": source,
            "operation_type": 2,
            "data_format": 0,
            "file_storage_type": 0,
            "file_paths": [sb.file_path(tokens.access, phone_zip(0, 30))],
        }
        assert sb.post("2/dmp/data_source/update/", update, tokens.access)["code"] == 0
        sb.advance(60)
        assert sb.state()["audiences"][0]["upload_num"] == 70


def test_what_was_answered_survives_a_kill_while_writing(tmp_path: Path):
    """Killed in the middle of writes, again and again: the file opens, and no answer was a lie."""
    path, answered = tmp_path / "world.json", list[str]()

    def work(url: str, token: str, upload: str) -> None:
        body = {
            "advertiser_id": OWNER,
            "data_format": 0,
            "file_storage_type": 0,
            "file_paths": [upload],
        }
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            while True:
                name = f"n{len(answered)}"
                try:
                    answer = http.post(
                        "/open_api/2/dmp/data_source/create/",
                        json={**body, "data_source_name": name},
                        headers={"Access-Token": token},
                    ).json()
                except httpx.TransportError:
                    return
                assert answer["code"] == 0
                answered.append(answer["data"]["data_source_id"])

    with local_sandbox(state_file=path) as sb:
        token = sb.authorize().access
        upload = sb.file_path(token, phone_zip(0, 3))
    for wanted in (5, 20, 31):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            writer = threading.Thread(target=work, args=[url, token, upload])
            writer.start()
            while writer.is_alive() and len(answered) < wanted:
                writer.join(0.001)
            process.kill()
            writer.join()
        with local_sandbox(state_file=path) as sb:
            assert {each["id"] for each in sb.state()["data_sources"]} >= set(answered)
    assert len(answered) >= 31


def test_two_sandboxes_never_share_a_state_file(tmp_path: Path):
    options = SandboxOptions(state_file=tmp_path / "world.json")
    with SandboxServer(options), pytest.raises(ValueError, match="in use"):
        SandboxServer(options).start()
    with SandboxServer(options):
        pass


@pytest.mark.parametrize("content", [b"", b"{}", b"nonsense", b"[2, {}]"])
def test_a_foreign_state_file_is_refused_and_kept(tmp_path: Path, content: bytes):
    path = tmp_path / "world.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"world\.json"), local_sandbox(state_file=path):
        pass
    assert path.read_bytes() == content


def test_ten_clients_at_once():
    """Each pushes its own segment; nothing is lost and nothing is mixed up."""
    with running_sandbox() as sb:
        token = sb.authorize().access

        def work(n: int) -> int:
            with httpx.Client(base_url=sb.url, trust_env=False, timeout=60) as http:
                own = Sandbox(sb.url, sb.world, http)
                own.data_source(token, phone_zip(n * 10_000, 1000 + n), name=f"n{n}")
            return n

        with ThreadPoolExecutor(10) as pool:
            assert sorted(pool.map(work, range(10))) == list(range(10))
        sb.advance(60)
        sizes = {each["name"]: each["upload_num"] for each in sb.state()["audiences"]}
        assert sizes == {f"n{n}": 1000 + n for n in range(10)}


def test_a_client_that_leaves_in_the_middle_of_an_upload_harms_nobody():
    with running_sandbox() as sb:
        token = sb.authorize().access
        host, port = sb.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(
                b"POST /open_api/2/dmp/data_source/file/upload/ HTTP/1.1\r\n"
                b"Host: 127.0.0.1\r\nContent-Length: 1000000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            )
        assert sb.get("2/user/info/", token=token)["code"] == 0
        assert sb.upload(token, phone_zip(0, 1))["code"] == 0


def test_expired_files_let_go_of_their_ids(sb: Sandbox):
    """A month of daily pushes does not pile up in memory."""
    kept = []
    for day in range(40):
        token = sb.authorize().access
        sb.file_path(token, phone_zip(day * 100, 100))
        kept.append(sum(bool(file.content) for file in sb.world.state.files.values()))
        sb.advance(days=1)
    assert max(kept) <= 15


def test_every_answer_carries_the_platforms_date(sb: Sandbox):
    sb.set_time("2030-01-02T03:04:05+08:00")
    for path in ("/console", "/open_api/2/user/info/", "/nothing/here", "/_sandbox/state"):
        date = parsedate_to_datetime(sb.browse(path).headers["date"])
        assert date.isoformat().startswith("2030-01-01T19:04")
    assert sb.browse("/_sandbox/state").json()["time"].startswith("2030-01-02 03:04")


def test_a_request_id_and_times_are_beijings(sb: Sandbox, token: str):
    sb.set_time("2026-11-24T23:30:00+08:00")
    assert sb.get("2/user/info/", token=token)["request_id"].startswith("202611242330")


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1.example.com", ""])
def test_other_names_for_this_machine_are_misdirected(sb: Sandbox, host: str):
    """A page elsewhere that makes its name point here cannot read or steer the sandbox."""
    assert sb.browse("/_sandbox/state", headers={"Host": host}).status_code == 421


def test_control_wants_json_so_that_no_form_of_a_foreign_page_steers(sb: Sandbox):
    answer = sb.raw("POST", "/_sandbox/reset", data={"x": "y"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("clock", {}),
        ("clock", {"advance": "x"}),
        ("clock", {"set": "yesterday"}),
        ("clock", {"set": "2026-11-24T09:00:00"}),
        ("clock", {"set": "9999-12-31T00:00:00+08:00"}),
        ("clock", {"advance": 1e300}),
        ("clock", {"advance": -1e12}),
        ("clock", {"advance": True}),
        ("clock", {"advance": 1, "set": "2026-11-24T09:00:00+08:00"}),
        ("bind", {"brand_id": 10250001, "advertiser_id": 1700000000000100}),
        ("unbind", {"brand_id": 10250001}),
        ("app", {"permissions": "DMP"}),
        ("app", {"callback_url": 5}),
        ("account", {"id": OWNER, "name": 5}),
        ("account", {"id": OWNER, "typo": 5}),
        ("authorize", {"accounts": [1]}),
        ("authorize", {"accounts": 5}),
        ("revoke", {"uid": "x"}),
        ("reset", {"everything": True}),
        ("bind", {"brand_id": 1, "advertiser_id": 1}),
        ("account", {"id": 1}),
        ("authorize", {"uid": 1}),
    ],
)
def test_control_names_what_makes_no_sense(sb: Sandbox, name: str, given: dict):
    before = sb.state()
    answer = sb.raw("POST", f"/_sandbox/{name}", json=given)
    assert answer.status_code == 400
    assert answer.json()["error"]
    after = sb.state()
    assert {**after, "now": 0, "time": ""} == {**before, "now": 0, "time": ""}
    assert after["now"] - before["now"] < 3600


@pytest.mark.parametrize("body", [b"[]", b"{", b"", b"[" * 100_000, b'{"advance": NaN}', b'"\xff"'])
def test_control_takes_nothing_but_an_object(sb: Sandbox, body: bytes):
    headers = {"Content-Type": "application/json"}
    answer = sb.raw("POST", "/_sandbox/clock", content=body, headers=headers)
    assert answer.status_code == 400


def test_control_takes_ids_in_quotes(sb: Sandbox):
    """As our own command line prints them."""
    answer = sb.control("bind", brand_id="10250004", advertiser_id=str(UNBOUND))
    assert answer == {"bound": [UNBOUND]}


def test_the_clock_stops_at_the_ends_of_time(sb: Sandbox, token: str):
    """However often a fault makes it jump, every moment can still be written."""
    sb.fault("user/info", "clock_jump", seconds=1e9)
    for _ in range(9):
        assert sb.get("2/user/info/", token=token)["request_id"]
    assert sb.browse("/console").status_code == 200
    assert sb.state()["time"] < "2200"


def test_reset_is_the_seeded_world(sb: Sandbox):
    token = sb.authorize().access
    sb.available(token)
    sb.advance(days=3)
    sb.reset()
    state = sb.state()
    assert (state["data_sources"], state["audiences"], state["grants"]) == ([], [], 0)
    assert sb.get("2/user/info/", token=token)["code"] == 40105


@pytest.mark.parametrize(
    "options",
    [
        {"speed": 0},
        {"speed": float("nan")},
        {"speed": 1e-300},
        {"port": 70000},
        {"list_lag": -1},
        {"list_lag": float("nan")},
        {"qps": -1},
        {"min_cover": -1},
    ],
)
def test_options_that_make_no_sense(options: dict):
    with pytest.raises(ValueError, match=next(iter(options))):
        SandboxOptions(**options)


@pytest.mark.parametrize("word", ["copy_to", "nonsense=1", "port=1", "copy_to=maybe", "qps=x"])
def test_a_wrong_switch_is_named(word: str):
    with pytest.raises(ValueError, match=word.partition("=")[0]):
        read_switches([word])


def test_the_invalid_account_can_be_changed_by_control(sb: Sandbox):
    token = sb.authorize().access
    sb.control("account", id=OWNER, valid=False, name="改名")
    assert sb.get("2/dmp/brand/get/", {"advertiser_id": OWNER}, token)["code"] == 40002
    listed = sb.get("oauth2/advertiser/get/", {"access_token": token})["data"]["list"]
    assert [each["account_name"] for each in listed if each["account_id"] == OWNER] == ["改名"]


def test_fifty_megabytes_from_several_clients(tmp_path: Path):
    """Large uploads side by side: all answered, and the server still answers others."""
    content = _large_dmp_zip()
    assert 45_000_000 < len(content) <= 50_000_000
    with running_sandbox(upload_limit=0) as sb:
        token = sb.authorize().access

        def work(_: int) -> int:
            with httpx.Client(base_url=sb.url, trust_env=False, timeout=120) as http:
                code: int = Sandbox(sb.url, sb.world, http).upload(token, content)["code"]
                return code

        with ThreadPoolExecutor(2) as pool:
            results = pool.map(work, range(2))
            assert sb.get("2/user/info/", token=token)["code"] == 0
            assert list(results) == [0, 0]
        assert {each["ids"] for each in sb.state()["files"]} == {20_000}


def _large_dmp_zip() -> bytes:
    """Few ids with long tags of noise: a large file that is quick to make and to read."""
    import base64
    import io
    import random
    import zipfile

    from yuntu_push.proto.dmp_pb2 import DmpData

    noise = random.Random(3)
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("part.txt", "w") as member,
    ):
        for start in range(0, 20_000, 1000):
            message = DmpData()
            for n in range(start, start + 1000):
                tags = [noise.randbytes(1650).hex()]
                message.idList.add(dataType=2, id=str(n), tags=tags)  # type: ignore[arg-type]
            member.write(base64.b64encode(message.SerializeToString()) + b"\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--switch", "copy_to=maybe"], 2, "copy_to"),
        (["--switch", "nonsense=1"], 2, "nonsense"),
        (["--speed", "0"], 2, "speed"),
        (["--faults", "/nowhere/plan.json"], 2, "plan.json"),
        (["--port", "70000"], 2, "port"),
    ],
)
def test_serve_names_what_is_wrong_with_its_options(words: list[str], code: int, says: str):
    done = subprocess.run(
        [sys.executable, "-m", "yuntu_push", "sandbox", "serve", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_serve_says_when_its_port_is_taken():
    with SandboxServer(SandboxOptions()) as server:
        done = subprocess.run(
            [sys.executable, "-m", "yuntu_push", "sandbox", "serve", "--port", str(server.port)],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
    assert done.returncode == 75
    assert str(server.port) in done.stderr
