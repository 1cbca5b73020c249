"""Striking words: which stretches go, and what of a session's log stands in their place. Pure.

What is struck goes as whole utterances: half a sentence says as much as all of it. While a session goes on its audio
is silenced there and the session is heard anew from half a minute before, where nothing looked at what is struck yet:
what comes of the rest is then what a server that starts anew would make of it, with numbers that fit. What models had
answered since goes too, since their answers are looked up by number. Of a session that is over the utterances go, and
with them each sentence of a note that rests on one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from streaming.errors import PeerError, UnknownUtterance
from streaming.events import (
    AudioSpan,
    Carried,
    Event,
    NoteDrafted,
    NoteReviewed,
    SkeletonDrafted,
    SpeakerRelabelled,
    Stored,
    Struck,
    UtteranceClosed,
    UtteranceCorrected,
)
from streaming.state import SessionState
from streaming.types import SAMPLE_RATE, Gap, Tick, TrackId, Utterance, UtteranceId

_PAD_TICKS = SAMPLE_RATE // 4
"""Times of words are good to a tenth of a second or two."""
ANEW_TICKS = 30 * SAMPLE_RATE
"""No decision on words looks further ahead: an utterance is broken after 25 s at the latest."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be struck: utterances, or on every track the ticks [start, end)."""

    stretches: Mapping[TrackId, tuple[Tick, Tick]]
    utterances: tuple[UtteranceId, ...] = ()


def stretches(state: SessionState, asked: Asked) -> tuple[Gap, ...]:
    """What goes, in whole utterances, none overlapping another. Raises UnknownUtterance, PeerError for nothing."""
    if unknown := set(asked.utterances) - set(state.utterances):
        raise UnknownUtterance(f"{len(unknown)} of the utterances are not there.", mend="They may have been struck.")
    found: list[Gap] = []
    for plan in state.tracks:
        mine = [one for one in state.in_order() if one.track == plan.id]
        wanted = [(one.start, one.end) for one in mine if one.id in asked.utterances]
        if plan.id in asked.stretches:
            wanted.append(asked.stretches[plan.id])
        found += _joined(plan.id, [_widened(mine, *one) for one in wanted if one[0] < one[1]])
    if not found:
        raise PeerError("There is nothing to strike.", mend="Name `last_s`, `start` and `end`, or `utterances`.")
    return tuple(found)


def struck_in(state: SessionState, gone: Sequence[Gap]) -> tuple[UtteranceId, ...]:
    """The utterances that lie in what goes, by any of their words."""
    return tuple(one.id for one in state.in_order() if any(_overlap(one, gap) for gap in gone))


def heard_anew(state: SessionState, gone: Sequence[Gap]) -> tuple[UtteranceId, ...]:
    """The utterances that a live session is to hear again, those that go among them."""
    since = _since(gone)
    return tuple(one.id for one in state.in_order() if one.track in since and one.end > since[one.track] - ANEW_TICKS)


def carried(state: SessionState, gone: Sequence[Gap], anew: Collection[UtteranceId]) -> tuple[Carried, ...]:
    """Corrections of utterances that are heard again and do not go, those that wait since an earlier strike too."""
    again = [one for name in anew if (one := state.utterances.heard(name)) is not None]
    fresh = [Carried(one.track, one.start, one.end, one.text, state.utterances[one.id].text) for one in again]
    kept = [*state.carried, *(one for one in fresh if one.text != one.heard)]
    return tuple(one for one in kept if not any(_overlap(one, gap) for gap in gone))


def changes(
    entries: Iterable[Stored], gone: Sequence[Gap], removed: Collection[UtteranceId], struck: Collection[UtteranceId]
) -> dict[int, Event | None]:
    """What stands in the log in the place of what it holds: utterances `removed`, notes without what was `struck`."""
    made: dict[int, Event | None] = {}
    since, removed, struck = _since(gone), frozenset(removed), frozenset(struck)
    for stored in entries:
        event = _changed(stored.event, gone, since, removed, struck)
        if event is not stored.event:
            made[stored.sequence] = event
    return made


