"""The config file: what is read, what is refused, what an edit leaves alone."""

import os
import re
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from yuntu_push.adapters.config_decoder import env_name
from yuntu_push.adapters.config_file import ConfigFile
from yuntu_push.domain.channel import Channel, ChannelKind
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.settings import GuardEntry, Settings

ROOT = Path(__file__).resolve().parents[2]


def config(tmp_path: Path, text: str, **environ: str) -> ConfigFile:
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")
    return ConfigFile(path, environ)


def refusals(file: ConfigFile) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        file.load()
    return [str(error.message) for error in (caught.value, *caught.value.also)]


def test_the_example_loads_and_says_what_the_contract_shows():
    """The commented example of the repository is a valid config."""
    settings = ConfigFile(ROOT / "config.example.yaml", {}).load().settings

    assert settings.channels["acme"].app_id == 1234567890123456
    assert settings.sources["crm"].url == "postgresql://analyst@db.internal/crm"
    vip = settings.pushes["vip_daily"]
    assert (vip.name, vip.account, vip.brands) == ("高价值会员", "1700000000000001", ("某品牌",))
    assert (vip.mode, vip.copy, vip.publish_at) == ("reset", "first", "03:30")
    assert vip.guards.max_removed == "30%"
    assert vip.segment.ids == {"MOBILE_HASH_SHA256": "mobile"}


def test_the_defaults_in_the_comments_are_the_defaults(tmp_path: Path):
    """What the example shows as a default behind `#` is what an empty file gives."""
    text = (ROOT / "config.example.yaml").read_text("utf-8")
    shown = re.sub(r"(?m)^# ?", "", text[text.index("# secrets:") :])
    without_samples = re.sub(r"(?m)^  (backend|key_command):.*\n", "", shown)

    loaded = config(tmp_path, without_samples).load().settings

    assert loaded == config(tmp_path, "").load().settings


def test_the_example_shows_every_key():
    text = (ROOT / "config.example.yaml").read_text("utf-8")
    assert [key for key in keys_of(Settings) if not re.search(rf"\b{key}:", text)] == []
    assert "max_ids" in text


def keys_of(section: type) -> Iterator[str]:
    """The keys of a section and of those in it; `max_ids` and so on stand in a list of guards."""
    for name, hint in typing.get_type_hints(section).items():
        kinds = [each for each in (hint, *typing.get_args(hint)) if is_dataclass(each)]
        if kinds != [GuardEntry]:
            yield name
            yield from (key for kind in kinds for key in keys_of(kind))


def test_the_packaged_example_is_the_one_of_the_repository():
    packaged = ROOT / "src" / "yuntu_push" / "config.example.yaml"

    assert packaged.read_text("utf-8") == (ROOT / "config.example.yaml").read_text("utf-8")


def test_a_wrong_value_is_named_with_key_path_and_line(tmp_path: Path):
    file = config(tmp_path, "channels:\n  acme:\n    kind: yuntu\n    app_id: many\n")

    assert refusals(file) == ["channels.acme.app_id: expected a number (config.yaml:4)"]


def test_every_error_is_found_in_one_look(tmp_path: Path):
    file = config(
        tmp_path,
        "chanels: {}\npush:\n  poll: 3x\n  uploads: two\n  pole: 1\nsources:\n  crm: {}\n",
    )

    assert refusals(file) == [
        "chanels: unknown key; did you mean channels? (config.yaml:1)",
        "push.pole: unknown key; did you mean poll? (config.yaml:5)",
        "push.uploads: expected a number (config.yaml:4)",
        "push.poll: expected a duration such as 90, 90s, 3m or 3h (config.yaml:3)",
        "sources.crm.url: is missing (config.yaml:7)",
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("channels: [", "not valid YAML"),
        ("a: 1\na: 2\n", "is there twice (config.yaml:2)"),
        ("just text\n", "expected sections"),
        ("push: 3\n", "push: expected keys and values (config.yaml:1)"),
        ("channels:\n  é: {kind: yuntu, app_id: 1}\n", "is not a name for a channel"),
        ("channels:\n  a: {kind: tiktok, app_id: 1}\n", "one of yuntu, oceanengine, qianchuan"),
        ("channels:\n  a: {kind: yuntu, app_id: 1, same_app_as: b}\n", "same_app_as"),
        ("segments: {part_size: big}\n", "a size such as 10MB"),
        (f"segments: {{part_size: {'9' * 400}GB}}\n", "a size such as 10MB"),
        ("segments: {part_size: １０MB}\n", "a size such as 10MB"),
        ("push: {stall: 99999999d}\n", "a duration such as 90"),
        ("push: {stall: ９０}\n", "a duration such as 90"),
        ("segments: {deflate_level: 9}\n", "one of auto, 0, 1, 2, 3"),
        ("x: *unknown\n", "not valid YAML"),
    ],
)
def test_bad_files_are_config_errors(tmp_path: Path, text: str, part: str):
    assert part in refusals(config(tmp_path, text))[0]


