"""References and the lists that name them: RTTM, STM, transcripts as JSON, plain text, TextGrid, manifests, folders.

The parsers are pure; `read_manifest` and `read_reference` open files. A manifest is a JSON object:

    {"items": [{"name": "call", "audio": "call.wav", "reference": ["call.rttm", "call.json"], "text": "…",
                "speakers": 2}, {"audio": "fan.wav", "noise": true}]}

Paths are relative to the manifest; all fields but `audio` may be left out. In `noise` nobody speaks: each word heard
is wrong. In a folder each audio file goes with the
references that share its stem.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streaming import transcript_json
from streaming.errors import BadTranscript
from streaming.types import (
    SpeakerId,
    TrackId,
    Transcript,
    Turn,
    Utterance,
    UtteranceId,
    to_tick,
)

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".opus", ".ogg", ".mp3", ".m4a", ".webm"})
REFERENCE_SUFFIXES = frozenset({".json", ".rttm", ".stm", ".txt", ".TextGrid"})


@dataclass(frozen=True, slots=True)
class Reference:
    """What is known to be true of a recording; None is not known, which is not the same as nothing."""

    transcript: Transcript | None = None
    text: str | None = None
    turns: tuple[Turn, ...] | None = None
    speakers: int | None = None

    def words_known(self) -> bool:
        """Whether word errors can be counted against it."""
        return self.transcript is not None or self.text is not None


@dataclass(frozen=True, slots=True)
class Item:
    """A recording and its reference."""

    name: str
    audio: Path
    reference: Reference


def parse_rttm(text: str) -> dict[str, tuple[Turn, ...]]:
    """Turns in order of start, by recording name. Raises BadTranscript, naming the line."""
    found: dict[str, list[Turn]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start_s, length_s = float(fields[3]), float(fields[4])
            turn = Turn(to_tick(start_s), to_tick(start_s + length_s), SpeakerId(fields[7]))
        except (IndexError, ValueError, OverflowError):
            raise BadTranscript(f"Line {number} of the RTTM is not a SPEAKER line.") from None
        if turn.start < 0 or turn.end < turn.start:
            raise BadTranscript(f"Line {number} of the RTTM has no time span.")
        found.setdefault(fields[1], []).append(turn)
    return {name: tuple(sorted(turns, key=lambda turn: (turn.start, turn.end))) for name, turns in found.items()}


def parse_stm(text: str) -> dict[str, Transcript]:
    """NIST STM (`recording channel speaker start end [<labels>] text`) as a transcript per recording.

    Comments (`;;`) and segments that are not to be scored are left out. Raises BadTranscript, naming the line.
    """
    found: dict[str, list[Utterance]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split(maxsplit=5)
        if not fields or fields[0].startswith(";;"):
            continue
        try:
            name, _, speaker, start_s, end_s = fields[:5]
            start, end = to_tick(float(start_s)), to_tick(float(end_s))
        except (ValueError, OverflowError):
            raise BadTranscript(f"Line {number} of the STM is no segment.") from None
        if start < 0 or end < start:
            raise BadTranscript(f"Line {number} of the STM has no time span.")
        said = re.sub(r"^<[^>]*>\s*", "", fields[5]) if len(fields) > 5 else ""
        utterances = found.setdefault(name, [])
        if said.strip() and "ignore_time_segment_in_scoring" not in said.lower():
            utterances.append(
                Utterance(UtteranceId(""), TrackId("mic"), start, end, SpeakerId(speaker), said.strip(), 1.0, ())
            )
    return {name: _numbered(utterances) for name, utterances in found.items()}


def _numbered(utterances: list[Utterance]) -> Transcript:
    """In order of start, with ids; a speaker's role is known where their name says it."""
    ordered = sorted(utterances, key=lambda utterance: (utterance.start, utterance.end))
    roles = {
        utterance.speaker: transcript_json.ROLES[utterance.speaker.lower()]
        for utterance in ordered
        if utterance.speaker.lower() in transcript_json.ROLES
    }
    named = (replace(one, id=UtteranceId(f"mic-{number}")) for number, one in enumerate(ordered, 1))
    return Transcript(tuple(named), roles)


