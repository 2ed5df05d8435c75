"""The pages in a real Chromium: clicked as a person would.

With SANDBOX_SCREENSHOTS naming a folder, pictures of the pages are left there.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from support.sandbox import (
    BRAND,
    OTHER_SUBJECT,
    OWNER,
    SECOND_OWNER,
    Sandbox,
    dmp_line,
    dmp_zip,
    phone_zip,
    running_sandbox,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs chromium and chromedriver",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--hide-scrollbars",
        "--window-size=1200,900",
        "--lang=zh-CN",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with running_sandbox() as sb:
        yield sb


class Callback:
    """A client's loopback listener; keeps the queries it was sent."""

    def __init__(self) -> None:
        seen: list[dict[str, list[str]]] = []
        self.seen = seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target = urlsplit(self.path)
                if target.path == "/cb":
                    seen.append(parse_qs(target.query))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<p id=done>done</p>")

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/cb"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def callback() -> Iterator[Callback]:
    listener = Callback()
    yield listener
    listener.close()


def find(browser: Any, selector: str) -> Any:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 20).until(
        lambda driver: driver.find_element(By.CSS_SELECTOR, selector)
    )


def follow(browser: Any, selector: str) -> None:
    """Click what leads to another page, and wait until that page stands in this one's place.

    Each document has its own time origin, and asking for it touches none of the elements that
    are on their way out; a question that meets the change of pages is asked again.
    """
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.support.ui import WebDriverWait

    left = browser.execute_script("return performance.timeOrigin")
    find(browser, selector).click()
    WebDriverWait(browser, 20, ignored_exceptions=[WebDriverException]).until(
        lambda driver: driver.execute_script("return performance.timeOrigin") != left
    )


def picture(browser: Any, name: str) -> None:
    folder = os.environ.get("SANDBOX_SCREENSHOTS")
    if not folder:
        return
    height = browser.execute_script("return document.body.scrollHeight")
    browser.set_window_size(1200, min(max(height, 600), 1500) + 140)
    browser.save_screenshot(str(Path(folder) / f"sandbox-{name}.png"))
    browser.set_window_size(1200, 900)


def fits_and_is_quiet(browser: Any) -> None:
    """Nothing sticks out sideways, and the console of the browser is empty."""
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= inner
    inside = browser.execute_script(
        "return [...document.querySelectorAll('.card')].filter(c => c.scrollWidth > c.clientWidth)"
    )
    assert inside == []
    assert browser.get_log("browser") == []


def link(sb: Sandbox, callback: Callback) -> str:
    return f"{sb.auth_url}&redirect_uri={callback.url}&lang=zh"


def test_a_person_unticks_an_account_and_agrees(browser: Any, server: Sandbox, callback: Callback):
    server.reset()
    browser.get(link(server, callback))
    fits_and_is_quiet(browser)
    picture(browser, "consent")
    find(browser, f'input[value="{OTHER_SUBJECT}"]').click()
    follow(browser, 'button[value="authorise"]')
    find(browser, "#done")
    [query] = callback.seen
    assert query["state"] == ["your_custom_params"]
    body = {"app_id": server.app_id, "secret": server.secret, "auth_code": query["auth_code"][0]}
    ids = server.post("oauth2/access_token/", body)["data"]["advertiser_ids"]
    assert OWNER in ids
    assert OTHER_SUBJECT not in ids
    browser.get(link(server, callback))
    assert "替换" in find(browser, "#regrant").text


def test_a_person_refuses(browser: Any, server: Sandbox, callback: Callback):
    browser.get(link(server, callback))
    follow(browser, 'button[value="refuse"]')
    find(browser, "#done")
    assert callback.seen == [{"state": ["your_custom_params"]}]