def test_a_file_that_is_not_utf8_is_a_config_error(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_bytes("channels: {}  # 渠道".encode("gb18030"))

    with pytest.raises(ConfigError, match="CONFIG_ENCODING"):
        ConfigFile(path, {}).load()


def test_times_and_long_ids_stay_text(tmp_path: Path):
    """YAML 1.1 would read 12:30 as 750; ids may come without quotes."""
    file = config(
        tmp_path,
        "pushes:\n  a:\n    name: x\n    publish_at: 12:30\n    account: 1700000000000001\n"
        "    brands: [42, 某品牌]\n    segment: {name: s, csv: a.csv, ids: {UID: c}}\n",
    )

    entry = file.load().settings.pushes["a"]

    assert (entry.publish_at, entry.account) == ("12:30", "1700000000000001")
    assert entry.brands == ("42", "某品牌")


VIP = {
    "name": "x", "brands": "[b]", "segment": "{name: s, csv: [a.csv], ids: {phone: c}}",
}  # fmt: skip


def entry_of(**changed: str) -> str:
    """A `pushes:` entry on lines of its own, the first key on line 3."""
    values = {**VIP, **changed}
    return "pushes:\n  vip:\n" + "".join(f"    {k}: {v}\n" for k, v in values.items())


def test_the_entry_that_the_wrong_ones_are_made_of_is_right(tmp_path: Path):
    assert config(tmp_path, entry_of()).load().settings.pushes["vip"].brands == ("b",)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a b"),
        ("name", "一二三四五六七八九十一二三四五六七"),
        ("id_types", "[IMEY]"),
        ("publish_at", "25:00"),
        ("publish_at", "3:30"),
        ("audience_name", '"{nope}"'),
        ("audience_name", '"{"'),
        ("expect_every", "0s"),
        ("guards", "{max_removed: much}"),
        ("guards", "{max_growth: -3}"),
        ("guards", "{min_ids: -1}"),
        ("segment", "{name: a/b, csv: [a.csv], ids: {phone: c}}"),
        ("segment", "{name: s, csv: [a.csv], ids: {}}"),
        ("segment", "{name: s, csv: [a.csv], ids: {phon: c}}"),
        ("segment", "{name: s, ids: {phone: c}}"),
        ("segment", "{name: s, csv: [a.csv], sql: select 1, ids: {phone: c}}"),
        ("segment", "{name: s, csv: [a.csv], ids: {phone: c}, max_rejects: 200%}"),
        ("segment", "{name: s, csv: [a.csv], ids: {phone: c}, header_row: 0}"),
        ("segment", "{name: s, csv: [a.csv], ids: {phone: c}, min_rows: -1}"),
    ],
)
def test_a_value_of_an_entry_that_makes_no_sense_is_found_before_a_run(
    tmp_path: Path, key: str, value: str
):
    """The run of a cron job, hours later, is too late to hear of it."""
    (refusal,) = refusals(config(tmp_path, entry_of(**{key: value})))

    line = 3 + list({**VIP, key: value}).index(key)
    assert refusal.startswith(f"pushes.vip.{key}")
    assert refusal.endswith(f"(config.yaml:{line})")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("push.uploads", "0"),
        ("push.poll", "0"),
        ("push.stall", "0s"),
        ("api.rate", "-1"),
        ("api.rate", ".nan"),
        ("api.timeout", "0"),
        ("api.name_byte_limit", "0"),
        ("secrets.timeout", "0"),
        ("segments.keep_days", "-1"),
        ("segments.part_size", "9KB"),
        ("segments.part_size", "51MB"),
    ],
)
def test_a_number_that_makes_no_sense_is_named_by_its_key(tmp_path: Path, key: str, value: str):
    (refusal,) = refusals(config(tmp_path, "", **{env_name(key): value}))

    assert refusal.startswith(f"{key}: expected ")
    assert refusal.endswith(f"({env_name(key)})")


def test_text_of_the_environment_is_taken_as_it_stands(tmp_path: Path):
    """Braces and colons mean something to YAML, not to a person who sets a variable."""
    file = config(
        tmp_path,
        entry_of(),
        YUNTU_PUSH_PUSHES_VIP_AUDIENCE_NAME="{name}_{id}",
        YUNTU_PUSH_PUSHES_VIP_DESCRIPTION="会员: 周更",
        YUNTU_PUSH_PUSHES_VIP_BRANDS="某品牌",
        YUNTU_PUSH_PUSHES_VIP_TARGETS='["1700000000000002", "1700000000000003"]',
        YUNTU_PUSH_PUSHES_VIP_ACCOUNT="",
    )

    entry = file.load().settings.pushes["vip"]

    assert (entry.audience_name, entry.description) == ("{name}_{id}", "会员: 周更")
    assert (entry.brands, entry.account) == (("某品牌",), None)
    assert entry.targets == ("1700000000000002", "1700000000000003")


