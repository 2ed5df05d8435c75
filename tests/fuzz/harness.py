"""What the targets share: a corpus, and a run under atheris."""

import importlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from yuntu_push.domain.errors import YuntuPushError

CORPUS = Path(__file__).with_name("corpus")
Target = Callable[[bytes], None]


def checked(parse: Callable[[bytes], object]) -> Target:
    """The target of a parser: an error of ours with a hint is an answer, any other is a find."""

    def target(data: bytes) -> None:
        try:
            parse(data)
        except YuntuPushError as error:
            _check(error)

    return target


def _check(error: YuntuPushError) -> None:
    assert error.hint is not None, f"{error.code} has no next step"
    assert str(error.message)


def run(name: str, target: Target, modules: Sequence[str], argv: Sequence[str] = ()) -> None:
    """Fuzz until a find or the time given; new inputs go to a temporary folder, if none is named.

    `modules` are those whose branches guide the fuzzer; they are loaded here for the first time.
    """
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=list(modules)):
        for module in modules:
            importlib.import_module(module)
    words = list(argv or sys.argv)
    folders = [word for word in words[1:] if not word.startswith("-")]
    found = folders or [tempfile.mkdtemp(prefix=f"fuzz-{name}-")]
    options = [word for word in words[1:] if word.startswith("-")]
    atheris.Setup(
        [words[0], "-timeout=25", "-rss_limit_mb=3000", *options, *found, str(CORPUS / name)],
        target,
    )
    atheris.Fuzz()