def test_the_consent_page_in_english(browser: Any, server: Sandbox, callback: Callback):
    """The language is changed on the page; agreeing with nothing ticked is no agreement."""
    from selenium.webdriver.common.by import By

    browser.get(link(server, callback))
    follow(browser, 'a[href*="lang=en"]')
    page = find(browser, "#consent")
    assert "Choose the accounts" in page.text
    fits_and_is_quiet(browser)
    for box in page.find_elements(By.CSS_SELECTOR, "input[type=checkbox]"):
        box.click()
    follow(browser, 'button[value="authorise"]')
    assert "Tick at least one account" in find(browser, "#problem").text
    assert callback.seen == []
    assert len(browser.get_log("browser")) == 1  # the page's status 400
    browser.back()
    find(browser, f'input[value="{OWNER}"]').click()
    follow(browser, 'button[value="authorise"]')
    find(browser, "#done")
    assert callback.seen[0]["uid"] == ["1801000000000001"]


def test_another_login_has_other_accounts(browser: Any, server: Sandbox, callback: Callback):
    browser.get(link(server, callback))
    follow(browser, 'a[href*="uid="]')
    assert "远山投放" in find(browser, "#consent").text
    follow(browser, 'button[value="authorise"]')
    find(browser, "#done")
    assert callback.seen[0]["uid"] == ["1801000000000002"]


def test_the_consoles_pages_in_both_languages(browser: Any, server: Sandbox):
    server.reset()
    token = server.authorize().access
    audience = server.available(token, phone_zip(0, 12_000), name="高价值会员_1124_a1b2")
    other = server.audience(token, phone_zip(0, 3_400), name="沉睡客户_1124_c3d4")
    server.data_source(token, dmp_zip(dmp_line([(7, "nonsense")])), name="设备名单_1124_e5f6")
    body = {"advertiser_id": OWNER, "custom_audience_id": audience}
    server.post("2/dmp/custom_audience/copy/", {**body, "to_advertiser_id": BRAND}, token)
    server.post("2/dmp/custom_audience/publish/", body, token)
    server.post(
        "2/dmp/custom_audience/push_v2/",
        {**body, "custom_audience_id": other, "target_advertiser_ids": [OWNER, SECOND_OWNER]},
        token,
    )
    server.advance(120)
    for name, path in (("yuntu", ""), ("engine", "/engine"), ("log", "/log")):
        browser.get(f"{server.console_url}{path}?lang=zh")
        fits_and_is_quiet(browser)
        picture(browser, name)
        assert "沙箱" in find(browser, "header").text
        follow(browser, "header > a")
        assert "Sandbox" in find(browser, "header").text
        fits_and_is_quiet(browser)
    browser.get(f"{server.console_url}?lang=zh")
    follow(browser, f'a[href="/console/engine#audience-{audience}"]')
    assert "高价值会员_1124_a1b2" in find(browser, f"#audience-{audience}").text
    assert "13," in find(browser, f"#audience-{audience}").text


def test_a_brand_is_bound_and_unbound(browser: Any, server: Sandbox):
    from selenium.webdriver.support.ui import Select

    server.reset()
    browser.get(f"{server.console_url}?lang=zh")
    Select(find(browser, "#brand-10250004 select")).select_by_value(str(OWNER))
    follow(browser, "#brand-10250004 form:last-of-type button")
    find(browser, f'#brand-10250004 input[name="advertiser_id"][value="{OWNER}"]')
    token = server.authorize().access
    brands = server.get("2/dmp/brand/get/", {"advertiser_id": OWNER}, token)["data"]["brand_info"]
    assert "青禾护理" in [each["brand_name"] for each in brands]
    follow(browser, "#brand-10250004 form button")
    find(browser, "#brands")
    assert server.state()["brands"][3]["bound"] == []


def test_the_clock_is_stepped_by_a_click(browser: Any, server: Sandbox):
    """An audience on its way arrives when the day is stepped forward."""
    server.reset()
    before = server.state()["now"]
    browser.get(f"{server.console_url}/engine?lang=zh")
    follow(browser, 'button[name="step"][value="86400"]')
    find(browser, 'a[href="/console/engine"][aria-current]')
    assert 86_000 < server.state()["now"] - before < 90_000


def test_a_narrow_window_still_works(browser: Any, server: Sandbox, callback: Callback):
    browser.set_window_size(500, 800)
    browser.get(link(server, callback))
    fits_and_is_quiet(browser)
    browser.get(server.console_url)
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= inner
    browser.set_window_size(1200, 900)
