"""The generated pages are fresh, and the glossary has the words that people see."""

from pathlib import Path

import pytest
from tests.support.pages import PAGES

from yuntu_push.cli.i18n import Translator
from yuntu_push.services.push.labels import STATE_LABELS, STEP_LABELS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_what_the_code_says(page: str):
    assert (DOCS / page).read_text("utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("label", [*STATE_LABELS.values(), *STEP_LABELS.values()], ids=str)
def test_the_glossary_has_the_chinese_of_every_state_and_step(label: object):
    zh = Translator("zh")
    glossary = (DOCS / "glossary.md").read_text("utf-8")

    assert f"| {Translator('en').render(label)} | {zh.render(label)} |" in glossary
