"""The figures' runner on seconds of audio: a real server, real words, a real page. The figures are not judged."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import figures, measure_live, report
from benchmarks.long_talk import continuous_talk
from benchmarks.parts import Part
from benchmarks.parts_live import details, live_figures
from benchmarks.processes import machine, run
from benchmarks.speech_generator import save

pytestmark = [pytest.mark.model, pytest.mark.timeout(150)]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> measure_live.Material:
    folder = tmp_path_factory.mktemp("talk")
    save(continuous_talk(0.2), folder, mix_only=True)
    return measure_live.bundled(folder)


def test_a_short_live_session_gives_every_figure_and_a_page(material: measure_live.Material) -> None:
    one = measure_live.session(material, "websocket").result
    assert one.complete
    assert one.word_error_rate < 0.5
    assert 0 < one.first_word_s < 20
    assert one.finals
    assert 0 < one.draft_s < 20
    assert one.costs.threads["recognition"] > 0
    assert one.costs.threads["diarization"] > 0
    assert one.costs.cpu_s == pytest.approx(sum(one.costs.threads.values()))
    assert one.costs.peak_mb > 100

    parts = [Part(live_figures("Live over WebSocket", [one]), details([one]))]
    head = {"started_at": "now", "took_s": 1.0, "runs": 1, "quick": True, "machine": machine()}
    body = json.loads(json.dumps(figures.assembled(parts, head), allow_nan=False))
    assert all(row["value"] is not None for row in body["figures"])
    assert report.page(body).count("<svg") == 3


def test_a_process_is_watched_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(1_000_000))
    program = (
        "import sys, time\n"
        "file = open(sys.argv[1], 'rb', buffering=0)\n"
        "for _ in range(10): file.read(100_000); time.sleep(0.1)\n"
        "print('read')\nsys.exit(3)"
    )
    account = run([sys.executable, "-c", program, str(path)], watched=path, background=True, every_s=0.02)
    assert (account.status, account.output) == (3, "read\n")
    assert account.wall_s >= 1.0
    assert account.cpu_s < account.wall_s
    positions = [at for at, _ in account.memory]
    assert positions == sorted(positions)
    assert positions[-1] == 1_000_000
    assert all(mb > 1 for _, mb in account.memory)


def test_only_known_parts_are_taken() -> None:
    with pytest.raises(SystemExit):
        figures.main(["--only", "words,nothing"])
