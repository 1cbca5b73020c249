"""The command line as a user meets it: what it prints, what it refuses, and how it ends."""

import json
import logging
import os
import socket
import subprocess
import sys
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from difflib import SequenceMatcher
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from live_server import piece, silence, words_of
from shared_data import shared_data

from benchmarks.audio_files import write_audio
from streaming.cli import main
from streaming.types import SAMPLE_RATE, Int16Mono

pytestmark = pytest.mark.model

SAID = "and how are you sleeping"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    def object(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def sameday(*arguments: str | Path, given: bytes = b"") -> Outcome:
    """Run a command in this process, which spares the second and a half that Python takes to import it all."""
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    stdin, sys.stdin = sys.stdin, TextIOWrapper(BytesIO(given), "utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([*map(str, arguments)])
    except SystemExit as mistaken:  # argparse
        status = int(mistaken.code or 0)
    finally:
        sys.stdin = stdin
    return Outcome(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def in_shell(*arguments: str | Path, given: bytes | None = None, **environment: Any) -> Outcome:
    """Run a command as a shell would."""
    done = subprocess.run(
        [sys.executable, "-m", "streaming.cli", *map(str, arguments)],
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        env={k: v for k, v in os.environ.items() if not k.startswith("SAMEDAY_")} | environment,
        capture_output=True,
        timeout=120,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def refused(outcome: Outcome) -> str:
    """The one clear line of a command that could not use what it was given."""
    assert outcome.status == 2, outcome
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("sameday: ")
    return line.removeprefix("sameday: ")


@pytest.fixture(autouse=True)
def plain_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of this machine counts, and the log's settings are as before."""
    for name in [name for name in os.environ if name.startswith("SAMEDAY_")]:
        monkeypatch.delenv(name)
    handlers = logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2.5 s, five words."""
    path = tmp_path_factory.mktemp("audio") / "question.wav"
    write_audio(path, piece(14.1, 16.6))
    return path


@pytest.fixture(scope="module")
def dialogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s of two people."""
    path = tmp_path_factory.mktemp("audio") / "two people.flac"
    write_audio(path, piece(14.1, 26.1))
    return path


def assert_heard(transcript: dict[str, Any], text: str = SAID) -> None:
    said, expected = words_of(transcript), text.split()
    matched = sum(block.size for block in SequenceMatcher(None, said, expected, False).get_matching_blocks())
    assert max(len(said), len(expected)) - matched <= 1, said


def test_both_paces_print_the_same_object_of_the_documented_shape(dialogue: Path, tmp_path: Path) -> None:
    rttm = tmp_path / "who.rttm"
    with ThreadPoolExecutor(1) as beside:
        spoken = beside.submit(in_shell, "transcribe", dialogue, "--json", "--pace", "real", "--rttm", rttm)
        fast = in_shell("transcribe", dialogue, "--json", "--pace", "fast")
    real = spoken.result()
    assert (real.status, real.err, fast.status, fast.err) == (0, "", 0, "")
    transcript = fast.object()
    assert words_of(real.object()) == words_of(transcript)
    assert real.object() == transcript

    assert set(transcript) == {"audio_s", "received_ticks", "transcribed_ticks", "gaps", "utterances"}
    assert transcript["audio_s"] == 12.0
    assert transcript["received_ticks"] == transcript["transcribed_ticks"] == 12 * SAMPLE_RATE
    assert transcript["gaps"] == []
    assert len(transcript["utterances"]) >= 2
    assert len({row["speaker"] for row in transcript["utterances"]}) == 2
    for row in transcript["utterances"]:
        assert set(row) == {"id", "start", "end", "speaker", "role", "text", "confidence", "words"}
        assert 0 <= row["start"] < row["end"] <= 12.0
        assert 0 <= row["confidence"] <= 1
        assert row["text"] == " ".join(word["text"] for word in row["words"])
        assert all({"text", "start", "end"} <= set(word) for word in row["words"])
    said = " ".join(words_of(transcript))
    assert "how are you sleeping" in said
    assert "four nights" in said

    lines = [line.split() for line in rttm.read_text().splitlines()]
    assert {len(line) for line in lines} == {10}
    assert {(line[0], line[1], line[2]) for line in lines} == {("SPEAKER", "two_people", "1")}
    assert {line[7] for line in lines} == {row["speaker"] for row in transcript["utterances"]}


def test_for_people_it_prints_lines(question: Path) -> None:
    done = sameday("transcribe", question, "--speakers", "1")
    assert (done.status, done.err) == (0, "")
    (line,) = done.out.splitlines()
    start, _, text = line.split(maxsplit=2)
    assert float(start) == pytest.approx(0.4, abs=0.4)
    assert_heard({"utterances": [{"text": text}]})


def test_where_the_rttm_cannot_be_written_it_says_so_first(question: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "who.rttm", tmp_path):
        assert "RTTM" in refused(sameday("transcribe", question, "--rttm", path))


def test_an_output_that_fails_at_the_end_costs_no_transcript(question: Path) -> None:
    done = sameday("transcribe", question, "--speakers", "1", "--json", "--rttm", "/dev/full")
    assert done.status == 1
    assert_heard(done.object())
    (line,) = done.err.splitlines()
    assert "RTTM" in line


def _wav(path: Path, pcm: Int16Mono, *, rate: int, channels: int = 1, width: int = 2) -> Path:
    """PCM of 16 bits at 16 kHz as a WAV of another rate, by repetition of samples in time, and width."""
    at = np.linspace(0, len(pcm) - 1, round(len(pcm) * rate / SAMPLE_RATE))
    samples = np.interp(at, np.arange(len(pcm)), pcm.astype(np.float64))
    if width == 3:
        values = np.rint(samples * 256).astype("<i4")
        frames = values.view(np.uint8).reshape(-1, 4)[:, :3].repeat(channels, axis=0).tobytes()
    else:
        frames = np.rint(samples).astype("<i2").repeat(channels).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(frames)
    return path


def _float(path: Path, pcm: Int16Mono) -> Path:
    with av.open(str(path), "w", format="wav") as out:
        stream = out.add_stream("pcm_f32le", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((pcm[None] / np.float32(32768)).astype(np.float32), "flt", "mono")
        frame.sample_rate = SAMPLE_RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("kind", ["8 kHz", "44.1 kHz stereo", "24 bit", "float", "opus"])
def test_recordings_of_many_kinds(kind: str, tmp_path: Path) -> None:
    pcm, path = piece(14.1, 16.6), tmp_path / "call.wav"
    match kind:
        case "8 kHz":
            _wav(path, pcm, rate=8_000)
        case "44.1 kHz stereo":
            _wav(path, pcm, rate=44_100, channels=2)
        case "24 bit":
            _wav(path, pcm, rate=SAMPLE_RATE, width=3)
        case "float":
            _float(path, pcm)
        case _:
            path = path.with_suffix(".opus")
            write_audio(path, pcm)
    done = sameday("transcribe", path, "--json", "--speakers", "1")
    assert (done.status, done.err) == (0, "")
    transcript = done.object()
    assert transcript["audio_s"] == pytest.approx(2.5, abs=0.01)
    assert transcript["received_ticks"] == transcript["transcribed_ticks"]
    assert_heard(transcript)


def test_what_is_left_of_a_truncated_file_is_read_and_the_rest_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    write_audio(path, np.concatenate([piece(14.1, 16.6), silence(2.0)]))
    path.write_bytes(path.read_bytes()[: 44 + 2 * 40_000])
    done = sameday("transcribe", path, "--json", "--speakers", "1")
    assert done.status == 0
    transcript = done.object()
    assert transcript["received_ticks"] == 72_000
    assert transcript["transcribed_ticks"] == 40_000
    assert transcript["gaps"] == [{"track": "mic", "start": 2.5, "end": 4.5, "cause": "decoder_error"}]
    (line,) = done.err.splitlines()
    assert line == "sameday: not transcribed: 2.50 to 4.50 s (decoder_error)"
    assert_heard(transcript)


def test_a_damaged_end_of_unknown_length_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "hurt.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=SAMPLE_RATE, layout="mono")
        pcm = np.concatenate([piece(14.1, 16.6), piece(112.1, 115.0)])
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], "s16", "mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    content[-4000:] = np.random.default_rng(5).bytes(4000)
    path.write_bytes(content)
    done = sameday("transcribe", path, "--json", "--speakers", "1")
    assert done.status == 0
    (gap,) = done.object()["gaps"]
    assert gap["cause"] == "decoder_error"
    assert 2.5 < gap["start"] == gap["end"] < 5.0
    assert "s on: the file is damaged there" in done.err
    assert {"how", "are", "you"} <= set(words_of(done.object())[:6])


def test_a_damaged_stretch_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "hurt.flac"
    write_audio(path, np.concatenate([piece(14.1, 16.6), piece(112.1, 115.0)]))
    content = bytearray(path.read_bytes())
    middle = len(content) * 46 // 100
    content[middle : middle + 600] = bytes(600)
    path.write_bytes(content)
    done = sameday("transcribe", path, "--json", "--speakers", "1")
    assert done.status == 0
    transcript = done.object()
    gaps = sum(gap["end"] - gap["start"] for gap in transcript["gaps"])
    assert 0 < gaps < 1.5
    assert {gap["cause"] for gap in transcript["gaps"]} == {"decoder_error"}
    missing = transcript["received_ticks"] - transcript["transcribed_ticks"]
    assert missing == pytest.approx(gaps * SAMPLE_RATE, abs=2)
    assert len(done.err.splitlines()) == len(transcript["gaps"])
    said = words_of(transcript)
    assert {"how", "are", "you"} <= set(said[:6])
    assert {"you", "say", "that"} <= set(said[-4:])


def test_silence_and_noise_give_no_words(tmp_path: Path) -> None:
    path = tmp_path / "quiet.wav"
    hiss = np.random.default_rng(1).normal(0, 300, 6 * SAMPLE_RATE).astype(np.int16)
    for pcm in (silence(6.0), hiss):
        write_audio(path, pcm)
        done = sameday("transcribe", path, "--json", "--speakers", "1")
        assert (done.status, done.err) == (0, "")
        transcript = done.object()
        assert transcript["utterances"] == []
        assert transcript["received_ticks"] == transcript["transcribed_ticks"] == 6 * SAMPLE_RATE


@pytest.mark.parametrize("name", ["noise1.wav", "noise4.wav"])
def test_recorded_noise_gives_no_words(name: str) -> None:
    done = sameday("transcribe", shared_data(f"noise/{name}"), "--json", "--speakers", "1")
    assert done.status == 0
    assert words_of(done.object()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.wav", b""),
        ("words.mp3", b"This is not sound, these are words. " * 40),
        ("header.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0"),
        ("broken.flac", b"fLaC" + bytes(range(256)) * 8),
        ("page.html", b"<html>recording</html>"),
        ("random.ogg", np.random.default_rng(2).bytes(5_000)),
    ],
)
def test_what_is_no_audio_is_refused_in_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    line = refused(sameday("transcribe", path))
    assert name not in line, "a file's name may be a person's"


@pytest.mark.parametrize("path", ["-", "missing.wav", ".", "http://127.0.0.1:9/a.wav", "concat:a.wav|b.wav"])
def test_what_is_no_file_is_refused_in_one_line(path: str) -> None:
    assert "audio file" in refused(sameday("transcribe", path))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["transcribe"],
        ["transcribe", "a.wav", "--speakers", "0"],
        ["transcribe", "a.wav", "--speakers", "two"],
        ["transcribe", "a.wav", "--speakers", "99"],
        ["transcribe", "a.wav", "--pace", "slow"],
        ["transcribe", "a.wav", "b.wav"],
        ["draft", "a.json", "--format", "sonnet"],
        ["serve", "--port", "many"],
        ["record"],
    ],
)
def test_mistaken_arguments(arguments: Sequence[str]) -> None:
    done = sameday(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "sameday" in done.err
    assert "Traceback" not in done.err
    assert "_speakers" not in done.err


def test_a_draft_of_a_transcript_of_ours(dialogue: Path, tmp_path: Path) -> None:
    transcript = sameday("transcribe", dialogue, "--json").out
    path = tmp_path / "said.json"
    path.write_text(transcript)
    ids = {row["id"] for row in json.loads(transcript)["utterances"]}
    done = sameday("draft", path, "--format", "soap", "--json")
    assert (done.status, done.err) == (0, "")
    note = done.object()
    assert {"format", "sections", "risk", "checks", "billing"} <= set(note)
    assert {"minutes", "cpt", "margin_min"} <= set(note["billing"])
    assert [part["name"] for part in note["sections"]] == ["Subjective", "Objective", "Assessment", "Plan"]
    for part in note["sections"]:
        for one in part["statements"]:
            assert {"text", "provenance", "evidence", "supported"} <= set(one)
            assert set(one["evidence"]) <= ids
    assert note["risk"]
    for item in note["risk"].values():
        assert item["state"] in {"asked_denied", "endorsed", "volunteered", "not_asked"}
    for check in note["checks"]:
        assert {"rule", "severity", "message", "section"} <= set(check)
    from_input = sameday("draft", "-", "--json", given=transcript.encode())
    assert from_input.object() == note


@pytest.mark.parametrize("name", ["annomi_000.json", "annomi_032.json"])
def test_a_draft_of_a_file_of_roles_and_clock_times(name: str) -> None:
    path = shared_data(f"therapy/{name}")
    done = sameday("draft", path, "--json")
    assert (done.status, done.err) == (0, "")
    sections = done.object()["sections"]
    assert any(one["evidence"] for part in sections for one in part["statements"])
    read = sameday("draft", path, "--format", "dap")
    assert (read.status, read.err) == (0, "")
    assert read.out.startswith("DAP note")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Daniel",
        b"[]",
        b"{}",
        b'{"utterances": {}}',
        b'{"utterances": ["Daniel"]}',
        b'{"utterances": [{"role": "Daniel", "start": 0, "text": "so"}]}',
        b'{"utterances": [{"role": "client", "start": "Daniel", "text": "so"}]}',
        b'{"utterances": [{"role": "client", "start": -1, "text": "so"}]}',
        b'{"utterances": [{"role": "client", "start": NaN, "text": "so"}]}',
        b'{"utterances": [{"role": "client", "start": 0}]}',
        b'{"utterances": [{"role": "client", "start": 0, "text": 5}]}',
        b'{"utterances": [], "context": {"started_at": "Daniel"}}',
        b'{"utterances": [{"role": "client", "start": 0, "text": "\xff"}]}',
        b"[" * 100_000,
    ],
)
def test_a_malformed_transcript_is_refused_without_repeating_it(content: bytes) -> None:
    line = refused(sameday("draft", "-", given=content))
    assert "Daniel" not in line


