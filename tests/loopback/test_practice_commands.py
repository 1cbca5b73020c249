"""`sameday recap`, `sameday backlog` and `sameday self-check` as they are typed."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streaming.cli import main

pytestmark = pytest.mark.loopback

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with data of its own; gives its status, output and errors."""
    monkeypatch.setenv("SAMEDAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.chdir(tmp_path)

    def _run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        try:
            status = main(arguments)
        except SystemExit as left:
            status = int(str(left.code))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return _run


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def test_a_recap_from_standard_input(run: Run) -> None:
    status, out, _ = run("recap", "-", "--json", "--format", "dap", typed="Ct wakes 4x/wk. Denies SI. 50 min.")
    body: dict[str, Any] = json.loads(out)
    assert status == 0
    assert [*body][:5] == ["format", "sections", "risk", "checks", "billing"]
    assert body["format"] == "dap"
    assert body["billing"]["cpt"] == "90834"
    assert len(body["questions"]) == len(body["question_kinds"]) == 3
    assert body["header"] == ""


def test_a_late_recap_with_context_and_an_answer(run: Run, tmp_path: Path) -> None:
    (tmp_path / "recap.txt").write_text("Panic daily.", encoding="utf-8")
    context = {
        "started_at": "2026-01-31T10:00:00-05:00",
        "ended_at": "2026-01-31T10:55:00-05:00",
        "diagnosis": "F41.0",
    }
    (tmp_path / "context.json").write_text(json.dumps(context), encoding="utf-8")
    status, out, _ = run(
        "recap", "recap.txt", "--context", "context.json", "--written-on", "2026-02-02", "--late-reason", "ill",
        "--answer", "plan=weekly",
    )  # fmt: skip
    assert status == 0
    assert out.startswith("Late entry, written 2026-02-02 for the session of 2026-01-31. Reason: ill.")
    assert "[chart] Diagnosis: F41.0." in out
    assert "90837" in out
    assert "[clinician] Weekly." in out or "[clinician] Plan: Weekly." in out
    assert "--answer risk=" in out
    assert "--answer plan=" not in out


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (("recap", "nowhere.txt"), ""),
        (("recap", "-", "--context", "nowhere.json"), "x"),
        (("recap", "-", "--answer", "weather=fine"), "x"),
        (("recap", "-", "--answer", "plan"), "x"),
        (("recap", "-", "--zone", "Mars/Base"), "x"),
        (("backlog", "--block", "noon"), ""),
        (("backlog", "import", "nowhere.csv"), ""),
        (("backlog", "import", "-"), "Client,Date\nA,03/04/2026\n"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(run: Run, arguments: tuple[str, ...], typed: str) -> None:
    status, out, err = run(*arguments, typed=typed)
    assert status == 2
    assert out == ""
    assert err.startswith("sameday: ")


def test_a_file_brought_in_is_the_backlog(run: Run, tmp_path: Path) -> None:
    lines = ("Client,Date,Status,Risk", f"A. B.,{days_ago(3)},,", f"C. D.,{days_ago(30)},,yes",
             f"E. F.,{days_ago(2)},signed,", "G,x,,")  # fmt: skip
    rows = "\n".join(lines)
    (tmp_path / "past.csv").write_text(rows, encoding="utf-8")
    status, out, _ = run("backlog", "import", "past.csv")
    assert status == 0
    assert "3 new, 0 completed, 0 known already." in out
    assert "not read, 5: The date cannot be read." in out
    status, out, _ = run("backlog", "--json", "--order", "risk", "--block", "mon 12:00 60")
    body = json.loads(out)
    assert status == 0
    assert [one["label"] for one in body["visits"]] == ["C. D.", "A. B."]
    assert (body["count"], body["signed"]) == (2, 1)
    assert body["zero"] == body["blocks"][0]["start"][:10]
    _, out, _ = run("backlog")
    assert "2 notes are waiting" in out
    assert "OVER THREE WEEKS (1)" in out


def test_an_ambiguous_file_with_the_order_said(run: Run) -> None:
    status, out, _ = run("backlog", "import", "-", "--dates", "day_first", typed="Client,Date\nA,03/04/2026\n")
    assert status == 0
    assert "1 new" in out


def test_the_self_check_in_a_terminal_stores_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["3", "", "9", "2", "1", "1", "1", "3"])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    status, out, _ = run("self-check", "--country", "gb")
    assert status == 0
    told = out.rpartition("I would rather not say")[2]
    assert told.index("PLEASE TALK TO SOMEBODY NOW") < told.index("CARE OF YOUR OWN")
    assert "116 123" in told
    assert not (tmp_path / "data").exists()
