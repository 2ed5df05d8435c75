"""`config show|check`: what applies, where it came from, and what does not belong there."""

from pathlib import Path

from support.here import yuntu_here as yuntu

CONFIG = """\
sources:
  crm:
    url: postgresql://me:geheim@db.internal/crm
pushes:
  vip:
    name: 日更
    brands: [某品牌]
    segment: {name: vip, csv: [a.csv], ids: {phone: 手机号}}
"""


def home(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    return tmp_path


def test_a_password_that_stands_in_the_config_is_pointed_at_and_never_shown(tmp_path: Path):
    checked = yuntu("config", "check", home=home(tmp_path))
    shown = yuntu("config", "show", "--origin", home=tmp_path)

    assert checked.code == shown.code == 0
    assert "sources.crm.url holds a password" in checked.stderr
    assert "sources.crm.url\tpostgresql://me@db.internal/crm\tconfig.yaml:3" in shown.stdout
    assert "geheim" not in checked.stdout + checked.stderr + shown.stdout + shown.stderr


def test_what_stands_in_a_map_came_with_the_map(tmp_path: Path):
    environ = {"YUNTU_PUSH_PUSHES_VIP_MODE": "mirror"}
    origins = yuntu("config", "show", "--origin", "--json", home=home(tmp_path), env=environ).data[
        "origins"
    ]

    assert origins["pushes.vip.segment.ids.phone"] == "config.yaml:8"
    assert origins["pushes.vip.mode"] == "env YUNTU_PUSH_PUSHES_VIP_MODE"
    assert origins["push.poll"] == "default"


def test_the_version_is_an_envelope_under_json(tmp_path: Path):
    plain, wrapped = (yuntu("--version", *form, home=tmp_path) for form in ([], ["--json"]))

    assert plain.stdout == f"yuntu-push {wrapped.data['version']}\n"
    assert (wrapped.envelope["status"], wrapped.code) == ("ok", 0)


def test_verbose_says_more_and_quiet_less(tmp_path: Path):
    """On stderr; the result is the same."""
    told = yuntu("segment", "list", "-v", home=home(tmp_path))

    assert f"config file: {tmp_path / 'config.yaml'}" in told.stderr
    assert "no segment yet" in yuntu("segment", "list", home=tmp_path).stderr
    assert yuntu("segment", "list", "-q", home=tmp_path).stderr == ""
