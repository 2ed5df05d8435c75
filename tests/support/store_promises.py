"""What every secret store promises, as checks that run here or in a session of their own."""

import json
import sys
from collections.abc import Callable
from typing import Any

from yuntu_push.domain.grant_envelope import MAX_ENVELOPE
from yuntu_push.domain.secret import SecretText

KEY = "channel/acme/app_secret"


def gives_back_what_was_stored(store: Any) -> None:
    store.put(KEY, SecretText("s3cret/密钥+="))
    assert store.get(KEY) == SecretText("s3cret/密钥+=")


def replaces_what_was_stored(store: Any) -> None:
    store.put(KEY, SecretText("old"))
    store.put(KEY, SecretText("new"))
    assert store.get(KEY) == SecretText("new")


def knows_nothing_of_what_was_not_stored(store: Any) -> None:
    assert store.get("channel/nobody/app_secret") is None


def forgets_and_forgets_again(store: Any) -> None:
    store.put(KEY, SecretText("x"))
    store.delete(KEY)
    store.delete(KEY)
    assert store.get(KEY) is None


def keeps_secrets_apart(store: Any) -> None:
    names = ["channel/a/app_secret", "channel/A/app_secret", "channel/a.b/app_secret",
             "channel/a-b/app_secret", "channel/a/grant_0", "channel/a/grant_1",
             "source/客户/password", "source/客人/password"]  # fmt: skip
    for number, name in enumerate(names):
        store.put(name, SecretText(f"value {number}"))
    for number, name in enumerate(names):
        assert store.get(name) == SecretText(f"value {number}"), name
    store.delete(names[0])
    assert store.get(names[1]) == SecretText("value 1")


def holds_a_grant_of_the_largest_size(store: Any) -> None:
    value = SecretText("g" * MAX_ENVELOPE)
    store.put("channel/acme/grant_0", value)
    assert store.get("channel/acme/grant_0") == value


def proves_itself_and_leaves_nothing(store: Any) -> None:
    store.put(KEY, SecretText("kept"))
    store.probe()
    assert store.get(KEY) == SecretText("kept")


def says_where_it_keeps_things(store: Any) -> None:
    assert store.name in {"keyring", "file"}
    assert str(store.describe())


PROMISES: list[Callable[[Any], None]] = [
    gives_back_what_was_stored,
    replaces_what_was_stored,
    knows_nothing_of_what_was_not_stored,
    forgets_and_forgets_again,
    keeps_secrets_apart,
    holds_a_grant_of_the_largest_size,
    proves_itself_and_leaves_nothing,
    says_where_it_keeps_things,
]


def main() -> None:
    """Run every promise against the system keyring; print what became of each as JSON."""
    from yuntu_push.adapters.secrets.keyring_store import KeyringStore

    results: dict[str, str] = {}
    for promise in PROMISES:
        store = KeyringStore(namespace=promise.__name__, timeout=20)
        try:
            promise(store)
            results[promise.__name__] = "ok"
        except BaseException as exc:
            results[promise.__name__] = f"{type(exc).__name__} {exc}"
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
