"""Transcript files: reads the documented shapes, writes the object that `transcribe --json` prints.

Read are our own object, `{"utterances": [{"role", "start", "text"}], "context": {…}}` with `start` in seconds or as
"hh:mm:ss", and files with further fields, which are ignored. Every malformed case raises BadTranscript, whose
message names the place in the file and never its content.
"""

import json
import math
import re
from typing import Any, get_args

from streaming import context_json
from streaming.errors import BadTranscript
from streaming.json_shape import object_of, string_of
from streaming.types import (
    Gap,
    GapCause,
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

ROLES: dict[str, Role] = {
    "therapist": "clinician",
    "clinician": "clinician",
    "counselor": "clinician",
    "counsellor": "clinician",
    "doctor": "clinician",
    "provider": "clinician",
    "interviewer": "clinician",
    "client": "client",
    "patient": "client",
    "other": "other",
}
TRACK = TrackId("mic")
MAX_TIME_S = 48 * 3600.0
SPOKEN_WORDS_PER_S = 2.6
"""Conversational English, about 155 words a minute: closes an utterance whose end the file does not give."""

_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_CAUSES = get_args(GapCause)


def parse(text: str | bytes) -> Transcript:
    """The transcript in a file's text. Raises BadTranscript."""
    try:
        body = json.loads(text)
    except UnicodeDecodeError as error:
        raise BadTranscript("The transcript is not UTF-8 text.", mend="Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadTranscript("The transcript is not JSON.", mend="Give one JSON object with utterances.") from error
    return read(body)


def read(body: object) -> Transcript:
    """The transcript in a decoded JSON object. Raises BadTranscript."""
    if not isinstance(body, dict):
        raise BadTranscript("The transcript is not a JSON object.", mend='Expected {"utterances": […]}.')
    rows = body.get("utterances")
    if not isinstance(rows, list):
        raise BadTranscript("The transcript has no list `utterances`.", mend='Expected {"utterances": […]}.')
    starts = [_start(object_of(row, f"utterances[{at}]"), at) for at, row in enumerate(rows)]
    drafts = [_utterance(row, at, starts) for at, row in enumerate(rows)]
    ids = [one.id for one in drafts]
    if len(set(ids)) != len(ids):
        raise BadTranscript("Two utterances have the same id.", mend="Ids must be unique, or left out.")
    roles = _roles(rows, drafts)
    ordered = tuple(sorted(drafts, key=lambda one: one.start))
    return Transcript(ordered, roles, _gaps(body.get("gaps", [])), context_json.read(body.get("context")))


def _time(value: object, place: str) -> float:
    """Seconds, from a number or from "hh:mm:ss" or "mm:ss"."""
    time_s = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            time_s = float(value)
        except OverflowError:
            time_s = math.inf
    elif isinstance(value, str) and (clock := _CLOCK.fullmatch(value.strip())):
        hours, minutes, rest = clock.groups()
        if (int(minutes) > 59 and hours is not None) or float(rest) >= 60:
            raise BadTranscript(f"{place} is not a time of day.", mend='Give seconds or "hh:mm:ss".')
        time_s = int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    if not 0 <= time_s <= MAX_TIME_S:
        raise BadTranscript(f"{place} is not a time.", mend='Give seconds from 0 on, or "hh:mm:ss".')
    return time_s


def _start(row: dict[str, Any], at: int) -> float:
    if "start" not in row:
        raise BadTranscript(f"utterances[{at}] has no `start`.", mend='Give seconds or "hh:mm:ss".')
    return _time(row["start"], f"utterances[{at}].start")


def _utterance(row: dict[str, Any], at: int, starts: list[float]) -> Utterance:
    place = f"utterances[{at}]"
    if "text" not in row:
        raise BadTranscript(f"{place} has no `text`.")
    text = string_of(row, "text", place).strip()
    start_s = starts[at]
    if row.get("end") is None:
        end_s = start_s + max(0.3, len(text.split()) / SPOKEN_WORDS_PER_S)
        later = [one for one in starts[at + 1 : at + 2] if one > start_s]
        end_s = min([end_s, *later])
    else:
        end_s = _time(row["end"], f"{place}.end")
        if end_s < start_s:
            raise BadTranscript(f"{place} ends before it starts.")
    words = tuple(
        _word(one, f"{place}.words[{n}]") for n, one in enumerate(_list(row.get("words"), f"{place}.words"))
    )
    return Utterance(
        id=UtteranceId(_id(row, place) or f"{TRACK}-{at + 1}"),
        track=TrackId(string_of(row, "track", place)) if "track" in row else TRACK,
        start=to_tick(start_s),
        end=to_tick(end_s),
        speaker=_speaker(row, place),
        text=text,
        confidence=_probability(row.get("confidence", 1.0), f"{place}.confidence"),
        words=words,
    )


def _list(value: object, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadTranscript(f"{place} is not a list.")
    return value


def _id(row: dict[str, Any], place: str) -> str:
    value = row.get("id")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise BadTranscript(f"{place}.id is neither text nor a whole number.")
    return str(value)


def _role(row: dict[str, Any], place: str) -> Role | None:
    if row.get("role") is None:
        return None
    role = ROLES.get(string_of(row, "role", place).strip().lower())
    if role is None:
        raise BadTranscript(f"{place}.role is not known.", mend="Use therapist, clinician, client or other.")
    return role


def _speaker(row: dict[str, Any], place: str) -> SpeakerId:
    """The speaker as given; else one per role, so that a file of roles alone has speakers too."""
    if row.get("speaker") is not None:
        return SpeakerId(string_of(row, "speaker", place))
    role = _role(row, place)
    if role is None:
        raise BadTranscript(f"{place} has neither `role` nor `speaker`.")
    return SpeakerId(role)


def _probability(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadTranscript(f"{place} is not a number from 0 to 1.")
    return float(value)


def _word(value: object, place: str) -> Word:
    row = object_of(value, place)
    for key in ("text", "start", "end"):
        if key not in row:
            raise BadTranscript(f"{place} has no `{key}`.")
    start, end = (to_tick(_time(row[key], f"{place}.{key}")) for key in ("start", "end"))
    confidence = _probability(row.get("confidence", 1.0), f"{place}.confidence")
    return Word(start, max(start, end), string_of(row, "text", place), confidence)


def _roles(rows: list[Any], utterances: list[Utterance]) -> dict[SpeakerId, Role]:
    """Each speaker's role where the file names it; one speaker in two roles is an error of the file."""
    roles: dict[SpeakerId, Role] = {}
    for at, (row, one) in enumerate(zip(rows, utterances, strict=True)):
        role = _role(row, f"utterances[{at}]")
        if role is not None and roles.setdefault(one.speaker, role) != role:
            raise BadTranscript(f"utterances[{at}] gives its speaker a second role.")
    return roles


def _gaps(value: object) -> tuple[Gap, ...]:
    gaps = []
    for at, one in enumerate(_list(value, "gaps")):
        place = f"gaps[{at}]"
        row = object_of(one, place)
        if "start" not in row or "end" not in row or row.get("cause") not in _CAUSES:
            raise BadTranscript(f"{place} needs start, end and a known cause.")
        start, end = (to_tick(_time(row[key], f"{place}.{key}")) for key in ("start", "end"))
        gaps.append(Gap(TrackId(str(row.get("track", TRACK))), start, end, row["cause"]))
    return tuple(gaps)


def write(
    transcript: Transcript,
    *,
    audio_ticks: int | None = None,
    received_ticks: int | None = None,
    transcribed_ticks: int | None = None,
) -> dict[str, Any]:
    """The object that `transcribe --json` prints, times in seconds; ticks unless given span the utterances."""
    last = max((one.end for one in transcript.utterances), default=Tick(0))
    received = last if received_ticks is None else received_ticks
    return {
        "audio_s": _seconds(received if audio_ticks is None else audio_ticks),
        "received_ticks": received,
        "transcribed_ticks": received if transcribed_ticks is None else transcribed_ticks,
        "gaps": [
            {"track": gap.track, "start": _seconds(gap.start), "end": _seconds(gap.end), "cause": gap.cause}
            for gap in transcript.gaps
        ],
        "utterances": [_row(one, transcript.roles.get(one.speaker)) for one in transcript.utterances],
    }


def _row(one: Utterance, role: Role | None) -> dict[str, Any]:
    return {
        "id": one.id,
        "start": _seconds(one.start),
        "end": _seconds(one.end),
        "speaker": one.speaker,
        "role": role,
        "text": one.text,
        "confidence": round(one.confidence, 4),
        "words": [
            {
                "text": word.text,
                "start": _seconds(word.start),
                "end": _seconds(word.end),
                "confidence": round(word.confidence, 4),
            }
            for word in one.words
        ],
    }


def _seconds(ticks: int) -> float:
    return round(seconds(ticks), 5)  # five places tell every tick apart


__all__ = ["ROLES", "parse", "read", "write"]