def _changed(
    event: Event,
    gone: Sequence[Gap],
    since: Mapping[TrackId, Tick],
    removed: frozenset[UtteranceId],
    struck: frozenset[UtteranceId],
) -> Event | None:
    match event:
        case AudioSpan():
            return _silenced(event, gone, since.get(event.track))
        case UtteranceClosed(utterance):
            return None if utterance.id in removed else event
        case UtteranceCorrected() | SpeakerRelabelled():
            return None if event.utterance in removed else event
        case NoteDrafted() | SkeletonDrafted():
            note = unquoted(event.note, struck)
            return event if note == event.note else replace(event, note=note)
        case NoteReviewed():
            action = unquoted(event.action, struck)
            return event if action == event.action else replace(event, action=action)
        case Struck():
            return replace(event, carried=()) if event.carried else event  # what of it still waits is carried anew
    return event


def _silenced(span: AudioSpan, gone: Sequence[Gap], since: Tick | None) -> AudioSpan:
    """The span with silence where it is struck, and without what models answered after that."""
    if since is None or span.start + len(span.pcm) <= since:
        return span
    pcm = span.pcm.copy()
    for gap in gone:
        if gap.track == span.track:
            pcm[max(0, gap.start - span.start) : max(0, gap.end - span.start)] = 0
    heard = span.heard if span.start <= since else ()  # answers are of audio before the span
    if heard == span.heard and np.array_equal(pcm, span.pcm):
        return span
    return replace(span, pcm=pcm, heard=heard)


def unquoted(body: Any, struck: Set[UtteranceId]) -> Any:
    """A note's JSON, or an action's, without the sentences and findings that rest on what was struck."""
    if isinstance(body, dict):
        if not struck.isdisjoint(body.get("evidence") or ()) and "text" not in body and "message" not in body:
            body = body | {"evidence": [one for one in body["evidence"] if one not in struck]}
        return {name: unquoted(value, struck) for name, value in body.items()}
    if isinstance(body, list):
        return [unquoted(one, struck) for one in body if not _rests_on(one, struck)]
    return body


def _rests_on(row: Any, struck: Set[UtteranceId]) -> bool:
    said = isinstance(row, dict) and ("text" in row or "message" in row)
    return said and not struck.isdisjoint(row.get("evidence") or ())


def _since(gone: Sequence[Gap]) -> dict[TrackId, Tick]:
    since: dict[TrackId, Tick] = {}
    for gap in gone:
        since[gap.track] = min(gap.start, since.get(gap.track, gap.start))
    return since


def _overlap(one: Utterance | Carried, gap: Gap) -> bool:
    return one.track == gap.track and one.start < gap.end and one.end > gap.start


def _widened(mine: Sequence[Utterance], start: Tick, end: Tick) -> tuple[Tick, Tick]:
    """A stretch with the whole of each utterance that it touches, and a little around, up to the neighbours."""
    touched = [one for one in mine if one.start < end and one.end > start]
    start, end = min([start, *(one.start for one in touched)]), max([end, *(one.end for one in touched)])
    before = max([Tick(0), *(one.end for one in mine if one.end <= start)])
    after = min([Tick(end + _PAD_TICKS), *(one.start for one in mine if one.start >= end)])
    return max(before, Tick(start - _PAD_TICKS)), min(after, Tick(end + _PAD_TICKS))


def _joined(track: TrackId, found: list[tuple[Tick, Tick]]) -> list[Gap]:
    gaps: list[Gap] = []
    for start, end in sorted(found):
        if gaps and start <= gaps[-1].end:
            gaps[-1] = replace(gaps[-1], end=max(gaps[-1].end, end))
        else:
            gaps.append(Gap(track, start, end, "struck"))
    return gaps
