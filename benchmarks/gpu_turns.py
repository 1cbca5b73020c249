"""Whether diarization holds up recognition on one card: `python -m benchmarks.gpu_turns --speakers FOLDER`.

Recognition's batches, one after the other, alone and with the speaker model at work: beside them on a stream of its
own (`diarizer_turns = beside`), and beginning only while none is being recognized (`between`). In turns, so that the
card's clock falls on all three alike. What counts is how much longer a batch of recognition takes at its p95.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kept
from benchmarks.figure import figure
from benchmarks.gpu_whisper import Card
from benchmarks.parts import Part
from benchmarks.random_whisper import LARGE_V3_TURBO, TINY, save_random_whisper
from streaming.errors import EngineMissing
from streaming.ports import SpeakerModel
from streaming.types import SAMPLE_RATE, Float32

WAYS = ("alone", "beside", "between")
_PAUSE_S = 0.02
"""Between two batches of recognition, so that there is a between."""
_CLIP_S = 3


def batches(card: Card, count: int, resting: threading.Event) -> list[float]:
    """Milliseconds of each batch of recognition; `resting` is clear while one runs."""
    took = []
    for _ in range(count):
        resting.clear()
        began = time.perf_counter()
        encoded = card.encode()
        card.align(encoded, card.decode(encoded))
        took.append(1000 * (time.perf_counter() - began))
        resting.set()
        time.sleep(_PAUSE_S)
    return took


@contextmanager
def diarizing(model: SpeakerModel, sessions: int) -> Iterator[list[int]]:
    """So many sessions ask for a window and a voice each second until the block ends; counts what was answered."""
    over, done = threading.Event(), [0] * sessions
    audio: Float32 = (np.random.default_rng(1).normal(size=model.window_ticks) * 0.05).astype(np.float32)

    def one(number: int) -> None:
        windows = model.follow()
        while not over.wait(1.0):
            windows.segment(0, audio)
            model.embed([audio[: _CLIP_S * SAMPLE_RATE]])
            done[number] += 1

    with ThreadPoolExecutor(sessions) as threads:
        asking = [threads.submit(one, number) for number in range(sessions)]
        try:
            yield done
        finally:
            over.set()
    for each in asking:
        each.result()


def compared(
    card: Card,
    make_model: Callable[[threading.Event | None], SpeakerModel],
    sessions: int,
    rounds: int,
    count: int,
) -> Part:
    """Each way in turn, so many rounds."""
    resting = threading.Event()
    models = {"beside": make_model(None), "between": make_model(resting)}
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    answered = dict.fromkeys(WAYS, 0)
    batches(card, 2, resting)
    for _ in range(rounds):
        for way in WAYS:
            if way == "alone":
                took[way] += batches(card, count, resting)
                continue
            with diarizing(models[way], sessions) as done:
                took[way] += batches(card, count, resting)
            answered[way] += sum(done)
    part = Part(details={"windows diarized": answered})
    for way in WAYS:
        p95 = statistics.quantiles(took[way], n=20)[-1]
        part.figures.append(figure(f"recognition, diarization {way}", "a batch", "ms", statistics.median(took[way])))
        part.figures.append(figure(f"recognition, diarization {way}", "a batch, p95", "ms", p95))
    return part


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; 2 where something that it takes is not here."""
    given = argparse.ArgumentParser(prog="gpu_turns", description=__doc__)
    given.add_argument("--speakers", required=True, help="a folder like speaker-diarization-community-1")
    given.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    given.add_argument("--shape", default="large-v3-turbo", choices=("large-v3-turbo", "tiny"))
    given.add_argument("--batch", type=int, default=16)
    given.add_argument("--sessions", type=int, default=16)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--count", type=int, default=40, help="batches of recognition, each way and round (40)")
    given.add_argument("--out", type=Path, default=Path("out/gpu-turns.json"))
    chosen = given.parse_args(argv)
    from diarization.pyannote_model import PyannoteSpeakerModel

    def make_model(turn: threading.Event | None) -> SpeakerModel:
        return PyannoteSpeakerModel(chosen.speakers, device=chosen.device, max_batch=chosen.sessions, turn=turn)

    head = kept.head("gpu_turns", runs=chosen.rounds, shape=chosen.shape, device=chosen.device)
    shape = LARGE_V3_TURBO if chosen.shape == "large-v3-turbo" else TINY
    compute_type = "float16" if chosen.device == "cuda" else "float32"
    try:
        with tempfile.TemporaryDirectory() as folder:
            save_random_whisper(Path(folder), shape)
            card = Card(Path(folder), chosen.device, compute_type, chosen.batch, 5.0)
            part = compared(card, make_model, chosen.sessions, chosen.rounds, chosen.count)
    except (EngineMissing, ImportError, RuntimeError, ValueError) as error:
        print(f"gpu_turns: {type(error).__name__}: {error}")
        return 2
    body: dict[str, Any] = kept.assembled([part], head)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    for one in part.figures:
        print(f"{one.part}: {one.name}: {one.value:.3g} {one.unit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
