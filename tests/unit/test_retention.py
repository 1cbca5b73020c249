"""What is due to be deleted, by age and settings."""

from datetime import datetime, timedelta

import pytest

from streaming.events import Scope
from streaming.retention import Age, Times, due

pytestmark = pytest.mark.unit

ENDED = datetime.fromisoformat("2026-01-31T10:50:00+01:00")
ALL = Times(audio_days=5, transcript_days=10, unsigned_days=30)


def age(*, signed_after: float | None = None, gone: Scope | None = None) -> Age:
    signed = None if signed_after is None else (ENDED + timedelta(days=signed_after)).isoformat()
    return Age(ENDED.isoformat(), signed, gone)


@pytest.mark.parametrize(
    ("known", "times", "days", "expected"),
    [
        (age(), Times(), 9999, None),
        (age(signed_after=0), Times(), 9999, None),
        (age(), ALL, 4.9, None),
        (age(), ALL, 5, "audio"),
        (age(gone="audio"), ALL, 29, None),
        (age(gone="audio"), ALL, 30, "session"),
        (age(), Times(transcript_days=10), 9999, None),
        (age(signed_after=3), ALL, 12.9, "audio"),
        (age(signed_after=3), ALL, 13, "transcript"),
        (age(signed_after=3, gone="audio"), ALL, 13, "transcript"),
        (age(signed_after=3, gone="transcript"), ALL, 9999, None),
        (age(signed_after=40), Times(unsigned_days=30), 9999, None),
    ],
)
def test_what_is_due(known: Age, times: Times, days: float, expected: Scope | None) -> None:
    assert due(known, times, ENDED + timedelta(days=days)) == expected


def test_without_times_nobody_looks() -> None:
    assert not Times().any
    assert all(one.any for one in (Times(audio_days=1), Times(transcript_days=1), Times(unsigned_days=1)))