def test_the_environment_overrides_any_key_and_is_named_as_origin(tmp_path: Path):
    file = config(
        tmp_path,
        "channels:\n  my-shop: {kind: yuntu, app_id: 7}\npush: {poll: 5}\n",
        YUNTU_PUSH_PUSH_RECONCILE_WAIT="3m",
        YUNTU_PUSH_CHANNELS_MY_SHOP_CLIENT="holding",
        YUNTU_PUSH_SECRETS="file",
    )

    loaded = file.load()

    assert loaded.settings.push.reconcile_wait == 180
    assert loaded.settings.channels["my-shop"].client == "holding"
    assert loaded.settings.secrets.backend == "file"
    assert loaded.origins["push.reconcile_wait"] == "env YUNTU_PUSH_PUSH_RECONCILE_WAIT"
    assert loaded.origins["push.poll"] == "config.yaml:3"
    assert loaded.origins["push.uploads"] == "default"


def test_a_wrong_environment_value_names_the_variable(tmp_path: Path):
    file = config(tmp_path, "", YUNTU_PUSH_PUSH_UPLOADS="many")

    assert refusals(file) == ["push.uploads: expected a number (YUNTU_PUSH_PUSH_UPLOADS)"]


def test_every_default_key_has_a_mechanical_environment_name(tmp_path: Path):
    loaded = config(tmp_path, "").load()
    names = [env_name(key) for key in loaded.origins]

    assert len(names) == len(set(names))
    assert [n for n in names if not re.fullmatch(r"YUNTU_PUSH_[A-Z]+_[A-Z_0-9]+", n)] == []


def test_adding_and_removing_a_channel_keeps_comments_and_order(tmp_path: Path):
    text = (
        "# ours\npush:\n  poll: 90   # slow link\n\nchannels:\n  # the first brand\n"
        "  acme:\n    kind: yuntu # keep\n    app_id: 1\n"
    )
    file = config(tmp_path, text)

    file.add_channel(Channel("beta", ChannelKind.YUNTU, 1234567890123456, auth_url="https://x/y"))
    added = file.path.read_text("utf-8")
    file.remove_channel("beta")

    assert added.startswith(text)
    assert file.path.read_text("utf-8") == text
    assert ConfigFile(file.path, {}).load().settings.push.poll == 90


def test_the_example_that_init_writes_is_valid_and_takes_a_channel(tmp_path: Path):
    file = ConfigFile(tmp_path / "new" / "config.yaml", {})

    assert file.write_example()
    assert not file.write_example()
    before = file.path.read_text("utf-8")
    file.add_channel(Channel("acme", ChannelKind.YUNTU, 1))

    assert file.path.read_text("utf-8").startswith(before.rstrip())
    assert list(file.load().settings.channels) == ["acme"]
    assert oct(file.path.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("app_id", "-5"),
        ("callback_url", "http://127.0.0.1:99999/cb"),
        ("callback_url", "'http://[::1'"),
        ("callback_url", "http://192.0.2.1/cb"),
        ("auth_url", "'http://['"),
        ("auth_url", "javascript:alert(1)"),
        ("auth_url", "https://open.oceanengine.com/audit/oauth.html?app_id=2"),
        ("api_url", "'https://['"),
        ("api_url", "https://api.oceanengine.com:99999"),
        ("api_url", "https://api.ocean engine.com"),
        ("api_url", "http://api.oceanengine.com"),
    ],
)
def test_a_channel_written_by_hand_is_held_to_the_rules_of_channel_add(
    tmp_path: Path, key: str, value: str
):
    entry = {"kind": "yuntu", "app_id": "1", key: value}
    lines = ["channels:", "  acme:", *(f"    {k}: {v}" for k, v in entry.items())]
    path = tmp_path / "config.yaml"
    path.write_text("\n".join(lines) + "\n")

    with pytest.raises(ConfigError) as caught:
        ConfigFile(path, {}).load()

    line = next(n for n, text in enumerate(lines, 1) if text.strip().startswith(f"{key}:"))
    assert f"channels.acme.{key}: " in str(caught.value)
    assert f"(config.yaml:{line})" in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_config_that_is_a_link_stays_one(tmp_path: Path):
    """People keep their config in a repository and link to it."""
    kept = tmp_path / "dotfiles" / "yuntu.yaml"
    kept.parent.mkdir()
    kept.write_text("# mine\n")
    link = tmp_path / "config.yaml"
    link.symlink_to(kept)

    ConfigFile(link, {}).add_source("crm", "postgresql://db/crm")

    assert link.is_symlink()
    assert "crm" in kept.read_text()
    assert list(kept.parent.iterdir()) == [kept]
