"""Who speaks when: a script and its spoken sentences become a timeline, a reference transcript and speaker turns.

Pure. A script is an object `{"voices": {role: voice}, "lines": [{"role", "text", "gap_s"?, "backchannel"?}]}`; the
therapy transcripts' shape (`{"utterances": [{"role", "text"}]}`, role therapist or client) is read as well.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.flite_voice import Speech, SpokenWord
from streaming.errors import BadTranscript
from streaming.transcript_json import ROLES
from streaming.types import (
    FRAME_TICKS,
    SAMPLE_RATE,
    Int16Mono,
    Role,
    SpeakerId,
    Tick,
    TrackId,
    Transcript,
    Utterance,
    UtteranceId,
    Word,
    seconds,
    to_tick,
)

DEFAULT_VOICES: dict[Role, str] = {"clinician": "slt", "client": "rms"}
TURN_PAUSE_S = 0.25
"""A pause inside an utterance that splits its turn in the RTTM."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says, `gap_s` after the last one's end: negative where it overlaps, None where it is drawn.

    A backchannel falls into the line before it, over the end of that line's first sentence, and moves nothing.
    """

    role: Role
    text: str
    gap_s: float | None = None
    backchannel: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """The lines in order, and each role's voice."""

    lines: tuple[Line, ...]
    voices: dict[Role, str]


@dataclass(frozen=True, slots=True)
class Timing:
    """How the talk is paced: seconds, and shares of the turn changes."""

    gap_median_s: float = 0.6
    gap_sigma: float = 0.45
    """Spread of the log of a drawn gap; gaps are kept within `gap_range_s`."""
    gap_range_s: tuple[float, float] = (0.3, 1.5)
    long_pause_share: float = 0.03
    long_pause_range_s: tuple[float, float] = (3.0, 6.0)
    overlap_share: float = 0.1
    overlap_range_s: tuple[float, float] = (0.2, 0.8)
    sentence_pause_range_s: tuple[float, float] = (0.3, 0.6)
    lead_in_s: float = 1.0
    lead_out_s: float = 1.0


