"""What two practices keep on the server under attack: north's is marked, the sender is of south."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from benchmarks.audio_files import read_audio
from benchmarks.two_practices import House
from benchmarks.websocket_peer import frames_of
from streaming.audio_wire import pack
from streaming.types import SAMPLE_RATE

MARK = "Zebulon Quince"
"""Stands in all that practice north keeps, and in nothing that is sent."""
SESSION = Path(__file__).parent / "data" / "session" / "mix.opus"
CONSENT = ["clinician", "client"]


@dataclass(frozen=True, slots=True)
class Kept:
    """Ids by what they stand for in a path: `name` of sessions, `key` of charts, visits and recaps."""

    own: dict[str, tuple[str, ...]]
    others: dict[str, tuple[str, ...]]

    @property
    def secret(self) -> tuple[str, ...]:
        """What no answer to practice south may hold."""
        return (MARK, MARK.upper(), MARK.split()[1], *(one for ids in self.others.values() for one in ids))


async def keep(house: House) -> Kept:
    """Have both practices keep something of everything."""
    async with house.client("anna") as anna, house.client("bert") as bert:
        north = await _practice(house, anna, MARK, "anna")
        south = await _practice(house, bert, "Somebody", "bert")
    return Kept(south, north)


async def _practice(house: House, client: httpx.AsyncClient, word: str, login: str) -> dict[str, tuple[str, ...]]:
    chart = await _made(client, "/api/charts", {"client": word, "goals": [{"text": f"{word} sleeps"}]})
    visit = await _made(client, "/api/visits", {"date": "2026-03-04", "label": word})
    recap = await _made(client, "/api/recaps", {"text": f"{word} sleeps badly. CBT thought record. Denies SI."})
    talk = {"consent": CONSENT, "client": chart, "tracks": [{"id": "mic", "speakers": 1}], "context": {"place": word}}
    ended = await _made(client, "/api/sessions", talk)
    await _speak(house, login, ended)
    await client.post(f"/api/sessions/{ended}/end")
    await _drafted(client, ended)
    said = (await client.get(f"/api/sessions/{ended}/transcript")).json()["utterances"]
    for one in said[:1]:
        told = await client.patch(f"/api/sessions/{ended}/utterances/{one['id']}", json={"text": f"{word} was here."})
        told.raise_for_status()
    await _edited(client, ended, word)
    live = await _made(client, "/api/sessions", talk)
    return {"name": (ended, live), "key": (chart, visit, recap)}


async def _made(client: httpx.AsyncClient, path: str, body: Any) -> str:
    answer = await client.post(path, json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _speak(house: House, login: str, session: str) -> None:
    url = f"{house.server.url.replace('http', 'ws', 1)}/api/sessions/{session}/audio?track=mic"
    pcm = read_audio(SESSION)[14 * SAMPLE_RATE : 17 * SAMPLE_RATE]
    async with connect(url, additional_headers={"Authorization": f"Bearer {house.tokens[login]}"}) as socket:
        for frame in frames_of(pcm, "pcm16"):
            await socket.send(pack(frame))
        await socket.send('{"type": "end"}')
        async for _ in socket:
            pass


async def _drafted(client: httpx.AsyncClient, session: str) -> None:
    for _ in range(300):
        if (await client.get(f"/api/sessions/{session}/note")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("no note was drafted")


async def _edited(client: httpx.AsyncClient, session: str, word: str) -> None:
    note = (await client.get(f"/api/sessions/{session}/note")).json()
    changes = [{"op": "add", "section": note["sections"][0]["name"], "text": f"{word} again."}]
    answer = await client.patch(
        f"/api/sessions/{session}/note", json={"version": note["version"], "changes": changes}
    )
    answer.raise_for_status()
