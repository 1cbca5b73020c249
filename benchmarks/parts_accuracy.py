"""Figures of accuracy: words, speakers, word times, noise; and the peer on the same audio and weights."""

import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.accuracy import as_json, pooled
from benchmarks.figure import at_most, below, figure
from benchmarks.manifest import Reference
from benchmarks.measure_accuracy import (
    Heard,
    decoded_whole,
    diarized,
    heard,
    read,
    reference_turns,
    spans_as_turns,
    speech_references,
    spoken_s,
)
from benchmarks.parts import Part, Surroundings
from benchmarks.scoring import DiarizationErrors, diarization_errors, ordered_text, word_errors
from diarization.embedded import EmbeddedSpeakerModel
from streaming.embedded_recognizer import EmbeddedRecognizer
from streaming.types import Tick, seconds

_PEER_S = 60.0
"""So much of the bundled session does the peer hear: with speakers it takes 1.5 to 4 times as long as it lasts."""
_PEER_LIMIT_S = 240.0
"""For one recording, so that the whole report ends in its 20 minutes on a slow machine too."""

WORDS, SPEAKERS, TIMES = "Words", "Speakers (DER, collar 0, overlap scored)", "Word times and noise"


def words(around: Surroundings) -> Part:
    """Word errors streaming and decoded whole, word times, the share of silence that is recognized."""
    part = Part()
    material = around.material()
    around.say("  bundled session, as a whole session")
    known = Reference(transcript=material.reference, turns=tuple(material.spoken))
    session = heard("bundled session", material.audio, known, 2, around.settings)
    scores = session.scores
    assert scores.words is not None
    assert scores.words_by_speaker is not None
    around.say("  bundled session, each utterance decoded whole")
    whole, windows = decoded_whole(material, EmbeddedRecognizer(1))
    part.figures += [
        figure(WORDS, "WER, bundled session, streaming", "%", 100 * scores.words.rate, at_most(12)),
        figure(WORDS, "WER, bundled session, utterances decoded whole", "%", 100 * whole.rate,
               note=f"{windows} windows of the reference's bounds; utterances that overlap are one window"),
        figure(WORDS, "WER, streaming above decoding whole", "points",
               100 * (scores.words.rate - whole.rate), at_most(1.5)),
        figure(WORDS, "cpWER (the speaker counts), bundled session", "%", 100 * scores.words_by_speaker.rate),
    ]  # fmt: skip
    part.details["accuracy"] = [as_json(scores)]
    _speech(around, part)
    _times(part, session, spoken_s(material.spoken))
    _noise(around, part)
    return part


def _speech(around: Surroundings, part: Part) -> None:
    texts = speech_references()
    files = [path for path in around.recordings("speech", ".wav", ".flac") if path.name in texts]
    if not files:
        part.skipped.append(
            "WER on single sentences: the development recordings (../shared/data/speech) are not here"
        )
        return
    around.say(f"  {len(files)} recordings of single sentences")
    results = [heard(path.name, path, Reference(text=texts[path.name]), 1, around.settings) for path in files]
    scores = pooled("sentences in all", [one.scores for one in results])
    assert scores.words is not None
    note = f"{scores.words.errors} errors in {scores.words.words} words of {len(files)} recordings"
    part.figures.append(
        figure(WORDS, "WER, single sentences, streaming", "%", 100 * scores.words.rate, at_most(20), note)
    )
    part.details["accuracy"] += [as_json(one.scores) for one in results] + [as_json(scores)]


