"""The shells of a track's stages: short coroutines that ferry between audio, models and the pure cores."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

from diarization.online import OnlineDiarizer
from streaming import tracing
from streaming.errors import RecognizerFailed, StoreFailed
from streaming.events import StageFailed, UtteranceClosed, UtteranceCorrected
from streaming.ports import Window
from streaming.scheduler import Job, RecognitionScheduler
from streaming.track import Track
from streaming.transcription import Request
from streaming.types import Tick, Turn, Turns, Utterance, Word, Words, seconds
from streaming.vad import VoiceDetector
from streaming.vocabulary import vocabulary

log = logging.getLogger("sameday.stages")

_LISTEN_STEP = 1024
"""64 ms: finds an end of speech soon, and a thread hop for it costs a thousandth of a core."""
_DIARIZE_STEP = 4000
_FOREVER = Tick(1 << 62)


async def listen(track: Track, detector: VoiceDetector, thread: Executor) -> None:
    """Voice activity: audio in, marks out."""
    loop = asyncio.get_running_loop()
    async for pcm in track.audio.follow(_LISTEN_STEP):
        _mark(track, await loop.run_in_executor(thread, detector.hear, pcm))
    _mark(track, await loop.run_in_executor(thread, detector.flush))
    track.transcription.mark(track.segmenter.flush(track.received))
    track.transcription.close()
    track.marks_came.set()


def _mark(track: Track, heard: list[tuple[float, float]]) -> None:
    for probability, level in heard:
        track.levels.append(level)
        track.transcription.mark(track.segmenter.hear(probability))
    track.marks_came.set()


async def recognize(track: Track, scheduler: RecognitionScheduler, *, tentative: bool = True) -> None:
    """Marks in, words out, until all marks of the closed track have been worked off.

    Tentative words are for people who watch; where nobody does, they are not worth their time.
    """
    while not track.transcription.over:
        step = track.transcription.next_request()
        if step is None:
            track.heard = max(track.heard, Tick(min(track.segmenter.now, track.received)))
            track.marks_came.clear()
            if not track.transcription.over and not track.transcription.waiting:
                await track.marks_came.wait()
        else:
            words = await _words(track, scheduler, step, tentative=tentative)
            track.heard = max(track.heard, words.through)
            await track.joined.put(words)
            track.forget()
    track.heard = track.received
    await track.joined.put(None)


async def _words(track: Track, scheduler: RecognitionScheduler, step: Request | Words, *, tentative: bool) -> Words:
    if isinstance(step, Words):
        return step
    if not step.final and (not tentative or step.end <= track.restored):
        return track.transcription.drop()
    return await _answered(track, scheduler, step)


async def _answered(track: Track, scheduler: RecognitionScheduler, request: Request) -> Words:
    known = track.remembered.words(request.start, request.end) if request.final else None
    if known is not None:
        return track.transcription.answer(known)
    try:
        with tracing.span("recognize", track.log.session, (request.start, request.end)):
            job = scheduler.submit(await _window(track, request), owner=track.log.session)
            heard = await _heard(track, job, request)
    except (RecognizerFailed, StoreFailed):
        log.warning("a window could not be recognized", extra={"session": track.log.session})
        failed, words = track.transcription.fail()
        if failed.final:
            # The last window is filled up to a whole chunk: what lies past the last sample was not lost.
            await track.pass_over(failed.start, min(failed.end, track.received), "recognizer_error")
        return words
    if heard is None:
        return track.transcription.drop()
    if request.final:
        track.remembered.keep_words(request.start, request.end, heard)
    return track.transcription.answer(heard)


async def _window(track: Track, request: Request) -> Window:
    pcm = await track.audio.read(request.start, request.end)
    return Window(request.start, pcm, track.plan.language, vocabulary(track.log.state.context), request.final)


async def _heard(track: Track, job: Job, request: Request) -> tuple[Word, ...] | None:
    """The job's words; None where it was taken back, for something final came up before it had begun."""
    while not request.final and not job.result.done():
        track.marks_came.clear()
        news = asyncio.ensure_future(track.marks_came.wait())
        waiting: set[asyncio.Future[Any]] = {job.result, news}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            job.withdraw()
            raise
        finally:
            news.cancel()
        if not job.result.done() and track.transcription.overtaken() and job.withdraw():
            return None
    return await job.result


