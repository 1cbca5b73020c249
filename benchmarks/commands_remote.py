"""`sameday bench live --server`: sessions against a server that serves people, made for this and deleted after it."""

import asyncio
import json
import resource
import ssl
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from benchmarks import kept
from benchmarks.audio_files import read_audio
from benchmarks.figure import Figure, figure, table
from benchmarks.host import MARK, Host
from benchmarks.live import Recording, Stream, Transport, run_stream, stream_of
from benchmarks.live_figures import UNKNOWN, result
from benchmarks.measure_live import Material, beginning, bundled_or_refused
from benchmarks.measure_live import Progress as SessionProgress
from benchmarks.parts import SESSION, Part
from benchmarks.parts_live import NAMES, details, live_figures
from benchmarks.progress import Progress
from benchmarks.websocket_peer import Refused
from streaming.errors import PeerError, SamedayError

_APART_S = 0.5
"""Between the starts of sessions at once."""
_DELETED_WITHIN_S = 60.0
_OF_THE_LINE = (
    httpx.HTTPError, WebSocketException, Refused, OSError, LookupError, TimeoutError, json.JSONDecodeError,
)  # fmt: skip
_ROLES = ("clinician", "supervisor")


class SessionsLeft(SamedayError):
    """Sessions of a benchmark are still on the server."""

    code = "sessions_left"


@dataclass(slots=True)
class _Made:
    """What was begun on the server, and what has come of it."""

    sessions: list[str] = field(default_factory=list)
    recordings: list[tuple[Transport, Recording]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)


def live(
    folder: Path | None,
    host: Host,
    wanted: Sequence[Transport],
    length_s: float,
    *,
    as_object: bool,
    save: Path | None,
) -> int:
    """A session over each of the transports, all at once, `length_s` of audio each.

    Raises PeerError where the server is none, refuses, or does not do what it should; SessionsLeft.
    """
    material = bundled_or_refused(folder or SESSION)
    with tempfile.TemporaryDirectory(prefix="sameday-bench-") as work, Progress(length_s + 15.0) as progress:
        material = beginning(material, length_s, Path(work))
        version = asyncio.run(examined(host))
        head = kept.head("live", seconds=length_s, server={"url": host.url, "version": version})
        progress.say(f"{host.url}, sameday {version}: {len(wanted)} sessions, named as a benchmark's, then deleted")
        used = _core_s()
        made = asyncio.run(_measured(host, material, wanted, SessionProgress(progress.say)))
        part = _part(made, material, _core_s() - used)
        progress.say(f"  {len(made.receipts)} sessions deleted, with receipts")
        head["took_s"] = round(progress.elapsed_s, 1)
    print(json.dumps([one.as_json() for one in part.figures]) if as_object else table(part.figures), end="")
    if save is not None:
        print(f"{save} and {kept.save(kept.assembled([part], head), save)}", file=sys.stderr)
    return 0


async def examined(host: Host) -> str:
    """The server's version. Raises PeerError where there is none, or the token may hold no session there."""
    try:
        async with host.client() as client:
            seat = _object(await client.get("/api/seat"))
            if seat.get("mode") not in ("single", "account", "nobody"):
                raise PeerError("What answers there is no sameday server.", mend="Look at the address.")
            if seat["mode"] == "nobody":
                raise PeerError(
                    "The server does not know the token, or it is over."
                    if host.token
                    else "The server asks for a token.",
                    mend="Make one with `sameday user token LOGIN`, and give its file as --token-file.",
                )
            if seat.get("role") not in _ROLES:
                raise PeerError(
                    f"An account with the role {seat.get('role')} holds no sessions.",
                    mend="Take a clinician's, in a practice of its own: docs/operations.md.",
                )
            return str(_object(await client.get("/openapi.json")).get("info", {}).get("version", "unknown"))
    except httpx.ConnectError as error:
        raise _unreached(error) from None
    except httpx.HTTPError as error:
        raise PeerError(f"The server gave no answer ({type(error).__name__}).", mend="Look at the address.") from None


