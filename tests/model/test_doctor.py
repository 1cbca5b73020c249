"""The doctor on this installation, with the embedded models really run."""

from pathlib import Path

import pytest

from streaming import doctor, weights
from streaming.findings import Finding
from streaming.settings import Settings

pytestmark = pytest.mark.model


def configured(tmp_path: Path, **given: object) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, "port": 0} | given)


def examined(tmp_path: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(configured(tmp_path))}


def test_a_sound_installation_has_no_failure(tmp_path: Path) -> None:
    findings = examined(tmp_path)
    assert not doctor.failed(findings.values())
    assert {"python", "packages", "embedded weights", "speaker model", "recognizer", "store"} <= findings.keys()
    assert "x real time" in findings["recognizer"].says


def test_other_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict.fromkeys(doctor._RECOGNIZER_FILES, "0" * 64)
    monkeypatch.setattr(doctor, "_RECOGNIZER_FILES", known)
    (finding,) = doctor._guarded(doctor._embedded_weights, configured(tmp_path))
    assert finding.state == "fail"
    assert "tiny-en/tokenizer.bin" in finding.says


def test_a_missing_wheel_says_what_to_do_and_the_rest_is_still_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    findings = examined(tmp_path)
    assert doctor.failed(findings.values())
    assert findings["embedded weights"].mend
    assert findings["recognizer"].state == "fail"
    assert findings["data folder"].state in ("ok", "warn")


def test_redis_that_is_away_fails_without_showing_the_address(tmp_path: Path) -> None:
    (finding,) = doctor._guarded(doctor._store, configured(tmp_path, store="redis://:hunter2@127.0.0.1:1/0"))
    assert finding.state == "fail"
    assert "hunter2" not in finding.says + finding.mend


def test_a_log_that_is_no_log_fails(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite3").write_bytes(b"Dear diary" * 500)
    findings = doctor._guarded(doctor._store, configured(tmp_path))
    assert "SQLITE_NOTADB" in findings[-1].says