async def diarize(track: Track, diarizer: OnlineDiarizer | None, thread: Executor) -> None:
    """Audio in, turns out. A track of one person needs no model: the track is the speaker."""
    if diarizer is None:
        track.diarized = _FOREVER
        await track.joined.put(_alone(track))
        return
    loop = asyncio.get_running_loop()
    try:
        async for pcm in track.audio.follow(_DIARIZE_STEP):
            turns = await loop.run_in_executor(thread, diarizer.hear, pcm)
            track.diarized = Tick(track.diarized + len(pcm))
            if turns is not None:
                await track.joined.put(turns)
            track.forget()
        await track.joined.put(await loop.run_in_executor(thread, diarizer.flush))
    except Exception:
        # The transcript is worth more than knowing who said it: go on with the last speaker, and say so.
        log.error("diarization failed, the session goes on without it", extra={"session": track.log.session})
        await track.log.append_surely(StageFailed("diarize", "diarizer_failed"))
        await track.joined.put(Turns(track.track, (), _FOREVER))
    track.diarized = _FOREVER
    await track.joined.put(None)


def _alone(track: Track) -> Turns:
    assert track.speaker is not None
    return Turns(track.track, (Turn(Tick(0), _FOREVER, track.speaker),), _FOREVER)


async def attribute(track: Track, inputs: int, closed_some: Callable[[], Awaitable[None]]) -> None:
    """Words and turns in, utterances out to the log; `inputs` branches say None when they end."""
    while inputs:
        message = await track.joined.get()
        if message is None:
            inputs -= 1
            continue
        words = isinstance(message, Words)
        closed = track.attribution.words(message) if isinstance(message, Words) else track.attribution.turns(message)
        await _close(track, closed)
        if closed:
            await closed_some()
        if words or closed:
            await _show_partial(track, message.tentative if isinstance(message, Words) else None)
    await _close(track, track.attribution.flush())
    await _show_partial(track, ())


async def salvage(track: Track) -> None:
    """After a failure: what the track's stages had understood goes to the log; the account names the rest."""
    closed: list[Utterance] = list(track.closing)
    while not track.joined.empty():
        message = track.joined.get_nowait()
        if isinstance(message, Words):
            closed += track.attribution.words(message)
        elif isinstance(message, Turns):
            closed += track.attribution.turns(message)
    await _close(track, closed + track.attribution.flush())


async def _close(track: Track, utterances: list[Utterance]) -> None:
    # A session that is taken up again hears anew what the log holds, and comes to the same utterances.
    logged = track.log.state.utterances
    utterances = [one for one in utterances if logged.heard(one.id) != one]
    if utterances:
        # Remembered until they are in the log: a failure elsewhere may cancel this append.
        track.closing = utterances
        # Of what is heard again after a strike the clinician's corrections count again: with it, or a crash between
        # the two would lose them.
        again = [(one.id, track.log.state.correction_of(one)) for one in utterances]
        await track.log.append_surely(
            *(UtteranceClosed(utterance) for utterance in utterances),
            *(UtteranceCorrected(name, text) for name, text in again if text is not None),
        )
        track.closing = []


async def _show_partial(track: Track, tentative: tuple[Word, ...] | None) -> None:
    key = f"partial {track.track}"
    before = track.log.passing.get(key, {})
    pending = [word for word in track.attribution.pending() if word.start >= track.said]
    now = before.get("tentative", "")
    if tentative is not None:
        now = " ".join(word.text for word in tentative if word.start >= track.said)
    speaker = track.attribution.speaker
    message = {
        "type": "partial",
        "track": track.track,
        "start": seconds(pending[0].start if pending else track.transcription.through),
        "speaker": speaker,
        "role": track.log.state.role_of(speaker) if speaker else None,
        "committed": " ".join(word.text for word in pending),
        "tentative": now,
    }
    if (message["committed"], now) != (before.get("committed", ""), before.get("tentative", "")):
        await track.log.pass_on(key, message)
