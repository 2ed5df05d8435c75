"""Answers that are slow, split, cut, too long or garbage: typed errors, bounded memory."""

import random
import resource
import socket
import sys
import time
from collections import Counter

import pytest

from support.ocean import (
    QUICK,
    Behaviour,
    FakeClock,
    a_client,
    answer,
    dribbles,
    raw_answer,
    rude_server,
    says,
)
from yuntu_push.domain.errors import TryLaterError

PAGE = answer(
    {
        "custom_audience_list": [
            {"custom_audience_id": 312_000_000 + n, "name": f"人群包{n}", "status": 2}
            for n in range(100)
        ],
        "total_num": 100,
    }
)
GOOD = raw_answer(PAGE)
GIB = 1024**3
GATEWAY = "<html><head><title>502 Bad Gateway</title></head>" + "<p>nginx</p>" * 500


def huge(connection: socket.socket) -> None:
    """A gibibyte, announced as such."""
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n".encode())
    block = b" " * 2**20
    for _ in range(GIB // len(block)):
        connection.sendall(block)


def late(connection: socket.socket) -> None:
    time.sleep(0.05)
    connection.sendall(GOOD)


def a_case(chance: random.Random) -> tuple[str, Behaviour]:
    """One way in which an answer goes wrong, and its kind."""
    html = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(GATEWAY)}\r\n\r\n"
    wrong = GOOD.replace(
        b"Content-Length: ", b"Content-Length: " + str(chance.randrange(1, 9)).encode()
    )
    spoiled = bytearray(GOOD)
    for _ in range(chance.randrange(1, 40)):
        spoiled[chance.randrange(len(GOOD))] = chance.randrange(256)
    cases: list[tuple[str, Behaviour]] = [
        ("cut", says(GOOD[: 1024 * chance.randrange(len(GOOD) // 1024)])),
        ("cut", says(GOOD[: chance.randrange(len(GOOD))])),
        ("wrong length", says(wrong)),
        ("html", says((html + GATEWAY).encode())),
        ("spoiled", says(bytes(spoiled))),
        ("garbage", says(chance.randbytes(chance.randrange(20_000)))),
        ("garbage body", says(b"HTTP/1.1 200 OK\r\n\r\n" + chance.randbytes(5000))),
        ("late", late),
        ("single bytes", dribbles(GOOD[:3000])),
    ]
    return chance.choice(cases)


@pytest.mark.timeout(3600)
def test_no_answer_makes_more_than_a_typed_error(request: pytest.FixtureRequest):
    full = request.config.getoption("--full-crash-matrix")
    chance, kinds = random.Random(18), Counter[str]()
    cases = [a_case(chance) for _ in range(495 if full else 60)] + [("1 GiB", huge)] * 5
    with rude_server(says(b"")) as server:
        clock = FakeClock()
        client = a_client(server.url, api=QUICK, clock=clock)
        for kind, behaviour in cases:
            clock.pass_by(61)  # the breaker lets one call a minute through
            server.behaviour = behaviour
            try:
                found = list(client.audiences(advertiser_id=1))
            except TryLaterError:
                kinds[f"{kind}: error"] += 1
            else:
                kinds[f"{kind}: answer"] += 1
                assert len(found) <= 100
        client.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    sys.stdout.write(f"{len(cases)} cases, at most {peak:.0f} MB resident: {dict(kinds)}\n")
    assert peak < 300 or not full, "the suite's own process may be large; alone it is not"
    assert kinds["1 GiB: error"] == 5
    assert kinds["late: answer"] == sum(kind == "late" for kind, _ in cases)
