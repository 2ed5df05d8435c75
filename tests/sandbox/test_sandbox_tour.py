"""The tour as two people see it: the command line in one window, the console in the other."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.cli import Run, command, yuntu_json
from support.world import phones, write_csv
from yuntu_push.sandbox.demo_world import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs chromium and chromedriver",
    ),
]


@contextmanager
def served(*words: str) -> Iterator[dict[str, str]]:
    """`sandbox serve` in a process of its own; the facts of its one line."""
    argv = command("sandbox", "serve", "--speed", "100000", *words)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            facts: dict[str, str] = json.loads(process.stdout.readline())
            yield facts
        finally:
            process.terminate()
            assert process.wait(timeout=30) in (0, 143)


@contextmanager
def chromium() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"):
        options.add_argument(flag)
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield driver
    finally:
        driver.quit()


def log_in(home: Path, browser: Any) -> Run:
    """`auth login --no-browser`; the page it names is clicked through in the real browser."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    environ = {**os.environ, "YUNTU_PUSH_HOME": str(home), "YUNTU_PUSH_SECRETS": "file"}
    with subprocess.Popen(
        command("auth", "login", "acme", "--no-browser", "--json"),
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        seen: list[str] = []
        for line in process.stderr:
            seen.append(line)
            if line.startswith("http"):
                browser.get(line.strip())
                browser.find_element(By.CSS_SELECTOR, 'button[value="authorise"]').click()
                WebDriverWait(browser, 20, ignored_exceptions=[WebDriverException]).until(
                    lambda d: "授权成功" in d.page_source
                )
                break
        stdout, stderr = process.communicate(timeout=60)
    return Run(process.returncode, stdout, "".join(seen) + stderr)


def test_the_pushed_audience_stands_in_both_consoles_with_the_counts_of_the_terminal(
    tmp_path: Path,
):
    home = tmp_path / "home"

    def run(*words: str | Path, stdin: str = "") -> dict[str, Any]:
        done = yuntu_json(*words, home=home, stdin=stdin)
        assert done.code == 0, done.stdout + done.stderr
        return done.data

    csv = write_csv(tmp_path / "members.csv", "手机号", phones(1500))
    with served() as facts, chromium() as browser:
        run(
            "channel", "add", "acme", "--kind", "yuntu", "--app-id", facts["app_id"],
            "--callback-url", f"http://127.0.0.1:{free_port()}/oauth/callback",
            "--auth-url", facts["auth_url"], "--api-url", facts["url"],
            "--secret-stdin", stdin=facts["secret"],
        )  # fmt: skip
        assert log_in(home, browser).code == 0
        accounts = run("accounts", "list", "acme")["accounts"]
        account = next(each for each in accounts if each["brands"])
        run("segment", "build", "vip", "--csv", csv, "--id", "phone=手机号")
        push = run(
            "push", "create", "--name", "高价值会员", "--segment", "vip",
            "--account", account["advertiser_id"],
            "--brand", account["brands"][0]["brand_name"],
            "--wait", "--poll", "1s", "--timeout", "60s",
        )  # fmt: skip
        counts = [f"{push[name]:,}" for name in ("upload_num", "cover_num")]

        browser.get(f"{facts['console_url']}?lang=zh")
        in_yuntu = browser.find_element("id", "copies").text
        browser.get(f"{facts['console_url']}/engine?lang=zh")
        in_engine = browser.find_element("id", f"audience-{push['custom_audience_id']}").text
        browser.get(f"{facts['console_url']}/log?lang=zh")
        log = browser.find_element("id", "requests").text

    for shown in (in_yuntu, in_engine):
        assert push["audience_name"] in shown
        assert all(count in shown for count in counts)
    assert account["brands"][0]["brand_name"] in in_yuntu
    assert push["custom_audience_id"] in in_yuntu
    assert "可用" in in_engine
    assert "/open_api/2/dmp/custom_audience/copy/" in log
    verdicts = re.findall(r"^(\d{5})$", log, flags=re.MULTILINE)
    assert verdicts == [], "the client was refused something on its way"
