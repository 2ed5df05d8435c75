"""What a refresh that was interrupted left behind."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RefreshRecord:
    """A refresh that began and was not finished.

    `generation` is the grant whose refresh token was spent. `answer` is the platform's raw answer,
    or None when the process died before it was kept: then nobody knows whether the platform gave
    out new tokens.
    """

    generation: int
    started_at: datetime
    answer: bytes | None = field(repr=False)
