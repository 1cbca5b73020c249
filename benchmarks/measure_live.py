"""Live sessions at real-time pace, each against a server of its own whose time is told by thread."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.audio_files import read_audio, write_audio
from benchmarks.live import Message, Recording, Transport, run_live
from benchmarks.live_figures import Costs, LiveResult, result
from benchmarks.manifest import parse_rttm, read_reference, turns_of
from benchmarks.server_process import Running, running_server
from benchmarks.talk_pieces import cut
from streaming.errors import BadTranscript
from streaming.types import Tick, Transcript, Turn, to_tick

_NAMES = Path(__file__).parent / "thread_names"
_STAGGER_S = 6.0
"""Between the starts of sessions side by side: each encodes its audio before its clock starts."""

STAGES = {"recognize": "recognition", "diarize": "diarization", "listen": "voice activity"}
REST = "transport, event loop, store, note"


@dataclass(frozen=True, slots=True)
class Material:
    """A recording and the truth about it."""

    audio: Path
    reference: Transcript
    spoken: Sequence[Turn]


def bundled(folder: Path) -> Material:
    """A session as the speech generator writes it: mix.opus, reference.json, session.rttm."""
    reference = read_reference([folder / "reference.json"]).transcript
    assert reference is not None
    spoken = parse_rttm((folder / "session.rttm").read_text(encoding="utf-8"))
    return Material(folder / "mix.opus", reference, spoken.get("session") or turns_of(reference))


def beginning(material: Material, length_s: float, work: Path) -> Material:
    """The material's first so many seconds, to the pause before their end."""
    piece = cut(read_audio(material.audio), material.reference, material.spoken, Tick(0), to_tick(length_s))
    path = work / f"first-{length_s:.0f}.wav"
    write_audio(path, piece.pcm)
    return Material(path, piece.reference, piece.spoken)


def bundled_or_refused(folder: Path) -> Material:
    """The same, with a plain word where it is no such folder. Raises BadTranscript."""
    try:
        return bundled(folder)
    except OSError as error:
        raise BadTranscript(
            f"This is no session's folder: {error.strerror or 'it cannot be read'}.",
            mend="It needs mix.opus, reference.json and session.rttm, as `sameday bench generate` writes them.",
        ) from None


@dataclass(frozen=True, slots=True)
class Live:
    """One session: what came of it, and the recording it came from."""

    result: LiveResult
    recording: Recording


def session(
    material: Material,
    transport: Transport,
    *,
    speakers: int = 2,
    shown: Callable[[Message], None] | None = None,
    wait_s: float = 0.0,
) -> Live:
    """Start a server, stream the recording, end the session, take the account. Blocks for as long as the audio lasts.

    Raises RuntimeError where the server does not start, and what `run_live` raises.
    """
    with running_server(server_environment()) as server:
        time.sleep(wait_s)
        costs = server_costs(server)
        recording = asyncio.run(
            run_live(server.url, material.audio, transport=transport, speakers=speakers, shown=shown)
        )
        used = costs()
    return Live(result(transport, recording, material.reference, material.spoken, used), recording)


def server_environment() -> dict[str, str]:
    """What a server needs for its threads to have their names."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(_NAMES), os.environ.get("PYTHONPATH", "")]))}


def server_costs(server: Running) -> Callable[[], Costs]:
    """What the server's process uses from now on until the answer is called."""
    before, before_threads = server.cpu_s(), processes.thread_cpu_s(server.process.pid)
    return lambda: _costs(server, before, before_threads)


def side_by_side(
    wanted: Sequence[tuple[Material, Transport]], shown: Callable[[Message], None] | None = None
) -> list[Live]:
    """Several sessions at once, each on a server of its own. `shown` hears the last one's messages."""
    last = len(wanted) - 1
    with ThreadPoolExecutor(len(wanted)) as threads:
        runs = [
            threads.submit(
                session, material, transport, shown=shown if place == last else None, wait_s=place * _STAGGER_S
            )
            for place, (material, transport) in enumerate(wanted)
        ]
        return [run.result() for run in runs]


def _costs(server: Running, before: float, before_threads: dict[str, float]) -> Costs:
    pid = server.process.pid
    whole = server.cpu_s() - before
    used = {
        says: processes_s - before_threads.get(name, 0.0)
        for name, says in STAGES.items()
        if (processes_s := processes.thread_cpu_s(pid).get(name)) is not None
    }
    used[REST] = whole - sum(used.values())
    return Costs(whole, used, processes.resident_mb(pid, "VmHWM"))


class Progress:
    """Says each 30 s of a session how far it is, from its own messages."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._next = 30.0
        self._lock = threading.Lock()

    def __call__(self, message: Message) -> None:
        if message["type"] != "lag":
            return
        received = max((track["received_s"] for track in message["tracks"]), default=0.0)
        with self._lock:
            if received >= self._next:
                self._next = received + 30.0
                self._say(f"    {received:.0f} s streamed")
