"""Named statements out of the `.sql` files beside this module."""

import functools
import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@functools.cache
def statements(topic: str) -> Mapping[str, str]:
    """The statements of `queries/<topic>.sql` by the names in their heads."""
    file = resources.files("yuntu_push.adapters.store") / "queries" / f"{topic}.sql"
    pieces = _NAME.split(file.read_text("utf-8"))[1:]
    return dict(zip(pieces[::2], (text.strip() for text in pieces[1::2]), strict=True))
