"""Every parser takes every input of the corpus: an answer or an error of ours, no traceback."""

import importlib

import pytest
from tests.fuzz.harness import CORPUS

TARGETS = ("config", "csv", "excel", "parquet", "sql_gate")


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_gives_answers_or_errors_of_ours(name: str) -> None:
    """What the fuzzer once found stays found."""
    target = importlib.import_module(f"tests.fuzz.{name}").parse
    files = sorted((CORPUS / name).iterdir())
    assert files, "each target has a corpus"
    for file in files:
        target(file.read_bytes())
        target(file.read_bytes()[: file.stat().st_size // 2])
