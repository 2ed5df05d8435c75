"""`docs/sandbox.md` says what the sandbox can do: every switch, effect and account is real."""

import re
import subprocess
import sys
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

import pytest

from support.sandbox import local_sandbox
from yuntu_push.sandbox.faults import Effect
from yuntu_push.sandbox.options import SWITCHES, SandboxOptions, read_switches

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "sandbox.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|`]+) \|", PAGE, flags=re.MULTILINE))


def test_every_switch_is_listed_and_its_first_value_is_the_default():
    assert ROWS.keys() == SWITCHES
    for field in fields(SandboxOptions):
        if field.name in SWITCHES:
            first = ROWS[field.name].split(",")[0].strip()
            assert read_switches([f"{field.name}={first}"]) == {field.name: field.default}


def test_the_help_names_every_switch():
    words = [sys.executable, "-m", "yuntu_push", "sandbox", "serve", "--help"]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60)
    assert {name for name in SWITCHES if f"{name}=" not in done.stdout} == set()


def test_every_value_of_a_switch_is_listed():
    for field in fields(SandboxOptions):
        if isinstance(field.type, type) and issubclass(field.type, StrEnum):
            listed = {each.strip() for each in ROWS[field.name].split(",")}
            assert listed == {each.value for each in field.type}


@pytest.mark.parametrize("effect", [each.value for each in Effect if each is not Effect.HTTP])
def test_every_effect_is_listed(effect: str):
    assert f"`{effect}`" in PAGE


def test_the_world_is_as_described():
    with local_sandbox() as sb:
        for name, number in re.findall(
            r"^\| ([^|,`]+?)(?:, [^|]+)? \| (\d{16})", PAGE, re.MULTILINE
        ):
            assert sb.world.state.accounts[int(number)].name.startswith(name)


def test_every_control_request_exists_and_every_picture_too():
    with local_sandbox() as sb:
        for method, name in re.findall(r"`(GET|POST) (/_sandbox/[\w/]+)", PAGE):
            assert sb.raw(method, name, json={}).status_code in (200, 400)
    for picture in re.findall(r"\((images/[\w.-]+)\)", PAGE):
        assert (DOCS / picture).stat().st_size > 10_000
