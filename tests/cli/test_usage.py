"""A line that cannot be parsed is refused in the reader's language, with the nearest right word."""

import re
from pathlib import Path

import pytest

from support.cli import yuntu
from support.here import yuntu_here

LINES = [
    ("push list --stat waiting", "there is no option --stat; did you mean --state?"),
    ("push lst", "there is no command 'lst'; known: list"),
    ("pusch", "there is no command 'pusch'; known: push, schema"),
    ("push", "a command is needed"),
    ("push create", "--name is missing"),
    ("push cancel", "PUSH is missing"),
    ("push status a b", "too many words: b"),
    ("push list --since", "option --since needs a value"),
    ("push create --dry-run=3", "option --dry-run takes no value"),
    ("auth move acme --to env", "--to takes one of keyring, file, not 'env'"),
    ("segment build x y --header-row one", "--header-row: expected a number"),
    ("segment build x y --header-row 0", "--header-row: expected a number of at least 1"),
]


@pytest.mark.parametrize(("line", "said"), LINES)
def test_a_wrong_line_is_a_usage_error_that_says_what_is_wrong(
    tmp_path: Path, line: str, said: str
):
    run = yuntu_here(*line.split(), home=tmp_path)

    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error[USAGE]: {said}\n")
    assert "--help`" in run.stderr


def test_in_chinese_nothing_is_left_in_the_parsers_english(tmp_path: Path):
    for line in ("push list --stat waiting", "push lst", "push create"):
        run = yuntu(*line.split(), "--lang", "zh", home=tmp_path)
        assert run.stderr.startswith("错误[USAGE]: ")
        assert not re.search("Missing|No such|Invalid|argument", run.stderr)
