"""`sameday draft --writer vllm` and what `sameday doctor` says of the model server."""

import asyncio
import json
from pathlib import Path

import pytest
from scripted_model_server import Act, ModelServer, model_server

from benchmarks.draft_figures import HERE
from streaming import cli
from streaming.doctor import examine_writer
from streaming.settings import load

pytestmark = pytest.mark.loopback

TRANSCRIPT = HERE / "data" / "session" / "reference.json"


def set_writer(patch: pytest.MonkeyPatch, url: str, model: str = "scripted") -> None:
    patch.setenv("SAMEDAY_WRITER_URL", url)
    patch.setenv("SAMEDAY_WRITER_MODEL", model)
    patch.setenv("SAMEDAY_WRITER_TOTAL_S", "5")


async def draft(server: ModelServer, patch: pytest.MonkeyPatch, *arguments: str) -> int:
    set_writer(patch, server.url)
    return await asyncio.to_thread(cli.main, ["draft", str(TRANSCRIPT), "--json", "--writer", *arguments])


async def test_the_command_s_writer_wins_over_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with model_server() as server:
        assert await draft(server, monkeypatch, "vllm") == 0
        asked = len(server.calls)
        written = json.loads(capsys.readouterr().out)
        assert await draft(server, monkeypatch, "embedded") == 0
        assert len(server.calls) == asked > 0
    texts = [one["text"] for part in written["sections"] for one in part["statements"]]
    assert sum(text.endswith("(Plan)") for text in texts) == 1
    embedded = json.loads(capsys.readouterr().out)
    assert not any("(Plan)" in one["text"] for part in embedded["sections"] for one in part["statements"])


async def test_a_server_that_is_away_gives_a_draft_that_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with model_server(
        script={name: [Act(status=401)] for name in ("Subjective", "Objective", "Plan")}
    ) as server:
        assert await draft(server, monkeypatch, "vllm") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["checks"][0]["rule"] == "writer_away"


def test_a_writer_without_an_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["draft", str(TRANSCRIPT), "--writer", "vllm"]) == 1
    assert "writer_url: needed with writer = vllm" in capsys.readouterr().err


async def test_doctor_says_whether_the_model_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEDAY_WRITER", "vllm")
    async with model_server() as server:
        set_writer(monkeypatch, server.url)
        (found,) = await asyncio.to_thread(examine_writer, load())
        assert found.state == "ok"
        set_writer(monkeypatch, server.url, "another")
        (found,) = await asyncio.to_thread(examine_writer, load())
        assert found.state == "warn"
        assert "another, but scripted" in found.says
    set_writer(monkeypatch, "http://127.0.0.1:9/v1")
    (found,) = await asyncio.to_thread(examine_writer, load())
    assert found.state == "warn"
    assert "no answer" in found.says
    assert found.mend
