"""A network that misbehaves ends in a typed error, in bounded time and memory."""

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import respx

from support.ocean import (
    API,
    QUICK,
    START,
    TOKEN,
    Behaviour,
    FakeClock,
    a_caller,
    a_channel,
    a_directory,
    answer,
    dribbles,
    hangs,
    raw_answer,
    read_request,
    rude_server,
    says,
)
from support.tls import certificate_for
from yuntu_push.adapters.ocean.transport import MAX_BODY, Call, Transport
from yuntu_push.domain.errors import (
    ConfigError,
    OutcomeUnknownError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.secret import SecretText

PATH = "/open_api/2/dmp/custom_audience/publish/"
GOOD = raw_answer(answer({"ok": True}))
IMPATIENT = replace(QUICK, timeout=0.15, connect_timeout=0.15)
WRITE = Call("POST", PATH, body={"advertiser_id": 1})


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """Releases servers that hang."""
    event = threading.Event()
    yield event
    event.set()


def _failure(behaviour: Behaviour, api: object = QUICK) -> YuntuPushError:
    with rude_server(behaviour) as server, pytest.raises(YuntuPushError) as caught:
        a_caller(server.url, api=api).write(WRITE)  # type: ignore[arg-type]
    return caught.value


def test_an_answer_in_single_bytes_is_an_answer() -> None:
    """How the network cuts the bytes does not matter."""
    with rude_server(dribbles(GOOD)) as server:
        assert a_caller(server.url).write(WRITE) == {"ok": True}


@pytest.mark.parametrize("sized", [True, False], ids=["content-length", "until close"])
def test_an_answer_cut_anywhere_is_unknown(sized: bool) -> None:
    """After each byte of an answer the connection may end: never data, never a stumble."""
    body = GOOD.partition(b"\r\n\r\n")[2]
    whole = GOOD if sized else b"HTTP/1.1 200 OK\r\n\r\n" + body
    with rude_server(says(b"")) as server:
        for end in range(len(whole)):
            server.behaviour = says(whole[:end])
            with pytest.raises(OutcomeUnknownError):
                a_caller(server.url).write(WRITE)


def test_a_body_longer_than_announced_is_read_as_announced() -> None:
    """What follows the announced length is not ours."""
    with rude_server(says(GOOD + b"trailing")) as server:
        assert a_caller(server.url).write(WRITE) == {"ok": True}


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 999999 ?\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_nonsense_is_unknown(raw: bytes) -> None:
    """What is no HTTP, or wrong HTTP, is no answer."""
    assert isinstance(_failure(says(raw)), OutcomeUnknownError)


def test_a_huge_body_is_refused_early() -> None:
    """A gibibyte is offered, little more than the limit is taken."""
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        block = b" " * 262_144
        while sent < 1 << 30:
            sent += connection.send(block)

    failure = _failure(pour)

    assert failure.code == "PLATFORM_ANSWER_UNREADABLE"
    assert sent < MAX_BODY + 32 * 1024 * 1024


def test_a_compressed_bomb_is_refused() -> None:
    """The limit holds for what comes out of a compressed body, too."""
    import gzip

    body = gzip.compress(b" " * (MAX_BODY * 3))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"

    assert _failure(says(head.encode() + body)).code == "PLATFORM_ANSWER_UNREADABLE"


def test_an_answer_that_was_compressed_unasked_is_read() -> None:
    """Some gateways compress whatever they are told."""
    import gzip

    body = gzip.compress(b'{"code": 0, "data": 5}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with rude_server(says(head.encode() + body)) as server:
        assert a_caller(server.url).write(WRITE) == 5


def test_a_whole_body_is_handed_over_before_anything_else_is_done() -> None:
    """Tokens are kept before the connection is even closed: a kill there would lose them."""
    closed = threading.Event()
    bodies: list[bytes] = []

    def stays(connection: socket.socket) -> None:
        connection.sendall(GOOD)
        connection.recv(1)  # returns when the client closes
        closed.set()

    def keep(body: bytes) -> None:
        assert not closed.wait(0.2)
        bodies.append(body)

    with rude_server(stays) as server:
        transport = Transport(server.url, QUICK, FakeClock())
        reply = transport.send(WRITE, on_body=keep)
        transport.close()
    assert bodies == [reply.body]


@pytest.mark.parametrize("head", ["Content-Length: 0", "Transfer-Encoding: chunked"])
def test_a_body_without_a_length_is_handed_over_once(head: str) -> None:
    chunked = "chunked" in head
    content = b"2\r\n{}\r\n0\r\n\r\n" if chunked else b""
    bodies: list[bytes] = []
    with rude_server(says(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + content)) as server:
        transport = Transport(server.url, QUICK, FakeClock())
        transport.send(WRITE, on_body=bodies.append)
        transport.close()
    assert bodies == [b"{}" if chunked else b""]


def test_silence_ends_in_time(stop: threading.Event) -> None:
    """No answer at all: given up when the time of the request is over."""
    failure = _failure(hangs(stop), IMPATIENT)

    assert (type(failure), failure.code) == (OutcomeUnknownError, "PLATFORM_TIMEOUT")


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_dribble_ends_in_time(stop: threading.Event, where: str) -> None:
    """Each byte comes in time, the answer never: the request as a whole is limited."""
    start = b"HTTP/1.1 200 OK\r\nX-Padding: " if where == "headers" else GOOD[:-20]
    endless = start + b"y" * 1_000_000

    failure = _failure(dribbles(endless, pause=lambda: stop.wait(0.01)), IMPATIENT)

    assert (type(failure), failure.code) == (OutcomeUnknownError, "PLATFORM_TIMEOUT")


def test_nobody_listening_is_provably_unsent() -> None:
    """A refused connection: repeating is safe, and the error class says so."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(UnreachableError) as caught:
            a_caller(url).write(WRITE)

    assert caught.value.code == "PLATFORM_UNREACHABLE"
    assert "doctor" in str(caught.value.hint)


def test_a_name_that_does_not_resolve_is_provably_unsent() -> None:
    """No such host."""
    with pytest.raises(UnreachableError):
        a_caller("https://no-such-host.invalid").write(WRITE)


@pytest.mark.parametrize(
    "url", ["http://api.oceanengine.com", "ftp://127.0.0.1", "api.oceanengine.com", "https://"]
)
def test_clear_text_is_for_this_machine_only(url: str) -> None:
    """Tokens travel under TLS, except to the sandbox here."""
    with pytest.raises(ConfigError) as caught:
        a_caller(url)

    assert caught.value.code == "API_URL_INVALID"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"])
def test_this_machine_needs_no_tls(url: str) -> None:
    """The sandbox speaks plain HTTP."""
    Transport(url, QUICK, FakeClock())


def _tls_proxy(certificate: Path, key: Path) -> Behaviour:
    """Answers a CONNECT, then speaks TLS as whatever host was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as secure:
            read_request(secure)
            secure.sendall(GOOD)

    return behave


def test_a_company_proxy_and_its_ca_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY leads there, SSL_CERT_FILE makes its certificate trusted."""
    certificate, key = certificate_for("api.company.test", tmp_path)
    with rude_server(_tls_proxy(certificate, key)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

        assert a_caller("https://api.company.test").write(WRITE) == {"ok": True}

    assert proxy.requests[0].startswith(b"CONNECT api.company.test:443")


def test_an_untrusted_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, and the next step names the CA bundle."""
    certificate, key = certificate_for("api.company.test", tmp_path)
    with rude_server(_tls_proxy(certificate, key)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(UnreachableError) as caught:
            a_caller("https://api.company.test").write(WRITE)

    assert caught.value.code == "TLS_UNTRUSTED"
    assert "SSL_CERT_FILE" in str(caught.value.hint)


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b""]
)
def test_a_proxy_that_refuses_is_provably_unsent(
    raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel was not opened, so the platform saw nothing."""
    with rude_server(says(raw)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(UnreachableError):
            a_caller("https://api.company.test").write(WRITE)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("HTTPS_PROXY", "gopher://proxy:70", "PROXY_INVALID"),
        ("HTTPS_PROXY", "socks5://proxy:1080", "PROXY_INVALID"),
        ("SSL_CERT_FILE", "/no/such/bundle.pem", "CA_BUNDLE_UNREADABLE"),
    ],
)
def test_a_wrong_environment_is_a_matter_of_configuration(
    name: str, value: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named before anything is sent."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as caught:
        a_caller(API).write(WRITE)

    assert caught.value.code == code


@respx.mock
def test_logs_hold_no_token(caplog: pytest.LogCaptureFixture) -> None:
    """Even with every logger wide open: no token of a query, no header, no body."""
    respx.get(f"{API}/open_api/oauth2/advertiser/get/").respond(json=answer({"list": []}))
    caplog.set_level(logging.DEBUG)

    a_directory().authorized_accounts(a_channel())

    assert caplog.records
    assert TOKEN not in caplog.text


@respx.mock
def test_each_call_is_noted_for_who_asks_for_more(caplog: pytest.LogCaptureFixture) -> None:
    """Its method, place, code and request id, which is what support asks for; nothing it held."""
    caplog.set_level(logging.DEBUG, "yuntu_push")
    respx.post(f"{API}{PATH}").respond(json={**answer({"secret": 1}), "request_id": "R1"})

    a_caller().write(WRITE)

    (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("yuntu_push")]
    host = API.removeprefix("https://")
    assert line.startswith(f"POST {host}{PATH}: HTTP 200 code=0 request_id=R1, ")
    assert "secret" not in line


def test_a_call_without_an_answer_is_noted_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "yuntu_push")

    _failure(says(b""))

    assert any("PLATFORM_DROPPED" in record.getMessage() for record in caplog.records)


def test_the_wire_log_holds_no_token(caplog: pytest.LogCaptureFixture) -> None:
    """The same with a real connection, where the HTTP library logs each step."""
    caplog.set_level(logging.DEBUG)
    with rude_server(says(raw_answer(answer({"list": []})))) as server:
        a_directory(server.url).authorized_accounts(a_channel(server.url))
        assert TOKEN.encode() in server.requests[0]

    assert "send_request_headers" in caplog.text
    assert TOKEN not in caplog.text


@respx.mock
def test_the_platforms_clock_is_kept_and_goes_on() -> None:
    """By its `Date` header and our monotonic clock, whatever our wall clock does."""
    clock = FakeClock()
    caller = a_caller(clock=clock)
    assert caller.server_now() == START

    respx.post(f"{API}{PATH}").respond(
        json=answer(), headers={"Date": "Tue, 24 Nov 2026 10:00:00 GMT"}
    )
    caller.write(WRITE)
    clock.pass_by(90)
    clock.moment += timedelta(days=300)

    assert caller.server_now() == datetime(2026, 11, 24, 10, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Foo 2026 10:00:00 GMT", "0"])
@respx.mock
def test_a_wrong_date_is_not_believed(date: str) -> None:
    """What is no date leaves our own clock."""
    respx.post(f"{API}{PATH}").respond(json=answer(), headers={"Date": date})
    caller = a_caller()

    caller.write(WRITE)

    assert caller.server_now() == START


def test_an_error_shows_no_token() -> None:
    """Neither its text nor its chain of causes."""
    with rude_server(says(b"")) as server, pytest.raises(YuntuPushError) as caught:
        Transport(server.url, QUICK, FakeClock()).send(
            Call("GET", "/x/", sign="query"), SecretText(TOKEN)
        )

    seen: BaseException | None = caught.value
    while seen is not None:
        assert TOKEN not in repr(seen)
        assert TOKEN not in str(seen)
        seen = seen.__cause__


def test_no_connection_is_kept() -> None:
    """A peer may close an idle one; a write that meets that would be unknown for nothing."""
    with rude_server(says(GOOD)) as server:
        caller = a_caller(server.url)
        for _ in range(3):
            caller.write(WRITE)
        assert len(server.requests) == 3


def test_a_client_can_be_closed_before_its_first_call() -> None:
    """Closing what was never opened opens nothing."""
    caller = a_caller()
    caller.close()
