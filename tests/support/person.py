"""A person's browser in a few lines: opens the consent page, ticks everything, presses 授权.

Run by `BROWSER="python person.py %s"`, as `webbrowser` does.
"""

import sys
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Form(HTMLParser):
    """The ticked fields of the first form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "form" and not self.action:
            self.action = facts.get("action") or ""
        if tag == "input" and facts.get("type") == "checkbox" and "checked" in facts:
            self.fields.append((facts["name"] or "", facts["value"] or ""))


def authorise(url: str) -> bytes:
    """The page that the browser ends on."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    form = Form()
    with opener.open(url, timeout=30) as page:
        form.feed(page.read().decode())
    sent = urllib.parse.urlencode([*form.fields, ("decision", "authorise")]).encode()
    with opener.open(urllib.parse.urljoin(url, form.action), sent, timeout=30) as page:
        return bytes(page.read())


if __name__ == "__main__":
    authorise(sys.argv[1])
