"""Every test runs in a home, an environment and a time of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the developer's config, keyring, proxies or language."""
    for name in list(os.environ):
        if name.startswith(("YUNTU_PUSH_", "LC_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("YUNTU_PUSH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("YUNTU_PUSH_SECRETS", "file")
    monkeypatch.setenv("YUNTU_PUSH_LANG", "en")
    monkeypatch.setenv("YUNTU_PUSH_API_RATE", "1000")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    before = os.umask(0o077)
    yield
    os.umask(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full-crash-matrix",
        action="store_true",
        help="kill at every point instead of a sample that fits into the suite's time",
    )