SCRIPTED = Timing(long_pause_share=0.0, overlap_share=0.0)
"""For a script that says itself where it pauses long or overlaps."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line on the timeline: its words at their places, and its sentences' samples with their first tick."""

    role: Role
    text: str
    words: tuple[SpokenWord, ...]
    sounds: tuple[tuple[Tick, Int16Mono], ...]

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return self.words[-1].end_s


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lines in order of start, over `[0, duration_s)`."""

    placed: tuple[Placed, ...]
    duration_s: float


def read_script(body: dict[str, Any]) -> Script:
    """A script from its JSON object. Raises BadTranscript where it is neither of the two shapes."""
    try:
        voices = DEFAULT_VOICES | {ROLES[role]: str(voice) for role, voice in body.get("voices", {}).items()}
        entries = body["lines"] if "lines" in body else body["utterances"]
        lines = tuple(
            Line(ROLES[entry["role"]], str(entry["text"]), entry.get("gap_s"), bool(entry.get("backchannel", False)))
            for entry in entries
        )
    except (KeyError, TypeError, AttributeError):
        raise BadTranscript(
            "This is no script.", mend='It needs "lines" with role (clinician or client) and text.'
        ) from None
    return Script(lines, voices)


def sentences(text: str) -> list[str]:
    """The text cut after full stops, question and exclamation marks, short titles aside."""
    return [
        part for part in re.split(r"(?<!\bDr\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bMrs\.)(?<=[.?!])\s+", text.strip()) if part
    ]


def plan(lines: Sequence[Line], spoken: Sequence[Sequence[Speech]], timing: Timing, seed: int) -> Timeline:
    """The timeline of `lines`, of which `spoken[i]` holds the sentences; the same seed gives the same one.

    Nobody talks over themselves: where a line would begin before its own speaker has ended, it waits. No line begins
    before the one it answers.
    """
    random = Random(seed)
    placed: list[Placed] = []
    free: dict[Role, float] = {}
    last: Placed | None = None
    for line, parts in zip(lines, spoken, strict=True):
        if line.backchannel and last is not None:
            start = _inside(last, random)
        else:
            start = timing.lead_in_s
            if last is not None:
                start = max(last.start_s, last.end_s + _gap(line, last, timing, random))
        start = max(start, free.get(line.role, 0.0))
        item = _place(line, parts, start, timing, random)
        placed.append(item)
        free[line.role] = item.end_s + timing.gap_range_s[0]
        if not line.backchannel:
            last = item
    end_s = max((item.end_s for item in placed), default=0.0) + timing.lead_out_s
    frames = -(-to_tick(end_s) // FRAME_TICKS)
    return Timeline(tuple(sorted(placed, key=lambda item: item.start_s)), seconds(frames * FRAME_TICKS))


def _gap(line: Line, last: Placed, timing: Timing, random: Random) -> float:
    """Seconds from the end of `last` to this line. Draws the same numbers whether they are used or not."""
    kind, spread = random.random(), random.random()
    drawn = timing.gap_median_s * random.lognormvariate(0.0, timing.gap_sigma)
    if line.gap_s is not None:
        return line.gap_s
    if kind < timing.overlap_share and line.role != last.role:
        room = len(last.sounds[-1][1]) / SAMPLE_RATE / 2
        return -min(_between(timing.overlap_range_s, spread), room)
    if kind > 1.0 - timing.long_pause_share:
        return _between(timing.long_pause_range_s, spread)
    return min(max(drawn, timing.gap_range_s[0]), timing.gap_range_s[1])


def _inside(last: Placed, random: Random) -> float:
    """Where a backchannel begins: 0.2-0.4 s before the end of the first sentence."""
    start, pcm = last.sounds[0]
    length = len(pcm) / SAMPLE_RATE
    return start / SAMPLE_RATE + max(length - random.uniform(0.2, 0.4), length / 2)


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * share


def _place(line: Line, parts: Sequence[Speech], start: float, timing: Timing, random: Random) -> Placed:
    words: list[SpokenWord] = []
    sounds: list[tuple[Tick, Int16Mono]] = []
    for part in parts:
        tick = to_tick(start)
        at = tick / SAMPLE_RATE
        sounds.append((tick, part.pcm))
        words += [SpokenWord(word.text, at + word.start_s, at + word.end_s) for word in part.words]
        start = at + part.duration_s + random.uniform(*timing.sentence_pause_range_s)
    return Placed(line.role, " ".join(word.text for word in words), tuple(words), tuple(sounds))


def transcript(timeline: Timeline) -> Transcript:
    """The timeline as a transcript; a role is its speaker's name too."""
    utterances = tuple(
        Utterance(
            id=UtteranceId(f"mic-{number}"),
            track=TrackId("mic"),
            start=to_tick(item.start_s),
            end=to_tick(item.end_s),
            speaker=SpeakerId(item.role),
            text=item.text,
            confidence=1.0,
            words=tuple(Word(to_tick(word.start_s), to_tick(word.end_s), word.text, 1.0) for word in item.words),
        )
        for number, item in enumerate(timeline.placed, 1)
    )
    return Transcript(utterances, {SpeakerId(item.role): item.role for item in timeline.placed})


def turns(placed: Iterable[Placed]) -> list[tuple[float, float, Role]]:
    """(start_s, end_s, role) of what was really spoken, an utterance split where its voice pauses."""
    found: list[tuple[float, float, Role]] = []
    for item in placed:
        start, end = item.start_s, item.words[0].end_s
        for word in item.words[1:]:
            if word.start_s - end > TURN_PAUSE_S:
                found.append((start, end, item.role))
                start = word.start_s
            end = word.end_s
        found.append((start, end, item.role))
    return sorted(found)


def rttm(name: str, spans: Iterable[tuple[float, float, str]]) -> str:
    """NIST RTTM, one SPEAKER line per turn, seconds to the millisecond."""
    return "".join(
        f"SPEAKER {name} 1 {start:.3f} {round(end, 3) - round(start, 3):.3f} <NA> <NA> {speaker} <NA> <NA>\n"
        for start, end, speaker in spans
    )


def overlap_s(spans: Iterable[tuple[float, float, str]]) -> float:
    """Seconds in which two or more speak at once."""
    edges = sorted((time, step) for start, end, _ in spans for time, step in ((start, 1), (end, -1)))
    total, talking, before = 0.0, 0, 0.0
    for time, step in edges:
        if talking > 1:
            total += time - before
        talking, before = talking + step, time
    return total
