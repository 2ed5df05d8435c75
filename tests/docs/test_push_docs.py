"""The page about pushes lists every state with its moves, every step, and the default waits."""

import re
from pathlib import Path

import pytest

from yuntu_push.domain.push import MOVES, PushState, StepName
from yuntu_push.domain.settings import PushSettings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pushes.md").read_text("utf-8")


@pytest.mark.parametrize("state", PushState)
def test_every_state_and_its_moves_are_listed(state: PushState):
    row = re.search(
        rf"^\| `{state}` \|.*\| (.*) \|$|^\| `{state}` \|.*\|( )\|$", PAGE, re.MULTILINE
    )
    assert row is not None
    named = set(re.findall(r"`(\w+)`", row[1] or ""))
    if row[1] == "any other":
        named = {each.value for each in PushState} - {"pending", "running"}
    assert named == {each.value for each in MOVES[state]}


@pytest.mark.parametrize("step", StepName)
def test_every_step_is_named(step: StepName):
    assert f"`{step}`" in PAGE


def test_the_waits_are_the_defaults():
    settings = PushSettings()
    assert f"`push.reconcile_wait` ({settings.reconcile_wait / 60:g} m)" in PAGE
    assert f"`push.settle` ({settings.settle / 60:g} m)" in PAGE
    assert f"`--poll` ({settings.poll:g} s)" in PAGE
