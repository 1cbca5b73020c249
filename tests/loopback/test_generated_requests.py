"""A slice of `python -m benchmarks.hostile`: requests made of the server's description, which may find nothing."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest
from schemathesis.generation.modes import GenerationMode

from benchmarks import hostile, hostile_http, hostile_lines
from benchmarks.hostile_kept import MARK, Kept, keep
from benchmarks.hostile_tally import Tally
from benchmarks.hostile_wire import Wire
from benchmarks.two_practices import House, house_of_two

pytestmark = pytest.mark.loopback
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_of_two(**hostile.UNLIMITED, SAMEDAY_PATIENCE_S="2") as made:
        yield made


@pytest.fixture(scope="module")
def there(house: House) -> Kept:
    return asyncio.run(keep(house))


def assert_harmless(tally: Tally, least: int) -> None:
    assert tally.faults == []
    assert tally.sent >= least, tally.answers


async def test_what_is_looked_for_is_there_for_its_own_practice(house: House, there: Kept) -> None:
    session, chart = there.others["name"][0], there.others["key"][0]
    async with house.client("anna") as anna:
        for path in (f"/api/charts/{chart}", f"/api/sessions/{session}/transcript", f"/api/sessions/{session}/note"):
            assert MARK in (await anna.get(path)).text, path
    tally = Tally("as a check of the check")
    hostile_http.judge(tally, "GET", 200, f"<p>{MARK}</p>".encode(), there.secret)
    hostile_http.judge(tally, "GET", 500, b"{}", there.secret)
    hostile_http.judge(tally, "GET", 503, b'{"error": {"code": "overloaded"}}', there.secret)
    assert [one.kind for one in tally.faults] == ["content of another practice", "5xx"]


def test_generated_requests(house: House, there: Kept) -> None:
    target = hostile_http.described(house, there)
    tally = hostile_http.generated(target, 110, 7, time.monotonic() + LIMIT_S, [GenerationMode.POSITIVE])
    assert_harmless(tally, 100)
    assert len(tally.by_request) > 40, "every operation is asked for"
    assert hostile.log_of(house).faults == []


def test_path_tricks(house: House, there: Kept) -> None:
    tricks = hostile_http.TRICKS[::4]
    assert_harmless(hostile_http.odd_paths(hostile_http.described(house, there), tricks), 200)


def test_broken_frames_and_offers(house: House, there: Kept) -> None:
    until = time.monotonic() + LIMIT_S
    with Wire(house, there) as wire:
        assert_harmless(wire.frames(25, 7, until), 25)
        assert_harmless(wire.bytes_(25, 7, until), 25)
        assert_harmless(wire.offers(25, 7, until), 25)
    assert hostile.log_of(house).faults == []


async def test_few_sessions_of_an_account_wait_for_audio(house: House, there: Kept) -> None:
    tally = await hostile_lines.sessions_never_fed(house, 8)
    assert_harmless(tally, 8)
    assert tally.answers["429"] >= 4


async def test_oversized_requests_and_the_description_itself(house: House) -> None:
    assert_harmless(await hostile_lines.oversized(house), 9)
    async with httpx.AsyncClient(base_url=house.server.url) as nobody:
        assert (await nobody.get("/openapi.json")).status_code == 401