def _times(part: Part, session: Heard, speech_s: float) -> None:
    times, audio_s = session.scores.times, session.scores.audio_s
    if times is not None:
        note = f"{times.words} words heard rightly; the shifts' medians are {1000 * times.start_shift_s:+.0f} and "
        note += f"{1000 * times.end_shift_s:+.0f} ms"
        part.figures += [
            figure(TIMES, "word start, absolute error, median", "ms", 1000 * times.start_median_s, note=note),
            figure(TIMES, "word start, absolute error, p95", "ms", 1000 * times.start_p95_s),
            figure(TIMES, "word end, absolute error, median", "ms", 1000 * times.end_median_s),
            figure(TIMES, "word end, absolute error, p95", "ms", 1000 * times.end_p95_s),
        ]
    given_s = session.speech_share * audio_s
    silence_s = audio_s - speech_s
    note = (
        f"{given_s:.1f} of {audio_s:.1f} s were recognized, {speech_s:.1f} s are speech; taken to be all among them"
    )
    share = 100 * max(0.0, given_s - speech_s) / silence_s if silence_s else math.nan
    part.figures.append(figure(TIMES, "share of non-speech that the recognizer was given", "%", share, note=note))
    part.figures.append(
        figure(TIMES, "words heard where nobody spoke, bundled session", "count", session.scores.stray or 0)
    )


def _noise(around: Surroundings, part: Part) -> None:
    files = around.recordings("noise", ".wav")
    if not files:
        part.skipped.append("Words on noise: the development recordings (../shared/data/noise) are not here")
        return
    around.say(f"  {len(files)} recordings of noise")
    results = [heard(path.name, path, Reference(turns=()), 1, around.settings) for path in files]
    whole_s = sum(one.scores.audio_s for one in results)
    given = sum(one.speech_share * one.scores.audio_s for one in results) / whole_s
    part.figures += [
        figure(TIMES, "words heard in noise", "count", sum(one.words for one in results), at_most(0)),
        figure(TIMES, "share of noise that the recognizer was given", "%", 100 * given, note=f"{whole_s:.0f} s"),
    ]


def speakers(around: Surroundings) -> Part:
    """Diarization of ours and of the wheel's own diarizer, and the peer's words and cost, all in one run."""
    part = Part()
    material = around.material()
    model = EmbeddedSpeakerModel()
    clips = [path for path in around.recordings("conversations", ".wav") if path.with_suffix(".rttm").exists()]
    if not clips:
        part.skipped.append("DER on telephone and meetings: ../shared/data/conversations is not here")
    around.say("  ours")
    rows: list[dict[str, Any]] = []
    bundled = diarized(material.audio, material.spoken, 2, model)
    part.figures += [
        figure(SPEAKERS, "bundled session, settled (2 expected)", "%", 100 * bundled.settled.rate, at_most(10)),
        figure(SPEAKERS, "bundled session, online", "%", 100 * bundled.online.rate),
    ]
    rows.append(_row("bundled session", bundled.settled, bundled.online))
    ours: dict[str, float] = {}
    for path in clips:
        turns = reference_turns(path.with_suffix(".rttm"))
        expected = len({turn.speaker for turn in turns})
        found = diarized(path, turns, expected, model)
        ours[path.stem] = 100 * found.settled.rate
        rows.append(_row(f"{path.stem} ({expected} expected)", found.settled, found.online))
    _peer(around, part, clips, ours, rows)
    part.details["diarization"] = rows
    return part


def _row(name: str, settled: DiarizationErrors, online: DiarizationErrors) -> dict[str, Any]:
    return {"name": name, "settled": round(100 * settled.rate, 1), "online": round(100 * online.rate, 1)}


def _peer(
    around: Surroundings, part: Part, clips: Sequence[Path], ours: dict[str, float], rows: list[dict[str, Any]]
) -> None:
    """The peer takes longer than the audio lasts: it hears a part of the session, and each run has a limit."""
    sample = [path for path in clips if path.stem == "sample"]
    meetings = [path for path in clips if path.stem != "sample"]
    _peer_on_session(around, part)
    around.say("  the peer with its diarizer, on the recordings")
    known = _run_peer(part, sample, "--speakers")
    gate_off = _run_peer(part, [*sample, *meetings], "--speakers", "--gate-off")
    for row, path in zip(rows[1:], clips, strict=True):
        for name, found in (("peer", known), ("peer, gate off", gate_off)):
            if path.name in found:
                row[name] = round(_peer_der(path, found), 1)
    for path in sample:
        part.figures.append(figure(SPEAKERS, "telephone call, settled (2 expected)", "%", ours["sample"], at_most(8)))
        theirs = [_peer_der(path, found) for found in (known, gate_off) if path.name in found]
        if theirs:
            best = min(theirs)
            part.figures.append(figure(SPEAKERS, "telephone call, the wheel's own diarizer at its best", "%", best))
    _meetings(part, [path for path in meetings if path.name in gate_off], ours, gate_off)


