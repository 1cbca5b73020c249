"""The commands of `sameday bench` on seconds of audio: real servers, words and reports. No figure is judged."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import profiles
from benchmarks.audio_files import write_audio
from benchmarks.long_talk import SCRIPT
from streaming.cli import main

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(170),
    pytest.mark.skipif(shutil.which("flite") is None, reason="needs Debian's flite"),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first lines of the bundled script, spoken."""
    folder = tmp_path_factory.mktemp("bench")
    script = json.loads(SCRIPT.read_text(encoding="utf-8"))
    (folder / "script.json").write_text(json.dumps(script | {"lines": script["lines"][:2]}))
    made = [
        "bench",
        "generate",
        "--script",
        str(folder / "script.json"),
        "--out",
        str(folder / "talk"),
        "--seed",
        "3",
    ]
    assert main(made) == 0
    return folder / "talk"


def report(path: Path) -> dict[str, Any]:
    """A report whose page is there and whose drawings can be drawn."""
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert body["machine"]["cores"]
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="http', page)
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(picture)
    return body


def test_a_generated_session_has_all_that_is_true_of_it(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = json.loads((session / "reference.json").read_text(encoding="utf-8"))
    assert len(reference["utterances"]) == 2
    assert all(one["words"] for one in reference["utterances"])
    assert (session / "session.rttm").read_text().count("SPEAKER") >= 3
    again = [
        "bench",
        "generate",
        "--script",
        str(session.parent / "script.json"),
        "--out",
        str(session.parent / "again"),
    ]
    assert main([*again, "--seed", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["utterances"] == 2
    assert (session.parent / "again" / "mix.opus").read_bytes() == (session / "mix.opus").read_bytes()


@pytest.mark.long
def test_two_sessions_at_once_over_both_transports_with_a_profile(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    options = ["--sessions", "2", "--transport", "both", "--seconds", "8", "--pieces", "1", "--profile"]
    assert main(["bench", "live", str(session), *options, "--save", str(path)]) == 0
    body = report(path)
    (step,) = body["details"]["ramp"][0]["steps"]
    assert (step["complete"], step["fault"]) == (2, "") or "final p95" in step["fault"]
    assert step["wer"] < 0.5
    assert step["wer_alone"] == pytest.approx(step["wer"], abs=0.25)
    assert step["cores"]["recognition"] > 0
    assert step["sender_cores"] > 0
    assert body["details"]["profile"]["by"].startswith(("py-spy", "a sampler inside"))


def test_a_sampler_inside_the_process_says_where_the_time_goes(tmp_path: Path) -> None:
    profiler = profiles.Profiler(tmp_path, attach=False)
    assert "inside the process" in profiler.by
    import subprocess
    import sys

    from benchmarks.measure_live import server_environment

    program = (
        "import time\ndef spin():\n    end = time.time() + 2\n    while time.time() < end: sum(range(1000))\nspin()"
    )
    environment = server_environment() | profiler.environment()
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    found = profiler.as_json()
    assert any("spin" in stack for stack in found["folded"])


@pytest.mark.long
def test_a_ramp_ends_in_its_time_and_says_the_greatest_number(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "ramp.json"
    options = ["--ramp", "--transport", "websocket", "--start", "1", "--step", "1", "--most", "1", "--seconds", "8"]
    limits = ["--within", "30", "--minutes", "2", "--pieces", "1", "--no-alone"]
    assert main(["bench", "live", str(session), *options, *limits, "--save", str(path)]) == 0
    found = report(path)["details"]["ramp"][0]
    assert [step["sessions"] for step in found["steps"]] == [1]
    assert found["greatest"]["past_endpoint_s"] == 1


@pytest.mark.long
def test_under_loss_all_is_accounted_for(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    assert main(["bench", "load", str(session), "--only", "loss-10,cut", "--seconds", "8", "--save", str(path)]) == 0
    rows = {row["name"]: row for row in report(path)["details"]["load"]}
    assert list(rows) == ["clean-websocket", "clean-webrtc", "loss-10", "cut"]
    assert all(row["complete"] == 1 for row in rows.values())
    assert rows["loss-10"]["lost_s"] > 0
    assert rows["loss-10"]["gaps_s"]["packet_loss"] == pytest.approx(rows["loss-10"]["lost_s"], abs=0.1)


@pytest.mark.long
def test_a_storm_is_served_or_refused(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "storm.json"
    options = ["--only", "storm-full", "--storm", "4", "--seconds", "9"]
    assert main(["bench", "load", str(session), *options, "--save", str(path)]) == 0
    (row,) = report(path)["details"]["load"]
    assert (row["sessions"], row["refused"], row["complete"]) == (4, 2, 2)


@pytest.mark.long
def test_systems_are_compared_and_what_has_no_weights_is_said(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "compare.json"
    options = ["--only", "sameday,local agreement", "--runs", "1", "--seconds", "8"]
    assert main(["bench", "compare", str(session), *options, "--save", str(path)]) == 0
    body = report(path)
    rows = {row["name"]: row for row in body["details"]["compare"]}
    assert list(rows) == ["sameday", "local agreement"]
    assert all(row["cpu_per_s"]["median"] > 0 and row["wer"] < 0.5 for row in rows.values())
    assert any("faster-whisper" in reason for reason in body["skipped"])


def test_accuracy_over_a_manifest_and_what_changed(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_audio(tmp_path / "noise.wav", (np.random.default_rng(1).standard_normal(32_000) * 300).astype(np.int16))
    known = [str(session / name) for name in ("reference.json", "session.rttm")]
    items = [
        {"name": "talk", "audio": str(session / "mix.opus"), "reference": known},
        {"name": "noise", "audio": "noise.wav", "noise": True, "speakers": 1},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"items": items}))
    one = tmp_path / "one.json"
    assert main(["bench", "accuracy", str(tmp_path / "manifest.json"), "--json", "--save", str(one)]) == 0
    talk, noise, _ = json.loads(capsys.readouterr().out)
    assert talk["words"]["rate"] < 0.5
    assert talk["whole"]["rate"] < 0.5
    assert talk["online"]["speech_s"] == talk["diarization"]["speech_s"]
    assert noise["stray"] == 0
    report(one)
    changed = json.loads(one.read_text(encoding="utf-8"))
    changed["figures"][0]["runs"] = [99.0]
    (tmp_path / "two.json").write_text(json.dumps(changed))
    assert main(["bench", "diff", str(one), str(tmp_path / "two.json")]) == 0
    said = capsys.readouterr().out
    assert "changed: 1" in said
    assert "WER, streaming" in said
    assert main(["bench", "diff", str(one), str(tmp_path / "manifest.json")]) == 2
