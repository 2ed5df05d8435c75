"""The callback listener: only the registered path with the right state ends it."""

import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from yuntu_push.adapters import callback
from yuntu_push.adapters.callback import CallbackListener
from yuntu_push.adapters.system import SystemClock
from yuntu_push.domain.authorize import Answer, Verdict
from yuntu_push.domain.errors import TryLaterError
from yuntu_push.domain.text import Text

STATE = "the-right-state-0123456789"
CODE = "canary-code"


class Login:
    """A listener that waits in a thread of its own, and what became of it."""

    def __init__(self, url: str = "http://127.0.0.1:0/oauth/callback") -> None:
        self.said: list[Text] = []
        self.listener = CallbackListener(url, clock=SystemClock(), notice=self.said.append)
        self.answer: Answer | None = None
        self.succeeds = True
        self._thread = threading.Thread(target=self._run)

    @property
    def port(self) -> int:
        return urlsplit(self.listener.url).port or 80

    def start(self) -> None:
        self._thread.start()

    def end(self) -> Answer | None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.answer

    def _run(self) -> None:
        with self.listener:
            self.answer = self.listener.wait(STATE, 20)
            self.listener.finish(succeeded=self.succeeds)

    def raw(self, request: bytes, *, read: bool = True) -> bytes:
        """What the listener answers to bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as peer:
            try:
                peer.sendall(request)
                return b"".join(iter(lambda: peer.recv(65536), b"")) if read else b""
            except ConnectionError:
                return b""

    def get(self, target: str, *, method: str = "GET", host: str | None = None):
        """Status, headers and body of one request."""
        headers = {"Host": host} if host is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, target, headers=headers)
            response = connection.getresponse()
            body = response.read()
        return response.status, dict(response.getheaders()), body.decode()

    def right(self):
        """The real answer of the authorisation page, then its last page."""
        status, headers, body = self.get(f"/oauth/callback?auth_code={CODE}&state={STATE}")
        assert (status, body) == (303, "")
        return self.get(headers["Location"])


@contextmanager
def waiting(url: str = "http://127.0.0.1:0/oauth/callback", **changes: object) -> Iterator[Login]:
    login = Login(url)
    for name, value in changes.items():
        setattr(login, name, value)
    login.start()
    try:
        yield login
    finally:
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may have ended by itself
            login.right()
        login.end()


def test_the_right_answer_gives_the_code_and_the_page_of_success():
    with waiting() as login:
        status, headers, page = login.right()

    assert login.end() == Answer(Verdict.CODE, login.answer.code)  # type: ignore[union-attr]
    assert login.answer is not None
    assert login.answer.code.reveal() == CODE
    assert status == 200
    assert "授权成功" in page
    assert '{"msg":"成功","code":0}' in page
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_code_leaves_the_address_bar():
    """The browser is sent on to a bare address, which the last page is shown under."""
    with waiting() as login:
        _, headers, _ = login.get(f"/oauth/callback?auth_code={CODE}&state={STATE}")
        login.get(headers["Location"])

    assert headers["Location"] == "/done"


def test_a_failed_exchange_is_shown_as_such():
    with waiting(succeeds=False) as login:
        _, _, page = login.right()

    assert "授权未完成" in page
    assert "授权成功" not in page
    assert "yuntu-push auth login" in page


def test_a_refusal_with_the_right_state_ends_the_wait():
    with waiting(succeeds=False) as login:
        _, headers, _ = login.get(f"/oauth/callback?error=access_denied&state={STATE}")
        _, _, page = login.get(headers["Location"])
        answer = login.end()

    assert answer is not None
    assert answer.verdict is Verdict.REFUSED
    assert "授权未完成" in page


STRAY: list[tuple[str, str, str | None]] = [
    ("GET", "/", None),
    ("GET", "/favicon.ico", None),
    ("GET", "/done", None),
    ("GET", f"/other?auth_code=x&state={STATE}", None),
    ("GET", f"/oauth/callback/?auth_code=x&state={STATE}", None),
    ("GET", f"/OAuth/callback?auth_code=x&state={STATE}", None),
    ("GET", f"/oauth/../oauth/callback?auth_code=x&state={STATE}", None),
    ("GET", f"/oauth%2Fcallback?auth_code=x&state={STATE}", None),
    ("GET", f"http://127.0.0.1/oauth/callback?auth_code=x&state={STATE}", None),
    ("GET", "/oauth/callback", None),
    ("GET", "/oauth/callback?auth_code=x", None),
    ("GET", "/oauth/callback?auth_code=x&state=", None),
    ("GET", "/oauth/callback?auth_code=x&state=wrong", None),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE}x", None),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE[:-1]}", None),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE}&state=y", None),
    ("GET", f"/oauth/callback?auth_code=x&auth_code=y&state={STATE}", None),
    ("GET", f"/oauth/callback?code=x&auth_code=y&state={STATE}", None),
    ("GET", f"/oauth/callback?{'a=1&' * 50}auth_code=x&state={STATE}", None),
    ("GET", "/oauth/callback?auth_code=x&state=%F0%28%8C%28", None),
    ("POST", f"/oauth/callback?auth_code=x&state={STATE}", None),
    ("HEAD", f"/oauth/callback?auth_code=x&state={STATE}", None),
    ("OPTIONS", f"/oauth/callback?auth_code=x&state={STATE}", None),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE}", "evil.example"),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE}", "localhost:1"),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE}", "127.0.0.1"),
    ("GET", f"/oauth/callback?auth_code=x&state={STATE}", ""),
]


@pytest.mark.parametrize(("method", "target", "host"), STRAY)
def test_a_stray_or_hostile_request_does_not_end_the_login(method, target, host):
    """Wrong path, state, method or Host: answered with an error, the login goes on."""
    with waiting() as login:
        status, _, _ = login.get(target, method=method, host=host)
        assert status in (400, 404, 405)
        assert login.answer is None
        assert "授权成功" in login.right()[2]

    assert login.end().code.reveal() == CODE  # type: ignore[union-attr]


def test_nothing_of_a_request_is_reflected():
    script = "%3Cscript%3Ealert(1)%3C/script%3E"
    with waiting() as login:
        for target in (
            f"/oauth/callback?auth_code={script}&state=wrong",
            f"/{script}",
            f"/oauth/callback?auth_code=x&state={script}",
            "/oauth/callback?error_description=reflect-me&state=wrong",
        ):
            _, headers, page = login.get(target)
            everything = page + str(headers)
            assert "script" not in everything
            assert "reflect-me" not in everything
        answered = login.raw(b"GET /<script>x</script> HTTP/1.1\r\nHost: <b>\r\n\r\n")
        assert b"<b>" not in answered
        assert b"<script" not in answered


BROKEN = [
    b"\r\n\r\n",
    b"GET /oauth/callback\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    "GET /回调 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", BROKEN)
def test_broken_requests_get_an_error_or_a_hang_up(request_bytes: bytes):
    with waiting() as login:
        answer = login.raw(request_bytes)

        assert answer == b"" or answer.split()[1] in (b"400", b"404", b"414", b"431")
        assert "授权成功" in login.right()[2]


def test_a_line_of_ten_megabytes_is_cut_off():
    with waiting() as login:
        answer = login.raw(b"GET /" + b"a" * 10_000_000)

        assert answer == b"" or b"414" in answer
        assert "授权成功" in login.right()[2]


def test_slow_and_idle_connections_hold_up_nobody():
    """Browsers open connections ahead of need, and an attacker sends a byte at a time."""
    with waiting() as login:
        peers = [socket.create_connection(("127.0.0.1", login.port)) for _ in range(20)]
        for peer in peers[:10]:
            peer.sendall(b"GET /oauth/call")
        assert "授权成功" in login.right()[2]
        for peer in peers:
            peer.close()


def test_more_connections_than_are_held_push_out_the_oldest():
    with waiting() as login:
        peers = [socket.create_connection(("127.0.0.1", login.port)) for _ in range(100)]
        assert "授权成功" in login.right()[2]
        for peer in peers:
            peer.close()


def test_a_slow_connection_is_ended_at_its_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(callback, "CONNECTION_SECONDS", 0.05)
    with waiting() as login:
        with socket.create_connection(("127.0.0.1", login.port), timeout=10) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost:")
            assert peer.recv(100) == b""
        monkeypatch.setattr(callback, "CONNECTION_SECONDS", 5.0)
        login.right()


def test_a_request_in_single_bytes_is_understood():
    with waiting() as login:
        target = f"/oauth/callback?auth_code={CODE}&state={STATE}"
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{login.port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", login.port), timeout=10) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request:
                peer.sendall(bytes([byte]))
            assert peer.recv(1000).startswith(b"HTTP/1.1 303")
        login.get("/done")
        assert login.end() is not None


def test_a_repeated_code_changes_nothing():
    """The first right answer counts; a reload shows the same last page."""
    login = Login()
    target = f"/oauth/callback?auth_code={{}}&state={STATE}"
    answers: list[Answer | None] = []

    def run() -> None:
        with login.listener:
            answers.append(login.listener.wait(STATE, 20))
            login.listener._serve(0.2, until=lambda: False)
            login.listener.finish(succeeded=True)
            answers.append(login.listener._answer)

    thread = threading.Thread(target=run)
    thread.start()
    assert login.get(target.format(CODE))[0] == 303
    assert login.get(target.format("another"))[0] == 303
    login.get("/done")
    thread.join(30)

    assert [a.code.reveal() for a in answers if a] == [CODE, CODE]


def test_the_browser_may_ask_for_the_last_page_before_the_outcome_is_known():
    login = Login()
    pages: list[str] = []
    asked = threading.Event()

    def browse() -> None:
        _, headers, _ = login.get(f"/oauth/callback?auth_code={CODE}&state={STATE}")
        asked.set()
        pages.append(login.get(headers["Location"])[2])

    browser = threading.Thread(target=browse)
    with login.listener:
        browser.start()
        assert login.listener.wait(STATE, 20) is not None
        assert asked.wait(10)
        login.listener._serve(0.1, until=lambda: False)  # the browser's request is read meanwhile
        assert pages == []
        login.listener.finish(succeeded=True)
    browser.join(10)

    assert "授权成功" in pages[0]


def test_a_thousand_stray_requests_then_the_real_one():
    with waiting() as login:
        for number in range(1000):
            method, target, host = STRAY[number % len(STRAY)]
            assert login.get(target, method=method, host=host)[0] in (400, 404, 405)
        assert "授权成功" in login.right()[2]

    assert login.end().code.reveal() == CODE  # type: ignore[union-attr]


def test_a_wrong_state_is_said_once_in_the_terminal_and_explained_in_the_browser():
    with waiting() as login:
        for _ in range(3):
            status, _, page = login.get("/oauth/callback?auth_code=x&state=wrong")
            assert status == 400
            assert "yuntu-push auth login" in page
        login.right()

    assert len(login.said) == 1


def test_the_wait_ends_at_its_deadline():
    with CallbackListener(
        "http://127.0.0.1:0/cb", clock=SystemClock(), notice=lambda _text: None
    ) as listener:
        assert listener.wait(STATE, 0.05) is None
        listener.finish(succeeded=False)


def test_after_the_login_nobody_listens():
    with waiting() as login:
        login.right()
        login.end()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", login.port), timeout=2)


def test_a_taken_port_is_named_with_its_holder_and_no_other_is_picked():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(TryLaterError) as caught:
            Login(f"http://127.0.0.1:{port}/cb")

    assert caught.value.code == "CALLBACK_PORT_IN_USE"
    assert str(port) in str(caught.value.message)
    assert "--paste" in str(caught.value.hint)
    if Path("/proc/net/tcp").exists():
        assert f"pid {os.getpid()}" in str(caught.value.message)


def test_the_port_can_be_used_again_at_once():
    with waiting() as login:
        port = login.port
        login.right()
        login.end()
    for _ in range(3):
        with waiting(f"http://127.0.0.1:{port}/oauth/callback") as again:
            again.right()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_on_loopback_only(host: str):
    """And on both addresses of `localhost`, so that nobody else gets the code on one of them."""
    with waiting(f"http://{host}:0/oauth/callback") as login:
        bound = {listener.getsockname()[0] for listener in login.listener._listeners}
        login.get(f"/oauth/callback?auth_code={CODE}&state={STATE}", host=f"{host}:{login.port}")
        login.get("/done", host=f"{host}:{login.port}")
        login.end()

    both = {"127.0.0.1", "::1"} if _has_ipv6() else {"127.0.0.1"}
    assert bound == (both if host == "localhost" else {"127.0.0.1"})


@pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 here")
def test_the_other_address_of_localhost_taken_by_someone_is_a_taken_port():
    with socket.socket(socket.AF_INET6) as taken:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind(("::1", 0))
        taken.listen()

        with pytest.raises(TryLaterError):
            Login(f"http://localhost:{taken.getsockname()[1]}/cb")


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]):
    caplog.set_level(0)
    with waiting() as login:
        login.get(f"/oauth/callback?auth_code={CODE}&state=wrong")
        login.right()

    shown = caplog.text + "".join(capfd.readouterr())
    assert CODE not in shown
    assert STATE not in shown
