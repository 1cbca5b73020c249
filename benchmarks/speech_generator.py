"""Makes a two-speaker session with a true reference out of a script, spoken by flite's voices.

    python -m benchmarks.speech_generator --script benchmarks/data/session/script.json --out DIR
    python -m benchmarks.speech_generator --script A.json --script B.json --minutes 50 --natural --out DIR

Writes `mix.opus` (one microphone in the room), `clinician.opus` and `client.opus` (one track per person on the same
timeline, digital silence where the other talks), `reference.json` (the shape of `sameday transcribe --json`) and
`session.rttm`. The same arguments give the same timeline, and with the same libraries the same bytes.

Word times are those flite made the waveform from; `flite_voice` says how exact they are (a few ms). Opus moves
nothing: decoded files correlate best with what was encoded at a shift of 0 samples.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks import room
from benchmarks.audio_files import write_audio
from benchmarks.flite_voice import Speech, speak, tokenize
from benchmarks.session_plan import (
    SCRIPTED,
    Line,
    Script,
    Timeline,
    Timing,
    overlap_s,
    plan,
    read_script,
    rttm,
    sentences,
    transcript,
    turns,
)
from streaming import transcript_json
from streaming.errors import SamedayError
from streaming.types import SAMPLE_RATE, Float32, Int16Mono, Role

PLACES: dict[Role, room.Place] = {"clinician": room.CLINICIAN_PLACE, "client": room.CLIENT_PLACE}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a session is made from beside its scripts. `snr_db` None: no noise; `minutes` None: each script once."""

    timing: Timing = SCRIPTED
    minutes: float | None = None
    snr_db: float | None = 30.0
    with_room: bool = True
    seed: int = 1
    places: Mapping[Role, room.Place] = field(default_factory=lambda: PLACES)


@dataclass(frozen=True, slots=True)
class Session:
    """A generated session: the timeline, and int16 mono audio at 16 kHz of the mix and of each role's own track."""

    timeline: Timeline
    mix: Int16Mono
    tracks: dict[Role, Int16Mono]


Speaker = Callable[[str, str], Speech]
"""Says a text with a named voice."""


def generate(scripts: Sequence[Script], recipe: Recipe, speaker: Speaker = speak) -> Session:
    """The session that `recipe` makes of `scripts`. Raises EngineMissing without flite, ValueError without words."""
    lines, spoken = _say(scripts, recipe.minutes, cache(speaker))
    timeline = plan(lines, spoken, recipe.timing, recipe.seed)
    samples = round(timeline.duration_s * SAMPLE_RATE)
    tracks: dict[Role, Float32] = {}
    for number, (role, place) in enumerate(recipe.places.items()):
        sounds = [sound for item in timeline.placed if item.role == role for sound in item.sounds]
        response = room.impulse_response(place, recipe.seed * 10 + number) if recipe.with_room else None
        tracks[role] = room.track(sounds, samples, place, response)
    talk = sum(len(pcm) for item in timeline.placed for _, pcm in item.sounds)
    mixed = room.mix(list(tracks.values()), talk, recipe.snr_db, recipe.seed)
    return Session(timeline, room.to_pcm(mixed), {role: room.to_pcm(signal) for role, signal in tracks.items()})


def _say(scripts: Sequence[Script], minutes: float | None, speaker: Speaker) -> tuple[list[Line], list[list[Speech]]]:
    """The scripts' lines, spoken; repeated in turn until about `minutes` are full."""
    lines: list[Line] = []
    spoken: list[list[Speech]] = []
    full_s = None if minutes is None else minutes * 60.0
    used_s = 0.0
    if not any(tokenize(line.text) for script in scripts for line in script.lines):
        raise ValueError("The scripts hold no words.")
    for script in scripts if full_s is None else cycle(scripts):
        for line in script.lines:
            parts = [speaker(part, script.voices[line.role]) for part in sentences(line.text) if tokenize(part)]
            if not parts:
                continue
            lines.append(line)
            spoken.append(parts)
            used_s += sum(part.duration_s + 0.45 for part in parts) + 0.2
            if full_s is not None and used_s >= full_s:
                return lines, spoken
    return lines, spoken


def save(session: Session, folder: Path, *, mix_only: bool = False) -> dict[str, float]:
    """Writes the session's files into `folder`; returns figures of it (seconds, counts, bytes)."""
    folder.mkdir(parents=True, exist_ok=True)
    # The encoder leaves Python to others while it works: an hour's three files are written side by side.
    with ThreadPoolExecutor(1 + len(session.tracks)) as threads:
        writing = [threads.submit(write_audio, folder / "mix.opus", session.mix)]
        for role, pcm in () if mix_only else session.tracks.items():
            writing.append(threads.submit(write_audio, folder / f"{role}.opus", pcm, bit_rate=24_000))
        for one in writing:
            one.result()
    spans = turns(session.timeline.placed)
    body = transcript_json.write(
        transcript(session.timeline), audio_ticks=len(session.mix), received_ticks=len(session.mix)
    )
    text = json.dumps(body, ensure_ascii=False)
    (folder / "reference.json").write_text(text.replace('{"id"', '\n{"id"') + "\n", encoding="utf-8")
    (folder / "session.rttm").write_text(rttm("session", spans), encoding="utf-8")
    return {
        "duration_s": session.timeline.duration_s,
        "utterances": len(session.timeline.placed),
        "words": sum(len(item.words) for item in session.timeline.placed),
        "speech_s": round(sum(end - start for start, end, _ in spans), 2),
        "overlap_s": round(overlap_s(spans), 2),
        "peak": round(float(np.max(np.abs(session.mix.astype(np.int32)))) / 32768, 3),
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
    }


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="speech_generator", description="A session of two voices with its reference."
    )
    parser.add_argument(
        "--script", type=Path, action="append", required=True, help="script or transcript, repeatable"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the session's files")
    parser.add_argument("--minutes", type=float, help="repeat the scripts until about this long")
    parser.add_argument("--natural", action="store_true", help="draw overlaps and long pauses too")
    parser.add_argument(
        "--overlap-share", type=float, help="share of turn changes that overlap (with --natural: 0.1)"
    )
    parser.add_argument("--gap-s", type=float, help="median pause between turns in seconds (0.6)")
    parser.add_argument("--snr-db", type=float, default=30.0, help="speech against noise (30)")
    parser.add_argument("--no-noise", action="store_true")
    parser.add_argument("--no-room", action="store_true")
    parser.add_argument("--mix-only", action="store_true", help="no files with one voice each")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def _recipe(options: argparse.Namespace) -> Recipe:
    timing = Timing() if options.natural else SCRIPTED
    if options.overlap_share is not None:
        timing = replace(timing, overlap_share=options.overlap_share)
    if options.gap_s is not None:
        timing = replace(timing, gap_median_s=options.gap_s)
    snr_db = None if options.no_noise else options.snr_db
    return Recipe(timing, options.minutes, snr_db, not options.no_room, options.seed)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0, or 1 with one line that says what is wrong."""
    options = _arguments(argv)
    try:
        scripts = [read_script(json.loads(path.read_text(encoding="utf-8"))) for path in options.script]
        figures = save(generate(scripts, _recipe(options)), options.out, mix_only=options.mix_only)
    except (SamedayError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
