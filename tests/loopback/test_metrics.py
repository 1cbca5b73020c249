"""What Prometheus reads of a real server: sessions, audio and windows are counted, nothing of what was said."""

from pathlib import Path

import numpy as np
import pytest
from httpx import AsyncClient
from live_server import client_of, data_folder, end, piece, send, silence, start, transcript_of, until, words_of
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.server_process import running_server

pytestmark = pytest.mark.loopback


async def scraped(client: AsyncClient) -> tuple[str, dict[str, float]]:
    """The text, and its values by name with labels in order."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return answer.text, {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


async def test_a_session_from_start_to_end(tmp_path: Path) -> None:
    said = np.concatenate([piece(0.0, 6.9), silence(1.5)])
    with running_server(data_folder(tmp_path)) as server:
        async with client_of(server) as client:
            _, before = await scraped(client)
            assert before["sameday_sessions live"] == 0
            session = await start(client, consent=["Daniel Fictional"])
            await send(server, session, said)

            async def heard() -> bool:
                return bool((await transcript_of(client, session))["utterances"])

            await until(heard)
            _, live = await scraped(client)
            assert live["sameday_sessions live"] == 1
            assert live["sameday_audio_received_seconds_total"] == pytest.approx(8.4)
            assert live["sameday_windows_total final"] >= 1
            await end(server, client, session)

            async def over() -> bool:
                return (await scraped(client))[1]["sameday_sessions_ended_total requested"] == 1

            await until(over)
            text, after = await scraped(client)
            words = words_of(await transcript_of(client, session))
    assert (after["sameday_sessions live"], after["sameday_sessions_started_total"]) == (0, 1)
    assert after["sameday_audio_received_seconds_total"] == pytest.approx(8.4)
    assert after["sameday_audio_transcribed_seconds_total"] == pytest.approx(8.4)
    assert after["sameday_windows_failed_total"] == 0
    assert after["process_cpu_seconds_total"] > 0
    assert session not in text
    assert "Daniel" not in text
    long = {word for word in words if len(word) > 6}
    assert long
    assert not any(word in text.lower() for word in long)
