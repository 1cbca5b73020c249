"""What of this machine and installation is usable, and what to do where it is not: `sameday doctor`.

`fail` stops the server from doing its work with these settings; `warn` takes a part of it away, or is only needed
for tests. Nothing is changed, and nothing is sent anywhere but to the configured store.
"""

import asyncio
import hashlib
import importlib.metadata
import os
import sys
import time
import wave
from collections.abc import Callable, Iterable
from importlib.util import find_spec

import numpy as np

from drafting.model_server import Address
from streaming import doctor_machine, survey, weights
from streaming.errors import SamedayError
from streaming.findings import Finding
from streaming.ports import Window
from streaming.settings import CONFIG_VARIABLE, Settings, config_file, unknown_variables
from streaming.survey import Survey
from streaming.types import SAMPLE_RATE, Int16Mono, Tick

_SPEECH = "beckett.wav"  # real speech that comes in the wheel: 16 kHz, mono
_RECOGNIZER_FILES = {
    "tiny-en/encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "tiny-en/decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "tiny-en/tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
_COMPILED = ("segmentation", "embedding", "silero")
_ENOUGH_SPEED = 3.0
"""Times real time of recognition alone, under which one live session with diarization does not keep up."""


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which to mend them. Called from no event loop; takes a few seconds."""
    checks: tuple[Callable[[Settings], Iterable[Finding]], ...] = (
        _python,
        _packages,
        _configuration,
        _embedded_weights,
        _speaker_model,
        _recognizer,
        _practice,
        doctor_machine.cores,
        doctor_machine.memory,
        doctor_machine.port,
        doctor_machine.data_folder,
        _store,
        _access,
        _writer,
        doctor_machine.graphics,
        doctor_machine.addresses,
        doctor_machine.certificate,
        doctor_machine.test_programs,
    )
    return [finding for check in checks for finding in _guarded(check, settings)]


def failed(findings: Iterable[Finding]) -> bool:
    """Whether the command should exit with an error: warnings do not count."""
    return any(finding.state == "fail" for finding in findings)


def report(findings: Iterable[Finding]) -> str:
    """The findings as lines for a terminal."""
    marks = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.state]}  {finding.name}: {finding.says}")
        if finding.mend:
            lines.append(f"      -> {finding.mend}")
    return "\n".join(lines)


def _guarded(check: Callable[[Settings], Iterable[Finding]], settings: Settings) -> list[Finding]:
    """A check that breaks is a finding too: the rest is still examined."""
    name = check.__name__.strip("_").replace("_", " ")
    try:
        return list(check(settings))
    except SamedayError as error:
        return [Finding(name, "fail", error.message, error.mend)]
    except Exception as error:  # whatever a foreign library raises on a broken machine
        return [Finding(name, "fail", f"could not be examined ({type(error).__name__}).")]


def _python(settings: Settings) -> Iterable[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        yield Finding("python", "ok", f"{version}.")
    else:
        yield Finding("python", "fail", f"{version} is not supported.", "Use Python 3.11 or 3.12.")


def _packages(settings: Settings) -> Iterable[Finding]:
    """The base packages, each in the version it was tested with."""
    missing, other, count = [], [], 0
    for requirement in importlib.metadata.requires("sameday") or []:
        if "extra ==" in requirement:
            continue
        name, _, pinned = requirement.partition(";")[0].strip().partition("==")
        count += 1
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found != pinned:
            other.append(f"{name} {found} (pinned {pinned})")
    mend = "Run scripts/setup base."
    if missing:
        yield Finding("packages", "fail", f"missing: {', '.join(missing)}.", mend)
    if other:
        yield Finding("packages", "warn", f"other versions than tested: {', '.join(other)}.", mend)
    if not missing and not other:
        yield Finding("packages", "ok", f"{count}, as pinned.")


def _configuration(settings: Settings) -> Iterable[Finding]:
    source = config_file()
    yield Finding(
        "settings", "ok", f"from {source}." if source else f"defaults and variables; {CONFIG_VARIABLE} unset."
    )
    for name, nearest in unknown_variables(os.environ).items():
        mend = f"Did you mean {nearest}?" if nearest else "Remove it if you meant to set something."
        yield Finding("settings", "warn", f"the variable {name} sets nothing.", mend)


def _embedded_weights(settings: Settings) -> Iterable[Finding]:
    other = []
    for name, expected in _RECOGNIZER_FILES.items():
        if hashlib.sha256(weights.asset(name).read_bytes()).hexdigest() != expected:
            other.append(name)
    for name in _COMPILED:
        weights.compiled(name)  # checks the hash
    if other:
        mend = "Install the version of moonshine-voice that pyproject.toml pins."
        yield Finding("embedded weights", "fail", f"not the ones tested: {', '.join(other)}.", mend)
    else:
        yield Finding("embedded weights", "ok", f"{len(_RECOGNIZER_FILES) + len(_COMPILED)} files, hashes as known.")


def _speaker_model(settings: Settings) -> Iterable[Finding]:
    """Segmentation, voice embedding and voice activity, each once over real speech."""
    if settings.diarizer == "pyannote":
        yield _installed("speaker model", "pyannote.audio", "pyannote", ("torch", "pyannote.audio"))
        return
    from diarization.embedded import EmbeddedSpeakerModel
    from streaming.vad import VoiceDetector, load_silero

    model = EmbeddedSpeakerModel(settings.diarizer_threads)
    speech = _speech(10.0)
    audio = (speech / np.float32(32768)).astype(np.float32)
    model.follow().segment(0, audio), model.embed([audio])  # the first call pays for memory
    began = time.perf_counter()
    active = model.follow().segment(0, audio)
    voice = model.embed([audio])
    took = time.perf_counter() - began
    detector = VoiceDetector(load_silero())
    heard = [*detector.hear(speech), *detector.flush()]
    if active.max() < 0.5 or not np.isclose(np.linalg.norm(voice), 1, atol=1e-3):
        yield Finding("speaker model", "fail", "does not find the speaker of a known recording.")
    elif max(probability for probability, _ in heard) < 0.5:
        yield Finding("voice activity", "fail", "does not hear speech in a known recording.")
    else:
        speed = len(speech) / SAMPLE_RATE / took
        yield Finding(
            "speaker model",
            "ok",
            f"loaded and run, {speed:.0f} x real time on {_threads(settings.diarizer_threads)}.",
        )


def _recognizer(settings: Settings) -> Iterable[Finding]:
    if settings.recognizer == "faster-whisper":
        yield _installed("recognizer", "faster-whisper", "faster-whisper", ("faster_whisper", "ctranslate2"))
        return
    from streaming.embedded_recognizer import EmbeddedRecognizer

    recognizer = EmbeddedRecognizer(settings.recognizer_threads)
    window = Window(Tick(0), _speech(8.0))
    recognizer.recognize([Window(Tick(0), _speech(1.0))])  # the first call pays for memory
    began = time.perf_counter()
    (hypothesis,) = recognizer.recognize([window])
    speed = len(window.pcm) / SAMPLE_RATE / (time.perf_counter() - began)
    says = f"embedded, loaded and run, {speed:.0f} x real time on {_threads(settings.recognizer_threads)}."
    if not hypothesis.words:
        yield Finding("recognizer", "fail", "hears no words in a known recording.")
    elif speed < _ENOUGH_SPEED:
        mend = "Free the processor, raise recognizer_threads, or use faster-whisper on a GPU."
        yield Finding("recognizer", "warn", f"{says} A live session may lag.", mend)
    else:
        yield Finding("recognizer", "ok", says)


def _installed(subject: str, package: str, extra: str, modules: tuple[str, ...]) -> Finding:
    """Whether an optional engine's package is there; its model is large, and loaded by the server."""
    missing = [name for name in modules if not _there(name)]
    if missing:
        mend = f"pip install --constraint requirements/constraints.txt '.[{extra}]'"
        return Finding(subject, "fail", f"{package} is chosen and {', '.join(missing)} missing.", mend)
    version = importlib.metadata.version(package)
    return Finding(subject, "ok", f"{package} {version} is installed; its model is loaded by the server.")


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of what it would be a part of
        return False


def _practice(settings: Settings) -> Iterable[Finding]:
    """The note formats and rule packs that there are, the practice's own among them."""
    from drafting import formats, packs
    from streaming.practice_data import use_practice

    use_practice(settings)
    own = {"formats": settings.formats_dir, "rule packs": settings.packs_dir, "wording": settings.wording_file}
    named = [name for name, path in own.items() if path is not None]
    more = f"; {', '.join(named)} of the practice's own" if named else ""
    yield Finding("note formats", "ok", f"{', '.join(formats.keys())}; {settings.note_format} by default{more}.")
    yield Finding("rule packs", "ok", f"{', '.join(packs.known())}.")


def _store(settings: Settings) -> Iterable[Finding]:
    """What is in the log; it is opened for reading alone, since a store seals at its opening what is plain."""
    if settings.store == "sqlite":
        yield doctor_machine.local_redis()
        if not settings.database.exists():
            yield Finding("store", "ok", "SQLite; the log is made by the first start.")
            return
    found = _survey(settings)
    kind = "SQLite" if settings.store == "sqlite" else "Redis, which keeps what it acknowledges"
    told = f"{kind}, {'encrypted' if found.encrypted else 'not encrypted'}; {found.sessions} sessions in the log."
    if settings.encryption and found.sessions and not found.encrypted:
        yield Finding("store", "warn", told, "The next start encrypts it; make a backup before.")
    else:
        yield Finding("store", "ok", told)


def _survey(settings: Settings) -> Survey:
    from streaming.engines import vault_of

    vault = vault_of(settings)
    if settings.store == "sqlite":
        return survey.of_sqlite(settings.database, vault)
    return asyncio.run(survey.of_redis(settings.store, vault))


def _access(settings: Settings) -> Iterable[Finding]:
    """Whether anybody is asked who they are; a store that is not there yet is not made for that."""
    there = settings.store != "sqlite" or settings.database.exists()
    count = _survey(settings).accounts if there else 0
    if count:
        yield Finding("access", "ok", f"{count} accounts; everybody signs in.")
    elif settings.exposed:
        mend = "Add one with sameday user add; without it the server does not start."
        yield Finding("access", "fail", "others are meant to reach the server, and there is no account.", mend)
    else:
        yield Finding("access", "ok", "no accounts: whoever sits at this machine is its clinician.")


def _writer(settings: Settings) -> Iterable[Finding]:
    """Whether the model server answers and has the model; nothing of a session is sent."""
    if settings.writer == "embedded":
        yield Finding("writer", "ok", "embedded.")
        return
    from drafting.model_server import Failed
    from streaming.engines import model_address

    mend = "Start the server, and check writer_url and writer_api_key; drafts are the embedded writer's meanwhile."
    try:
        served = asyncio.run(_served(model_address(settings)))
    except Failed as failed:
        status = f", HTTP status {failed.status}" if failed.status else ""
        yield Finding("writer", "warn", f"the model server gives no answer ({failed.cause}{status}).", mend)
        return
    if settings.writer_model in served:
        yield Finding("writer", "ok", f"the model server answers and serves {settings.writer_model}.")
    else:
        names = ", ".join(served[:5]) or "none"
        mend = "Set writer_model to a model that it serves."
        yield Finding("writer", "warn", f"the model server serves no {settings.writer_model}, but {names}.", mend)


def examine_writer(settings: Settings) -> list[Finding]:
    """The findings about the note writer alone. Called from no event loop."""
    return _guarded(_writer, settings)


async def _served(address: Address) -> list[str]:
    from drafting.model_server import ModelServer

    server = await asyncio.to_thread(ModelServer, address)
    try:
        return await server.models()
    finally:
        await server.close()


def _speech(length_s: float) -> Int16Mono:
    """The wheel's recording from where its speech begins, over again where it is too short."""
    with wave.open(str(weights.asset(_SPEECH))) as file:
        samples: Int16Mono = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    loud = int(np.argmax(np.abs(samples) > 1000))
    return np.resize(samples[loud:], round(length_s * SAMPLE_RATE))


def _threads(count: int) -> str:
    return f"{count} thread" if count == 1 else f"{count} threads"
