"""The end of a login in a real Chromium: what the person sees, and what the address bar keeps."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.world import World, world
from yuntu_push.adapters.callback import CallbackListener
from yuntu_push.adapters.system import SystemClock
from yuntu_push.domain.authorize import Answer, Verdict

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)",
    ),
]

STATE = "the-right-state-0123456789"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield driver
    finally:
        driver.quit()


def text_of(browser: Any) -> str:
    return str(browser.find_element("tag name", "body").text)


class Waiting:
    """A listener that waits in a thread, and its answer."""

    def __init__(self, *, succeeds: bool) -> None:
        self.listener = CallbackListener(
            "http://127.0.0.1:0/oauth/callback", clock=SystemClock(), notice=lambda _text: None
        )
        self.answer: Answer | None = None
        self._succeeds = succeeds
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self.listener:
            self.answer = self.listener.wait(STATE, 60)
            self.listener.finish(succeeded=self._succeeds)

    def join(self) -> Answer | None:
        self._thread.join(70)
        return self.answer


def test_the_last_page_shows_success_and_the_code_is_gone_from_the_address(browser: Any):
    """授权成功 and {"msg":"成功","code":0}, readable, styled, without an error of the console."""
    waiting = Waiting(succeeds=True)
    browser.get(f"{waiting.listener.url}?auth_code=canary-code&state={STATE}&uid=1")
    answer = waiting.join()

    assert answer is not None
    assert answer.code.reveal() == "canary-code"
    assert "授权成功" in text_of(browser)
    assert '{"msg":"成功","code":0}' in text_of(browser)
    assert browser.title == "授权成功"
    assert browser.current_url.endswith("/done")
    assert "canary" not in browser.current_url + browser.page_source
    assert browser.execute_script("return document.referrer") == ""
    assert browser.execute_script("return getComputedStyle(document.body).margin") != "8px"
    blocked = [e for e in browser.get_log("browser") if "Security Policy" in e["message"]]
    assert blocked == []


def test_a_refusal_shows_what_to_do(browser: Any):
    waiting = Waiting(succeeds=False)
    browser.get(f"{waiting.listener.url}?error=access_denied&state={STATE}")
    answer = waiting.join()

    assert answer is not None
    assert answer.verdict is Verdict.REFUSED
    assert "授权未完成" in text_of(browser)
    assert "yuntu-push auth login" in text_of(browser)


def test_a_wrong_state_shows_what_to_do_reflects_nothing_and_the_login_goes_on(browser: Any):
    waiting = Waiting(succeeds=True)
    browser.get(
        f"{waiting.listener.url}?auth_code=x&state=%3Cscript%3Edocument.title=1%3C/script%3E"
    )

    assert "不是当前授权的回调" in text_of(browser)
    assert "script" not in text_of(browser)
    assert browser.execute_script("return document.scripts.length") == 0
    browser.get(f"{waiting.listener.url}?auth_code=x&state={STATE}")
    assert waiting.join() is not None
    assert "授权成功" in text_of(browser)


def test_a_person_logs_in_through_the_consent_page(browser: Any, tmp_path: Path):
    """`auth login`, the page it prints opened in a browser, up to the page of success."""
    with world(tmp_path / "home", logged_in=False) as w:
        assert w.add_channel().code == 0
        run = login_in(browser, w)

        assert run.code == 0, run.stdout + run.stderr
        assert "授权成功" in text_of(browser)
        assert w.json("channel", "show", "acme").data["authorized"] is True


def login_in(browser: Any, w: World) -> Any:
    import os
    import subprocess

    from support.cli import Run, command

    process = subprocess.Popen(
        command("auth", "login", "acme", "--no-browser", "--json"),
        env={**os.environ, "YUNTU_PUSH_HOME": str(w.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    url = next(line.strip() for line in process.stderr if line.startswith("http"))
    browser.get(url)
    stdout, stderr = process.communicate(timeout=60)
    return Run(process.returncode, stdout, stderr)
