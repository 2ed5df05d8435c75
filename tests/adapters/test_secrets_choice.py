"""The store is the one that was chosen; the environment supplies Secrets and nothing else."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from yuntu_push.adapters.secrets.env_store import variable_of
from yuntu_push.adapters.secrets.stores import SecretStores
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.settings import SecretsSettings, Settings

KEY = "channel/acme/app_secret"
VARIABLE = "YUNTU_PUSH_SECRET_ACME_APP_SECRET"


@dataclass
class Config:
    backend: str | None = None
    pins: list[str] = field(default_factory=list)

    def load(self) -> "Config":
        return self

    @property
    def settings(self) -> Settings:
        return Settings(secrets=SecretsSettings(backend=self.backend))  # type: ignore[arg-type]

    def pin_secrets_backend(self, backend: str) -> None:
        self.pins.append(backend)


def stores(folder: Path, backend: str | None, **environ: str) -> SecretStores:
    return SecretStores(
        config=Config(environ.get("YUNTU_PUSH_SECRETS", backend)),
        unforced=Config(backend),
        environ=environ,
        folder=folder / "secrets",
    )


def test_the_environment_lies_over_the_stored_secret(tmp_path: Path):
    stores(tmp_path, "file").current().put(KEY, SecretText("stored"))

    over = stores(tmp_path, "file", **{VARIABLE: "given"})

    assert over.current().get(KEY) == SecretText("given")
    assert over.open("file", bare=True).get(KEY) == SecretText("stored")


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("channel/acme/app_secret", "YUNTU_PUSH_SECRET_ACME_APP_SECRET"),
        ("channel/my-brand/app_secret", "YUNTU_PUSH_SECRET_MY_BRAND_APP_SECRET"),
        ("source/crm/password", "YUNTU_PUSH_SECRET_CRM_PASSWORD"),
        ("channel/acme/grant_0", None),
        ("probe-abc", None),
    ],
)
def test_secrets_and_passwords_have_a_variable_and_tokens_have_none(key, variable):
    assert variable_of(key) == variable


def test_env_alone_reads_secrets_and_refuses_to_store(tmp_path: Path):
    store = stores(tmp_path, "env", **{VARIABLE: "given"}).current()

    assert store.name == "env"
    assert store.get(KEY) == SecretText("given")
    assert store.get("channel/acme/grant_0") is None
    for action in (store.probe, lambda: store.put("channel/acme/grant_0", SecretText("x"))):
        with pytest.raises(ConfigError) as caught:
            action()
        assert caught.value.code == "SECRETS_READ_ONLY"
        assert "YUNTU_PUSH_SECRETS=file" in str(caught.value.hint)


def test_nothing_is_chosen_by_itself(tmp_path: Path):
    made = stores(tmp_path, None)

    assert made.chosen() is None
    with pytest.raises(ConfigError) as caught:
        made.current().put(KEY, SecretText("x"))
    assert caught.value.code == "SECRETS_UNCHOSEN"
    assert list(tmp_path.iterdir()) == []


def test_the_environment_forces_a_store_and_the_config_still_says_its_own(tmp_path: Path):
    made = stores(tmp_path, "keyring", YUNTU_PUSH_SECRETS="file")

    assert made.chosen() == made.current().name == "file"
    assert made.pinned() == "keyring"
