"""A process whose clock is some days ahead."""

import os
from pathlib import Path

_SITE = """
import datetime as _d, os as _o
_ahead = _d.timedelta(days=float(_o.environ["TEST_DAYS_AHEAD"]))
_real = _d.datetime
class datetime(_real):
    @classmethod
    def now(cls, tz=None):
        return _real.now(tz) + _ahead
_d.datetime = datetime
"""


def shifted(folder: Path, *, days: float) -> dict[str, str]:
    """The environment of a Python process that lives `days` later."""
    site = folder / "later"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(_SITE)
    path = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path), "TEST_DAYS_AHEAD": str(days)}