def _unreached(error: httpx.ConnectError) -> PeerError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return PeerError(
                "The server's certificate is not trusted here.", mend="Give its authority's file as --authority."
            )
        cause = cause.__cause__ or cause.__context__
    return PeerError("The server cannot be reached.", mend="Look at the address, and whether the server runs.")


async def _measured(host: Host, material: Material, wanted: Sequence[Transport], shown: SessionProgress) -> _Made:
    """All sessions, and their deletion, however it went. Raises PeerError, SessionsLeft."""
    made = _Made()
    pcm = await asyncio.to_thread(read_audio, material.audio)
    try:
        streams = [(kind, await asyncio.to_thread(stream_of, pcm, kind)) for kind in wanted]
        async with asyncio.TaskGroup() as group:
            for place, (kind, stream) in enumerate(streams):
                group.create_task(_one(host, kind, stream, made, place * _APART_S, shown if place == 0 else None))
    except ExceptionGroup as errors:
        if errors.split(_OF_THE_LINE)[1] is not None:
            raise
        raise _refused(errors.exceptions[0], all_known=len(made.sessions) == len(wanted)) from None
    finally:
        await asyncio.shield(_delete_all(host, made))
    return made


async def _one(
    host: Host, kind: Transport, stream: Stream, made: _Made, wait_s: float, shown: SessionProgress | None
) -> None:
    await asyncio.sleep(wait_s)
    recording = await run_stream(host, stream, shown=shown, begun=made.sessions.append)
    made.recordings.append((kind, recording))


def _refused(error: BaseException, *, all_known: bool) -> PeerError:
    """What went wrong, in the server's own words where it said any: an error's text may hold addresses.

    Unless the sessions are `all_known` one may have begun whose answer never came, and which nobody deletes.
    """
    if isinstance(error, httpx.HTTPStatusError):
        told = _object(error.response).get("error", {})
        return PeerError(
            f"The server refused: {told.get('message', error.response.status_code)}", mend=told.get("mend", "")
        )
    if isinstance(error, Refused):
        return PeerError(f"The server refused: {error.error.get('message', '')}", mend=error.error.get("mend", ""))
    mend = "Look at the server's log."
    if not all_known:
        mend += f" A session that began without an answer may be left there: its place is “{MARK}”. Purge it."
    return PeerError(f"A session was cut off ({type(error).__name__}).", mend=mend)


async def _delete_all(host: Host, made: _Made) -> None:
    """Raises SessionsLeft with the ids of those that are still there."""
    async with host.client() as client:
        left = []
        for session in made.sessions:
            receipt = await _delete(client, session)
            if receipt is None:
                left.append(session)
            else:
                made.receipts.append(receipt)
    if left:
        raise SessionsLeft(
            f"Sessions of this benchmark are still on the server: {', '.join(left)}.",
            mend="Delete them there: sameday purge SESSION…",
        )


async def _delete(client: httpx.AsyncClient, session: str) -> dict[str, Any] | None:
    """The receipt of a session that is ended, noted and then deleted. None where that does not succeed."""
    until = time.monotonic() + _DELETED_WITHIN_S
    while time.monotonic() < until:
        try:
            await client.post(f"/api/sessions/{session}/end")
            answer = await client.delete(f"/api/sessions/{session}", params={"scope": "session"})
            receipt = _object(answer)  # a proxy on the way may answer with a page of its own
            if answer.status_code == 200 and receipt.get("done") is True and receipt.get("session") == session:
                return receipt
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.5)
    return None


def _part(made: _Made, material: Material, client_s: float) -> Part:
    lives = [result(kind, one, material.reference, material.spoken, UNKNOWN) for kind, one in made.recordings]
    figures: list[Figure] = []
    for kind, name in NAMES.items():
        if runs := [one for one in lives if one.transport == kind]:
            figures += live_figures(f"Live over {name}, {len(runs)} at once", runs)
    audio_s = sum(one.audio_s for one in lives)
    figures.append(figure("This machine", "client, core-seconds per second of audio", "core-s/s", client_s / audio_s))
    return Part(figures, details(lives) | {"deleted": [_counts(one) for one in made.receipts]})


def _counts(receipt: dict[str, Any]) -> dict[str, Any]:
    return {name: receipt[name] for name in ("session", "at", "removed")}


def _core_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