def _peer_on_session(around: Surroundings, part: Part) -> None:
    """Words and cost with and without speakers, beside ours on the same part of the bundled session."""
    material = around.material_part(_PEER_S)
    around.say(f"  ours and the peer, the bundled session's first {_PEER_S:.0f} s")
    known = Reference(transcript=material.reference, turns=tuple(material.spoken))
    mine = heard("bundled session, beginning", material.audio, known, 2, around.settings).scores
    assert mine.words is not None
    found: dict[str, dict[str, Any]] = {}
    for name, options in (("peer", ()), ("peer with speakers", ("--speakers",))):
        for one in _run_peer(part, [material.audio], *options).values():
            found[name] = one
    truth = ordered_text(material.reference)
    part.details["peer"] = {"ours": {"wer": 100 * mine.words.rate}} | {
        name: {
            "wer": 100 * word_errors(truth, " ".join(text for _, _, text in one["lines"])).rate,
            "cpu_per_s": one["cpu_s"] / one["audio_s"],
        }
        for name, one in found.items()
    }
    if "peer with speakers" in found:
        length = Tick(len(read(material.audio)))
        turns = spans_as_turns(found["peer with speakers"]["turns"])
        theirs = 100 * diarization_errors(material.spoken, turns, length).rate
        part.details["peer"]["peer with speakers"]["der"] = theirs
        name = f"bundled session's first {_PEER_S:.0f} s, the wheel's own diarizer"
        part.figures.append(figure(SPEAKERS, name, "%", theirs))


def _meetings(
    part: Part, meetings: Sequence[Path], ours: dict[str, float], theirs: dict[str, dict[str, Any]]
) -> None:
    if not meetings:
        return
    mean = statistics.fmean(ours[path.stem] for path in meetings)
    bar = statistics.fmean(_peer_der(path, theirs) for path in meetings)
    note = (
        f"{len(meetings)} clips; the reference's number of speakers expected; the wheel's with its gate off, "
        "which is its better setting"
    )
    part.figures += [
        figure(SPEAKERS, "meeting clips, mean, settled", "%", mean, below(bar, "the wheel's own"), note),
        figure(SPEAKERS, "meeting clips, mean, the wheel's own diarizer", "%", bar),
    ]


def _run_peer(part: Part, files: Sequence[Path], *options: str) -> dict[str, dict[str, Any]]:
    """What the peer heard, by file; what it did not end in time is named as not measured."""
    found: dict[str, dict[str, Any]] = {}
    for path in files:
        command = [sys.executable, "-m", "benchmarks.peer_process", *options, str(path)]
        account = processes.run(command, limit_s=_PEER_LIMIT_S)
        if account.status and account.wall_s >= _PEER_LIMIT_S:
            part.skipped.append(f"the peer {' '.join(options)} on {path.name}: ended after {_PEER_LIMIT_S:.0f} s")
        elif account.status:
            raise RuntimeError(f"the peer ended with status {account.status}:\n{account.errors[-2000:]}")
        else:
            found[path.name] = json.loads(account.output.splitlines()[-1])
    return found


def _peer_der(path: Path, found: dict[str, dict[str, Any]]) -> float:
    length = Tick(len(read(path)))
    turns = spans_as_turns(found[path.name]["turns"])
    assert seconds(length) > 0
    return 100 * diarization_errors(reference_turns(path.with_suffix(".rttm")), turns, length).rate
