"""The senders' process: virtual sessions that stream prepared audio at real-time pace and note when what came.

    python -m benchmarks.traffic JOB.json RESULT.jsonl

Apart from the server and from what judges, so that its own cost can be told. It prints one JSON object a line:
`ready` once all audio is encoded, then it waits for a line on standard input; `lag` each second; `done` at the end.
The result file has a line per session: what its client saw, or the name of the error that ended it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.host import Host
from benchmarks.live import (
    FallbackStream,
    Message,
    Recording,
    Stream,
    Transport,
    WebSocketStream,
    WhipStream,
    run_stream,
)
from benchmarks.websocket_peer import PCM_FRAME_TICKS, frames_of
from benchmarks.whip_peer import opus_packets
from streaming.types import FRAME_TICKS, SAMPLE_RATE, Int16Mono, Tick


@dataclass(frozen=True, slots=True)
class Caller:
    """One virtual session: which file of samples (int16 at 16 kHz) it plays, how, and when it begins."""

    audio: str
    transport: Transport
    start_s: float
    speakers: int = 2


@dataclass(frozen=True, slots=True)
class Job:
    """All sessions of a step, against one server."""

    url: str
    callers: tuple[Caller, ...]


@dataclass(slots=True)
class Outcome:
    """What one session's client saw; `error` names what ended it early. Times are `time.monotonic`."""

    caller: int
    recording: Recording = field(default_factory=Recording)
    sent: list[float] = field(default_factory=list)
    frame_ticks: int = FRAME_TICKS
    error: str = ""

    def sent_at(self, tick: Tick) -> float:
        """When the frame with this tick went out. Raises LookupError if it has not."""
        return self.sent[max(0, tick) // self.frame_ticks]

    def late_s(self) -> list[float]:
        """How much later each frame left than its place in the audio says, counted from the earliest one."""
        offsets = [at - (number + 1) * self.frame_ticks / SAMPLE_RATE for number, at in enumerate(self.sent)]
        least = min(offsets, default=0.0)
        return [offset - least for offset in offsets]


def write_outcome(one: Outcome) -> str:
    """The outcome as a line of JSON."""
    seen = one.recording
    body = {
        "caller": one.caller,
        "error": one.error,
        "sent": [round(at, 5) for at in one.sent],
        "frame_ticks": one.frame_ticks,
        "session": seen.session,
        "end_asked": seen.end_asked,
        "messages": [[round(at, 5), message] for at, message in seen.messages],
        "transcript": seen.transcript,
    }
    return json.dumps(body)


def read_outcome(line: str) -> Outcome:
    """The outcome of `write_outcome`."""
    body = json.loads(line)
    recording = Recording(
        session=body["session"],
        messages=[(at, message) for at, message in body["messages"]],
        end_asked=body["end_asked"],
        transcript=body["transcript"],
    )
    one = Outcome(body["caller"], recording, body["sent"], body["frame_ticks"], body["error"])
    recording.sent_at = one.sent_at
    return one


def write_job(job: Job) -> str:
    """The job as JSON."""
    return json.dumps(asdict(job))


def read_job(text: str) -> Job:
    """The job of `write_job`."""
    body = json.loads(text)
    return Job(body["url"], tuple(Caller(**caller) for caller in body["callers"]))


class _Traffic:
    """All sessions of a job. Audio that several sessions play over the same transport is encoded once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._encoded: dict[tuple[str, Transport], Any] = {}
        self.lag_s: dict[int, float] = {}
        for caller in job.callers:
            key = (caller.audio, caller.transport)
            if key not in self._encoded:
                pcm: Int16Mono = np.fromfile(caller.audio, dtype="<i2").astype(np.int16)
                websocket = caller.transport == "websocket"
                self._encoded[key] = frames_of(pcm, "pcm16") if websocket else opus_packets(pcm)

    async def run(self) -> list[Outcome]:
        """All sessions at once; one that fails takes nothing from the others."""
        saying = asyncio.create_task(self._say())
        try:
            return list(await asyncio.gather(*(self._one(place) for place in range(len(self._job.callers)))))
        finally:
            saying.cancel()

    async def _one(self, place: int) -> Outcome:
        caller = self._job.callers[place]
        await asyncio.sleep(caller.start_s)
        encoded = self._encoded[caller.audio, caller.transport]
        stream: Stream = (WebSocketStream if caller.transport == "websocket" else WhipStream)(encoded)
        one = Outcome(place)

        def shown(message: Message) -> None:
            if message["type"] == "lag":
                self.lag_s[place] = max((track["lag_s"] for track in message["tracks"]), default=0.0)

        try:
            one.recording = await run_stream(Host(self._job.url), stream, speakers=caller.speakers, shown=shown)
        except httpx.HTTPStatusError as error:
            one.error = f"refused with {error.response.status_code}"
        except Exception as error:
            one.error = type(error).__name__
        finally:
            self.lag_s.pop(place, None)
        one.sent, one.frame_ticks = sent_times(stream)
        return one

    async def _say(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            lags = list(self.lag_s.values())
            print(json.dumps({"lag": [max(lags, default=0.0), sum(lags) / max(1, len(lags)), len(lags)]}), flush=True)


def sent_times(stream: Stream) -> tuple[list[float], int]:
    """When each frame left, and how many ticks a frame has."""
    if isinstance(stream, WebSocketStream):
        return [at for _, at in stream.peer.sent], PCM_FRAME_TICKS
    if isinstance(stream, FallbackStream):
        return [stream.peer.captured_at(number) for number in range(stream.peer.captured)], FRAME_TICKS
    assert isinstance(stream, WhipStream)
    return (stream.peer.track.sent if stream.peer is not None else []), FRAME_TICKS


def main(argv: Sequence[str] | None = None) -> int:
    """Encode, wait for the word to begin, stream, write what came."""
    job_path, result_path = (Path(argument) for argument in (argv if argv is not None else sys.argv[1:]))
    traffic = _Traffic(read_job(job_path.read_text(encoding="utf-8")))
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    before, began = time.process_time(), time.monotonic()
    outcomes = asyncio.run(traffic.run())
    used = {"cpu_s": time.process_time() - before, "wall_s": time.monotonic() - began}
    result_path.write_text("".join(write_outcome(one) + "\n" for one in outcomes), encoding="utf-8")
    print(json.dumps({"done": used}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