def parse_textgrid(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """Praat's long text form: per interval tier its (start_s, end_s, label), empty labels left out.

    Raises BadTranscript for text that is no TextGrid. Two quotes in a label are one.
    """
    if "ooTextFile" not in text[:200]:
        raise BadTranscript("This is no TextGrid.")
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    for block in re.split(r"^\s*item\s*\[\d+\]:", text, flags=re.MULTILINE)[1:]:
        name = re.search(r'\bname = "((?:[^"]|"")*)"', block)
        spans = re.findall(
            r'intervals\s*\[\d+\]:?\s*xmin = (\S+)\s*xmax = (\S+)\s*text = "((?:[^"]|"")*)"', block, flags=re.DOTALL
        )
        try:
            labels = [(float(start), float(end), label.replace('""', '"').strip()) for start, end, label in spans]
        except ValueError:
            raise BadTranscript("The TextGrid has an interval without times.") from None
        tiers.setdefault(name[1] if name else "", []).extend(label for label in labels if label[2])
    return tiers


def textgrid_transcript(texts: Iterable[str]) -> Transcript:
    """One transcript of one or more TextGrids; a tier is a speaker, its role known where its name says so."""
    utterances: list[Utterance] = []
    for text in texts:
        for tier, spans in parse_textgrid(text).items():
            utterances += [
                Utterance(
                    UtteranceId(""), TrackId("mic"), to_tick(start), to_tick(end), SpeakerId(tier), label, 1.0, ()
                )
                for start, end, label in spans
            ]
    return _numbered(utterances)


def turns_of(transcript: Transcript) -> tuple[Turn, ...]:
    """One turn per utterance: what diarization is scored against where there is no RTTM."""
    return tuple(Turn(one.start, one.end, one.speaker) for one in transcript.utterances)


def read_reference(paths: Iterable[Path]) -> Reference:
    """All that the files together say. Raises BadTranscript, OSError."""
    reference = Reference()
    grids: list[str] = []
    for path in paths:
        text = _text(path)
        if path.suffix == ".rttm":
            by_name = parse_rttm(text)
            if len(by_name) > 1 and path.stem not in by_name:
                raise BadTranscript("The RTTM speaks of several recordings.", mend="Give one per recording.")
            only = by_name.get(path.stem) or next(iter(by_name.values()), ())
            reference = replace(reference, turns=only, speakers=len({turn.speaker for turn in only}))
        elif path.suffix == ".json":
            reference = replace(reference, transcript=transcript_json.parse(text))
        elif path.suffix == ".stm":
            recordings = parse_stm(text)
            if len(recordings) > 1 and path.stem not in recordings:
                raise BadTranscript("The STM speaks of several recordings.", mend="Give one per recording.")
            said = recordings.get(path.stem) or next(iter(recordings.values()), Transcript((), {}))
            people = len({one.speaker for one in said.utterances})
            reference = replace(reference, transcript=said, speakers=reference.speakers or people or None)
        elif path.suffix == ".TextGrid":
            grids.append(text)
        elif path.suffix == ".txt":
            reference = replace(reference, text=text.strip())
        else:
            raise BadTranscript(
                "A reference of a kind that is not known.", mend="Use .rttm, .stm, .json, .TextGrid or .txt."
            )
    return replace(reference, transcript=textgrid_transcript(grids)) if grids else reference


def read_manifest(path: Path) -> tuple[Item, ...]:
    """The items of a manifest file, or of a folder of recordings. Raises BadTranscript, OSError."""
    if path.is_dir():
        return tuple(_paired(audio) for audio in sorted(path.iterdir()) if audio.suffix in AUDIO_SUFFIXES)
    try:
        rows = json.loads(_text(path))["items"]
        return tuple(_item(path.parent, row) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadTranscript("This is no manifest.", mend='It needs "items", each with "audio".') from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadTranscript("A reference is not UTF-8 text.") from None


def _paired(audio: Path) -> Item:
    beside = (audio.with_suffix(suffix) for suffix in sorted(REFERENCE_SUFFIXES))
    return Item(audio.stem, audio, read_reference(path for path in beside if path.exists()))


def _item(folder: Path, row: dict[str, Any]) -> Item:
    named = row.get("reference", [])
    paths = [named] if isinstance(named, str) else list(named)
    reference = read_reference(folder / path for path in paths)
    if row.get("text") is not None:
        reference = replace(reference, text=str(row["text"]))
    if row.get("speakers") is not None:
        reference = replace(reference, speakers=int(row["speakers"]))
    if row.get("noise"):
        reference = replace(reference, text="", turns=())
    audio = folder / str(row["audio"])
    return Item(str(row.get("name", audio.stem)), audio, reference)
