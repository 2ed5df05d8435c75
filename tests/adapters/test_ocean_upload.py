"""Uploads: the platform's time limit, changed bytes, links that are too slow."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import respx

from support.ocean import (
    API,
    QUICK,
    FakeClock,
    FixedTokens,
    a_channel,
    a_client,
    answer,
    hangs,
    raw_answer,
    rude_server,
    says,
)
from yuntu_push.adapters.ocean.client import OceanClient
from yuntu_push.adapters.ocean.data_sources import UPLOAD
from yuntu_push.adapters.system import SystemClock
from yuntu_push.domain.errors import (
    OutcomeUnknownError,
    RefusedError,
    SourceError,
    TryLaterError,
    YuntuPushError,
)

SIZE = 10_000_000


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A part of 10 MB."""
    path = tmp_path / "part-0001.zip"
    path.write_bytes(bytes(SIZE))
    return path


@pytest.fixture
def md5(part: Path) -> str:
    """Its signature."""
    return hashlib.md5(part.read_bytes()).hexdigest()


def _upload(path: Path, md5: str, clock: FakeClock | None = None) -> str:
    return a_client(clock=clock).upload(advertiser_id=1, path=path, md5=md5)


@pytest.fixture
def route() -> Iterator[respx.Route]:
    """The upload endpoint."""
    with respx.mock:
        yield respx.post(f"{API}{UPLOAD}")


class SlowLink(FakeClock):
    """Each look at the clock finds it later: 10 MB in blocks take about ten seconds."""

    def monotonic(self) -> float:
        """Seconds since the start."""
        self.pass_by(10.0 / (SIZE / 65536))
        return self.ticks


@pytest.mark.parametrize("end", ["gateway", "drop", "refusal", "timeout"])
def test_a_link_too_slow_is_told_with_the_size_that_fits(
    end: str, route: respx.Route, part: Path, md5: str
) -> None:
    """However the platform ends an upload that took 10 s: the rate, and the part size to use."""
    clock = SlowLink()

    def late(_request: httpx.Request) -> httpx.Response:
        match end:
            case "gateway":
                return httpx.Response(504, html="<html>504</html>")
            case "refusal":
                return httpx.Response(200, json=answer(code=40001, message="文件上传超时"))
            case "timeout":
                raise httpx.WriteTimeout("late")
            case _:
                raise httpx.RemoteProtocolError("dropped")

    route.mock(side_effect=late)

    with pytest.raises(TryLaterError) as caught:
        _upload(part, md5, clock)

    assert caught.value.code == "UPLOAD_TOO_SLOW"
    assert "1.00 MB/s" in str(caught.value.message)
    assert "--part-size 5900KB" in str(caught.value.hint)
    assert route.call_count == 1


def test_a_silent_platform_is_not_called_a_slow_link(
    route: respx.Route, part: Path, md5: str
) -> None:
    """The part was on its way at once, then nothing came: smaller parts would not help."""
    clock = FakeClock()

    def silent(_request: httpx.Request) -> httpx.Response:
        clock.pass_by(15)
        raise httpx.ReadTimeout("late")

    route.mock(side_effect=silent)

    with pytest.raises(OutcomeUnknownError) as caught:
        _upload(part, md5, clock)

    assert caught.value.code == "PLATFORM_TIMEOUT"


def test_a_quick_failure_is_not_called_slow(route: respx.Route, part: Path, md5: str) -> None:
    """A gateway's 502 after a moment says nothing about the link."""
    route.respond(502)

    with pytest.raises(OutcomeUnknownError) as caught:
        _upload(part, md5)

    assert caught.value.code == "PLATFORM_SERVER_ERROR"


def test_bytes_changed_on_the_way_are_sent_again(route: respx.Route, part: Path, md5: str) -> None:
    """The platform's signature check failed, our file is as it was built: once more."""
    route.mock(
        side_effect=[
            httpx.Response(200, json=answer(code=40900, message="文件签名错误")),
            httpx.Response(200, json=answer({"file_path": "dmp-2"})),
        ]
    )

    assert _upload(part, md5) == "dmp-2"


def test_bytes_changed_twice_are_refused(route: respx.Route, part: Path, md5: str) -> None:
    """Then something on the way changes every upload."""
    route.respond(json=answer(code=40900, message="文件签名错误"))

    with pytest.raises(RefusedError) as caught:
        _upload(part, md5)

    assert (caught.value.code, route.call_count) == ("UPLOAD_SIGNATURE", 2)


def test_a_part_that_changed_on_disk_is_not_sent_again(route: respx.Route, part: Path) -> None:
    """It is our file that differs from its signature."""
    route.respond(json=answer(code=40900, message="文件签名错误"))

    with pytest.raises(SourceError) as caught:
        _upload(part, "0" * 32)

    assert (caught.value.code, route.call_count) == ("SEGMENT_PART_CHANGED", 1)


def test_an_upload_without_a_path_is_unknown(route: respx.Route, part: Path, md5: str) -> None:
    """Success that lacks what it must hold."""
    route.respond(json=answer({}))

    with pytest.raises(OutcomeUnknownError):
        _upload(part, md5)


def test_a_receiver_that_stops_reading_ends_in_time(tmp_path: Path) -> None:
    """The whole upload is limited, not only its single writes."""
    part, stop = tmp_path / "large.zip", threading.Event()
    with part.open("wb") as file:
        file.truncate(60_000_000)  # more than the buffers between here and there
    api = replace(QUICK, upload_timeout=0.15)
    with rude_server(hangs(stop), reads_body=False) as server:
        client = OceanClient(a_channel(server.url), FixedTokens(), api, SystemClock())
        with pytest.raises(TryLaterError) as caught:
            client.upload(advertiser_id=1, path=part, md5="0" * 32)
        stop.set()

    assert caught.value.code == "UPLOAD_TOO_SLOW"


def test_an_early_refusal_is_read(part: Path, md5: str) -> None:
    """A platform that refuses before it has read everything is heard or counts as unknown."""
    refusal = raw_answer(answer(code=40002, message="无权限"))
    with rude_server(says(refusal), reads_body=False) as server, pytest.raises(YuntuPushError):
        a_client(server.url).upload(advertiser_id=1, path=part, md5=md5)


def test_a_missing_part_is_no_matter_of_the_network(tmp_path: Path) -> None:
    """The file is opened first."""
    with pytest.raises(FileNotFoundError):
        _upload(tmp_path / "gone.zip", "0" * 32)
