"""Times as people and scripts read them: Beijing time, with the offset in JSON."""

from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")  # no daylight saving since 1991


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with offset, for JSON."""
    return None if moment is None else moment.astimezone(BEIJING).isoformat(timespec="seconds")


def shown(moment: datetime | None) -> str:
    """The minute in Beijing time, for tables; `-` when there is none."""
    return "-" if moment is None else moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M +08:00")
