"""One sandbox for the tests that need no options of their own; fresh for each test."""

from collections.abc import Iterator

import pytest

from support.sandbox import Sandbox, local_sandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """The one server."""
    with local_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sb(shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox with the seeded world."""
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def token(sb: Sandbox) -> str:
    """An access token that covers all accounts of the first login."""
    return sb.authorize().access
