"""Many processes that reserve one quota together.

`python -m support.quota_claims PROCESSES CLAIMS PUSH FOLDER…` prints, for the state file in each
folder, how many each process was granted.
"""

import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from support.crowd import crowd
from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.pushes import PushFile
from yuntu_push.domain.push import Call, StepName
from yuntu_push.domain.push_record import Intent
from yuntu_push.domain.quota import QuotaClaim, QuotaKind

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def claim_some(folder: str, push_id: str, count: int, number: int) -> int:
    """Reserve `count` creates as runs do, one after the other; how many were granted."""
    store = PushFile(Database(Path(folder) / "state.db"))
    granted = 0
    for turn in range(count):
        store.claim(push_id, AT)
        intent = Intent(
            step=StepName.CREATE_DATA_SOURCE,
            key=f"{number}-{turn}",
            fingerprint="f",
            before="",
            at=AT,
            claim=QuotaClaim(QuotaKind.CREATE, "1", AT),
            verdict=None,
        )
        granted += isinstance(store.begin(push_id, intent), Call)
    return granted


def main() -> None:
    processes, claims, push_id, *folders = sys.argv[1:]
    rounds = [
        crowd(int(processes), partial(claim_some, at, push_id, int(claims))) for at in folders
    ]
    sys.stdout.write(json.dumps(rounds))


if __name__ == "__main__":
    main()
