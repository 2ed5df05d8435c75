"""One scene for all tests that kill real processes: it takes seconds to make."""

import shutil
import sys
from collections.abc import Iterator

import pytest

from support.scene import Scene, scene


@pytest.fixture(scope="session")
def made_scene() -> Iterator[Scene]:
    if sys.platform != "linux":
        pytest.skip("forks, kernel locks and strace as Linux has them")
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    with scene() as made:
        yield made


@pytest.fixture
def one_push(made_scene: Scene) -> Scene:
    """A stored push that no process has run yet."""
    made_scene.renew()
    return made_scene


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether every point is to be tried (`--full-crash-matrix`), not a sample."""
    return bool(request.config.getoption("--full-crash-matrix"))
