"""Puts the adapters together: which recognizer, speaker model, writer and store the settings ask for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from diarization.embedded import EmbeddedSpeakerModel
from drafting.core import draft
from drafting.embedded import EmbeddedWriter
from drafting.model_server import Address
from streaming import vad, voice_file
from streaming.busy_pool import BusyPool
from streaming.embedded_recognizer import EmbeddedRecognizer
from streaming.errors import BadSettings
from streaming.key_source import KeyCommand, KeyFile
from streaming.memory_records import MemoryRecords
from streaming.nodes import Nodes
from streaming.ports import NoteWriter, Recognizer, Records, SpeakerModel, Store
from streaming.redis_records import RedisRecords
from streaming.redis_store import RedisStore
from streaming.scheduler import RecognitionScheduler, SchedulerSettings
from streaming.segmenting import SegmentSettings
from streaming.session_engines import Engines
from streaming.set_aside import SealedFile
from streaming.settings import Settings
from streaming.sqlite_records import SqliteRecords
from streaming.sqlite_store import SqliteStore
from streaming.types import SpeakerId, Tick, TrackId, Transcript, Utterance, UtteranceId, to_tick
from streaming.vault import Vault


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Engines]:
    """The engines, with the recognizer serving, until the block ends. Raises EngineMissing, BadSettings.

    Recognition, diarization and voice activity have threads of their own: one waits for a model, the others go on.
    """
    # A model that takes windows of many sessions in one call is asked by as many at once.
    askers = settings.diarizer_batch if settings.diarizer == "pyannote" else 1
    resting = threading.Event()
    with BusyPool(askers, "diarize") as diarizing, BusyPool(1, "listen") as listening:
        loop = asyncio.get_running_loop()
        # Loading takes a second or two: off the event loop, and all at once.
        recognizer, model, silero, _ = await asyncio.gather(
            asyncio.to_thread(_recognizer, settings),
            loop.run_in_executor(diarizing, speaker_model, settings, resting),
            loop.run_in_executor(listening, vad.load_silero),
            asyncio.to_thread(_warm_notes),
        )
        file = settings.clinician_voice
        voice = None if file is None else voice_file.load(file, model.dimension, model.voices)
        scheduling = SchedulerSettings(settings.recognizer_gather_ms / 1000, settings.recognizer_timeout_s)
        scheduler = RecognitionScheduler(recognizer, scheduling, resting)
        serving = asyncio.create_task(scheduler.run())
        try:
            async with writer(settings) as note_writer:
                yield Engines(
                    scheduler=scheduler,
                    silero=silero,
                    speaker_model=model,
                    writer=note_writer,
                    listening=listening,
                    diarizing=diarizing,
                    clinician_voice=voice,
                    segments=SegmentSettings(endpoint_ticks=to_tick(settings.endpoint_silence_ms / 1000)),
                    aside=lambda: SealedFile(settings.data_dir),
                )
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def writer(settings: Settings) -> AsyncIterator[NoteWriter]:
    """The note writer the settings name, until the block ends. Raises EngineMissing, BadSettings."""
    if settings.writer == "embedded":
        yield EmbeddedWriter()
        return
    from drafting.vllm_writer import VllmWriter

    # Its client takes a second to load: off the event loop.
    made = await asyncio.to_thread(VllmWriter, model_address(settings))
    try:
        yield made
    finally:
        await made.close()


def model_address(settings: Settings) -> Address:
    """Where the model server is. Raises BadSettings where the key's file cannot be read."""
    key = settings.writer_api_key and settings.writer_api_key.get_secret_value()
    if key is None and settings.writer_api_key_file is not None:
        try:
            key = settings.writer_api_key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise BadSettings("writer_api_key_file: cannot be read.") from None
    return Address(
        base_url=settings.writer_url or "",
        model=settings.writer_model or "",
        api_key=key or None,
        first_token_s=settings.writer_first_token_s,
        total_s=settings.writer_total_s,
    )


def _warm_notes() -> None:
    """Rules and lexica are read and compiled at first use, for half a second: not when the first session ends."""
    said = Utterance(
        UtteranceId("mic.1"), TrackId("mic"), Tick(0), Tick(1), SpeakerId("S1"), "I sleep badly.", 1.0, ()
    )
    draft(Transcript((said,), {SpeakerId("S1"): "client"}))


def open_store(settings: Settings) -> Store:
    """The log the settings name. Raises StoreFailed, KeyRefused."""
    vault = vault_of(settings)
    return SqliteStore(settings.database, vault) if settings.store == "sqlite" else RedisStore(settings.store, vault)


def vault_of(settings: Settings) -> Vault | None:
    """What seals the log, None where encryption is switched off. Nothing is read yet."""
    if not settings.encryption:
        return None
    command = settings.key_command
    return Vault(KeyFile(settings.master_key_file) if command is None else KeyCommand(command))


def open_nodes(settings: Settings, store: Store) -> Nodes | None:
    """The node that this server is among those that share the log; None where it is a file of one server's."""
    if not isinstance(store, RedisStore):
        return None
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "http" if settings.tls_cert is None else "https"
    url = settings.node_url or f"{scheme}://{name}:{settings.port}"
    return Nodes(store, url, settings.max_sessions, settings.node_timeout_s)


def on_fenced(store: Store, hears: Callable[[str], None]) -> None:
    """Have somebody hear of sessions that another node turns out to have."""
    if isinstance(store, RedisStore):
        store.on_fenced = hears


def open_records(store: Store) -> Records:
    """What the practice keeps, beside the log: in the same file or on the same server, open as long as the log."""
    if isinstance(store, SqliteStore):
        return SqliteRecords(store)
    return RedisRecords(store) if isinstance(store, RedisStore) else MemoryRecords()


def _recognizer(settings: Settings) -> Recognizer:
    if settings.recognizer == "embedded":
        return EmbeddedRecognizer(settings.recognizer_threads, settings.recognizer_batch)
    from streaming.faster_whisper_recognizer import FasterWhisperRecognizer

    return FasterWhisperRecognizer(
        settings.recognizer_model or None,
        device=settings.recognizer_device,
        compute_type=settings.recognizer_compute_type,
        threads=settings.recognizer_threads,
        max_batch=settings.recognizer_batch,
    )


def speaker_model(settings: Settings, resting: threading.Event | None = None) -> SpeakerModel:
    """The speaker model the settings name; `resting` says when the recognizer rests. Raises EngineMissing."""
    if settings.diarizer == "embedded":
        return EmbeddedSpeakerModel(settings.diarizer_threads)
    from diarization.pyannote_model import PyannoteSpeakerModel

    token = settings.diarizer_token
    return PyannoteSpeakerModel(
        settings.diarizer_model,
        token=token.get_secret_value() if token is not None else None,
        device=settings.diarizer_device,
        threads=settings.diarizer_threads,
        max_batch=settings.diarizer_batch,
        turn=resting if settings.diarizer_turns == "between" else None,
    )
