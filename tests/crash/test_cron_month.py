"""The README's lines of cron, run for weeks by the clock of a sandbox where things go wrong."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from support.month import FEW_TICKS, TICKS, Growth, Month, cron_lines, follow, live, month, report

QUIET = {0, 5, 6, 75}  # done, the platform could not parse, a guard refused, later


def test_the_readme_has_the_two_lines():
    (daily, run), (often, resume) = cron_lines()
    assert (daily, often) == ("30 2 * * *", "*/10 * * * *")
    assert (run[:2], resume[:3]) == (["push", "run"], ["push", "resume", "--all"])


@pytest.mark.timeout(2 * 3600)
def test_cron_for_weeks_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    """All runs in this process, so that what a run holds on to would add up: nothing does."""
    full = request.config.getoption("--full-crash-matrix")
    days, ticks = (30, TICKS) if full else (5, FEW_TICKS)
    growth = Growth(warm=50 if full else 15)
    with month(tmp_path / "month", seed=4, mode="mirror") as made:
        follow(made.clock, monkeypatch.setattr)
        monkeypatch.setenv("YUNTU_PUSH_HOME", str(made.home))
        live(made, days, ticks, processes=False, growth=growth)
        sys.stdout.write(report(made, growth))
        assert_all_is_well(made, days)
    assert growth.files_growth == 0
    assert growth.resident_growth < 20e6


@pytest.mark.timeout(2 * 3600)
def test_cron_for_weeks_of_processes_some_of_them_killed(
    tmp_path: Path, request: pytest.FixtureRequest
):
    full = request.config.getoption("--full-crash-matrix")
    days, ticks = (30, TICKS) if full else (2, FEW_TICKS[1:6])
    with month(tmp_path / "month", seed=9, mode="reset") as made:
        live(made, days, ticks, processes=True)
        sys.stdout.write(report(made))
        assert_all_is_well(made, days)


def assert_all_is_well(made: Month, days: int) -> None:
    """The brand has what the source has; one of everything; nobody was needed."""
    assert not made.problems, "\n".join(made.problems)
    assert {code for _, code in made.codes} <= QUIET, report(made)
    assert sum(n for (_, code), n in made.codes.items() if code == 5) <= days // 8 + 1
    state = made.platform()
    [source], [audience] = state["data_sources"], state["audiences"]
    assert source["audience_id"] == audience["id"]
    assert made.is_what_the_source_has(audience), (report(made), source["logs"][-3:])

    copies = state["copies"]
    per_content = Counter(copy["log_id"] for copy in copies)
    assert set(per_content.values()) == {1}, f"copied twice: {per_content}"
    newest = max(copies, key=lambda copy: copy["requested"])
    in_force = max(state["publishes"], key=lambda publish: publish["requested"])
    assert newest["log_id"] == in_force["log_id"] == audience["log_id"]
    assert newest["upload_num"] == len(set(made.people))
    assert len(state["publishes"]) <= days

    stale = made.run("doctor", "--stale")
    assert stale.code == 0, stale.stdout
    working = made.run("push", "list", "--state", "running", "--state", "waiting")
    assert working.data["pushes"] == []
