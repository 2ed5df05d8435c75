"""Every code that can be met can be explained, offline."""

import ast
from pathlib import Path

import pytest

from yuntu_push.domain import errors as e
from yuntu_push.domain.explanations import explain, known_codes

SOURCE = Path(__file__).resolve().parents[2] / "src" / "yuntu_push"
KINDS = {cls.__name__: cls for cls in (*e.TryLaterError.__subclasses__(),)} | {
    cls.__name__: cls for cls in e.YuntuPushError.__subclasses__()
}


def _raised() -> dict[str, set[str]]:
    """The codes that stand as first arguments of our errors, with the classes."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            first = node.args[0]
            if not isinstance(first, ast.Constant):
                continue
            if name in {*KINDS, "YuntuPushError"}:
                found.setdefault(str(first.value), set()).add(name)
            elif name == "unknown":
                code = f"{str(first.value).upper().replace(' ', '_')}_UNKNOWN"
                found.setdefault(code, set()).add("ConfigError")
    return found


def test_every_code_that_is_raised_is_explained() -> None:
    """Whoever adds an error adds its line; the class told is one that it is raised as."""
    missing = sorted(code for code in _raised() if explain(code) is None)

    assert missing == [], "say in domain/own_codes.py what these codes mean"


def test_what_cron_may_simply_run_again_is_retryable() -> None:
    """By the table of exit codes: 75, 130 and 143, and nothing else."""
    retryable = {kind for kind in KINDS.values() if kind.retryable}

    assert retryable == {e.TryLaterError, e.StoppedError, *e.TryLaterError.__subclasses__()}
    found = explain("INTERRUPTED")
    assert found is not None
    assert found.kind is e.StoppedError


def test_every_error_has_a_next_step() -> None:
    """`hint` is a promise to scripts and people alike."""
    makers = {*KINDS, "YuntuPushError", "unknown"}
    without = [
        f"{path.name}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in makers
        and not {"hint", None} & {keyword.arg for keyword in node.keywords}
    ]

    assert without == []


@pytest.mark.parametrize("code", known_codes())
def test_each_explanation_is_whole(code: str) -> None:
    """A meaning and a step."""
    found = explain(code)

    assert found is not None
    assert found.code == code
    assert str(found.meaning)
    assert str(found.step)


@pytest.mark.parametrize("text", ["publish_window", "PUBLISH-WINDOW", "  Publish_Window "])
def test_codes_are_found_however_they_are_typed(text: str) -> None:
    """Case and dashes are forgiven."""
    found = explain(text)

    assert found is not None
    assert found.code == "PUBLISH_WINDOW"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40002", e.LoginError),
        ("40100", e.ThrottledError),
        ("50123", e.OutcomeUnknownError),
        ("40117", e.LoginError),
        ("61002", e.TryLaterError),
    ],
)
def test_platform_codes_and_their_families_are_explained(
    code: str, kind: type[e.YuntuPushError]
) -> None:
    """As the class of error that we make of them."""
    found = explain(code)

    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize("code", ["", "12345", "NO_SUCH", "9" * 5000, "٤٠٠٠٢", "-1"])
def test_what_is_no_code_is_not_explained(code: str) -> None:
    """None, never a stumble."""
    assert explain(code) is None