def test_a_transcript_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refused(sameday("draft", tmp_path / "missing.json"))
    assert "cannot be read" in refused(sameday("draft", tmp_path))


def test_letters_that_the_terminal_does_not_know_cost_nothing() -> None:
    text = "I have felt so anxious at the caf\u00e9 this week, I cannot sleep."
    given = json.dumps({"utterances": [{"role": "client", "start": 0, "text": text}]}).encode()
    note = in_shell("draft", "-", "--json", given=given, PYTHONIOENCODING="ascii")
    assert note.status == 0
    assert note.object() == sameday("draft", "-", "--json", given=given).object()
    half = given.replace(b"\\u00e9", b"\\ud83d")
    for done in (sameday("draft", "-", given=half), in_shell("draft", "-", given=given, PYTHONIOENCODING="ascii")):
        assert "Traceback" not in done.err
        assert done.status in (0, 2)


def test_doctor() -> None:
    done = sameday("doctor")
    assert done.status == 0, done.out
    assert {"ok", "warn"} >= {line.split()[0] for line in done.out.splitlines()}
    for part in ("embedded weights", "recognizer", "speaker model", "store", "port"):
        assert part in done.out


def test_serve_on_a_port_that_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = in_shell("serve", "--port", str(other.getsockname()[1]))
    assert (done.status, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert "is taken" in line
    assert "--port" in line


def test_serve_where_the_data_cannot_be_kept_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = in_shell("serve", "--port", "0", SAMEDAY_DATA_DIR=str(tmp_path / "file"))
    assert (done.status, done.out) == (1, "")
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1].startswith("sameday: The log could not be opened")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"SAMEDAY_PORT": "Daniel"}, "port"),
        ({"SAMEDAY_HOST": "0.0.0.0"}, "loopback"),
        ({"SAMEDAY_MAX_SESSIONS": "0"}, "max_sessions"),
        ({"SAMEDAY_ICE_SERVERS": "Daniel"}, "SAMEDAY_ICE_SERVERS"),
        ({"SAMEDAY_STORE": "Daniel"}, "store"),
        ({"SAMEDAY_CONFIG": "/nonexistent/sameday.toml"}, "sameday.toml"),
    ],
)
def test_settings_that_cannot_be_used(
    environment: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = sameday("serve")
    assert (done.status, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert says in line
    assert "Daniel" not in line


def test_a_setting_that_does_not_exist_is_named_with_its_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sameday.toml"
    file.write_text("max_session = 3\n")
    monkeypatch.setenv("SAMEDAY_CONFIG", str(file))
    done = sameday("serve")
    assert done.status == 1
    assert done.err == "sameday: max_session: no such setting. Did you mean max_sessions?\n"
