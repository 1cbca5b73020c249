"""The runner of `sameday bench draft`: a table with targets, one JSON object, and the bundled session always."""

import json

import pytest

from benchmarks.draft_figures import bundled, figures, main, role_figures, support_figures
from benchmarks.draft_table import table_of
from benchmarks.verifier_figures import auc, verifier_figures

pytestmark = pytest.mark.unit


def test_the_bundled_session_is_always_measured() -> None:
    sessions = bundled()
    assert role_figures(sessions)["whole"]["share"] == 1.0
    support = support_figures(sessions)
    assert support["from_transcript"] > 50
    assert (support["without_evidence"], support["without_their_words"], support["unsupported"]) == (0, 0, 0)


def test_the_verifier_stands_above_plain_word_cover_in_the_same_run() -> None:
    found = verifier_figures(bundled())
    assert found["auc"] > found["auc_word_cover"]
    assert "written" not in found


def test_auc_counts_ties_half() -> None:
    assert auc([(0.9, True), (0.1, False)]) == 1.0
    assert auc([(0.5, True), (0.5, False)]) == 0.5


def test_the_runner_prints_a_table_or_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    small = {"cases": 1, "positives": 1, "sensitivity": 1.0, "precision": None, "state_accuracy": 1.0}
    one = small | {"state_accuracy_spoken_of": 1.0, "false_alarms": 0}
    monkeypatch.setattr("benchmarks.draft_figures.risk_figures", lambda _: {"test": one, "kinds": {"idiom": one}})
    assert main([str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sessions"] == 1
    assert found["speed"]["draft_s"] > 0
    table = table_of(found)
    assert "Roles from talk alone, 1 sessions" in table
    assert "sensitivity" in table
    assert "switch of format" in table


def test_a_folder_that_is_not_there_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["/no/such/folder"])


def test_figures_hold_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.draft_figures.risk_figures", lambda _: {})
    monkeypatch.setattr("benchmarks.draft_figures.transcripts", lambda _: {})
    assert {"machine", "roles", "risk", "verifier", "support", "speed"} <= figures().keys()
