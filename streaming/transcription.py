"""One track's way from marks to words: which windows to recognize, and what becomes final when.

A segment is recognized in windows that begin where the last final word was cut off. A window is
recognized as soon as somebody draws breath. Its words become final then if they end a sentence or the window is long,
else once the breath is a pause or the segment's end, which then cost no recognition and no time. Where nobody pauses,
LocalAgreement-2 between checkpoints (Mark `going_on` past `agree_after_ticks`) cuts the window, at the latest after
`longest_ticks`: the delay does not grow with the length of a monologue. Windows in between give tentative words only;
leaving them out, as a busy machine does, changes nothing that is final. So the final words are a function of the
audio alone.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from streaming.agreement import SENTENCE_END, agreed, best_cut, cut_tick, mend_seam
from streaming.segmenting import CHUNK_TICKS, Mark
from streaming.types import SAMPLE_RATE, Tick, TrackId, Word, Words


@dataclass(frozen=True, slots=True)
class TranscriptionSettings:
    """How windows grow and where they are cut."""

    partial_ticks: int = SAMPLE_RATE
    """Tentative words at least this often while somebody speaks."""
    sentence_cut_ticks: int = SAMPLE_RATE
    """A window that is at least this long is cut at a breath that ends a sentence."""
    pause_cut_ticks: int = SAMPLE_RATE * 5 // 2
    """A window that is at least this long is cut at a pause; a shorter one gains more from its context."""
    breath_cut_ticks: int = SAMPLE_RATE * 5
    """A window that is at least this long is cut at any breath: halting talk must not make it grow."""
    agree_after_ticks: int = SAMPLE_RATE * 5
    longest_ticks: int = SAMPLE_RATE * 12
    keep_ticks: int = SAMPLE_RATE
    """The last second of a window that goes on is not trusted: its last word may be half a word."""
    least_ticks: int = SAMPLE_RATE * 2
    """No cut by agreement leaves a shorter window behind."""
    break_after_ticks: int = SAMPLE_RATE * 15
    """A monologue is broken into utterances at the first sentence end after this."""
    break_at_latest_ticks: int = SAMPLE_RATE * 25


@dataclass(frozen=True, slots=True)
class Request:
    """Recognize `[start, end)`. Only what is not `final` may be left undone."""

    start: Tick
    end: Tick
    final: bool


class Transcription:
    """Give it marks; ask for `next_request`; answer each. One request is open at a time.

    `quietest(start, end)` names the least loud tick of a stretch that has been heard.
    """

    def __init__(
        self,
        track: TrackId,
        quietest: Callable[[Tick, Tick], Tick],
        settings: TranscriptionSettings | None = None,
    ) -> None:
        self.settings = settings or TranscriptionSettings()
        self._track = track
        self._quietest = quietest
        self._marks: deque[Mark] = deque()
        self._open_request: tuple[Request, Mark] | None = None
        self._closed = False
        self._through = Tick(0)
        self._in_segment = False
        self._start = Tick(0)  # of the window
        self._window_voiced = 0  # the segment's voice before the window
        self._held: tuple[int, tuple[Word, ...]] | None = None  # the window at its newest breath: its voice and words
        self._last_look = Tick(0)  # end of the newest window that was recognized
        # The same of windows that may become final. A tentative one must not move it: when the next checkpoint comes
        # would then depend on how busy the machine is.
        self._last_checkpoint = Tick(0)
        self._before: tuple[Word, ...] | None = None  # the checkpoint before, for agreement
        self._promised: tuple[Word, ...] = ()
        self._last_word: Word | None = None
        self._last_break = Tick(0)
        self._tentative: tuple[Word, ...] = ()
        self.recognized_ticks = 0
        """Ticks that a final window covered: the speech, and what silence came with it."""

    @property
    def through(self) -> Tick:
        """All words that start before this tick are final."""
        return self._through

    @property
    def needed_from(self) -> Tick:
        """Audio before this tick will not be asked for again."""
        return self._start if self._in_segment else self._through

    @property
    def waiting(self) -> int:
        """Marks not yet worked off."""
        return len(self._marks)

    @property
    def over(self) -> bool:
        """Whether the track was closed and every mark has been worked off."""
        return self._closed and not self._marks and self._open_request is None

    def close(self) -> None:
        """No more marks come."""
        self._closed = True

    def overtaken(self) -> bool:
        """Whether marks wait that make a tentative request pointless."""
        return any(mark.kind != "silence" for mark in self._marks)

    def drop(self) -> Words:
        """The open, tentative request will not be answered."""
        assert self._open_request is not None, "no request is open"
        assert not self._open_request[0].final, "what is final must be answered"
        self._open_request = None
        return self._words(())

    def mark(self, marks: Sequence[Mark]) -> None:
        """Queue what the segmenter found; silence after silence is kept once."""
        for mark in marks:
            if mark.kind == "silence" and self._marks and self._marks[-1].kind == "silence":
                self._marks.pop()
            self._marks.append(mark)

    def next_request(self) -> Request | Words | None:
        """The next window to recognize, or words that became final without one, or None: no marks left."""
        assert self._open_request is None, "answer the open request first"
        while self._marks:
            mark = self._marks.popleft()
            if mark.kind == "start":
                self._begin(mark.at)
            elif mark.kind == "silence":
                if mark.at > self._through:
                    self._through = mark.at
                    return self._words(())
            else:
                step = self._step(mark)
                if step is not None:
                    return step
        return None

    def answer(self, words: Sequence[Word]) -> Words:
        """Take the hypothesis for the open request."""
        assert self._open_request is not None, "no request is open"
        (request, mark), self._open_request = self._open_request, None
        heard = mend_seam(self._last_word, self._promised, words)
        self._last_look = request.end
        if not request.final:
            self._tentative = heard
            return self._words(())
        self._last_checkpoint = request.end
        if mark.kind == "going_on":
            return self._checkpoint(request, heard)
        if mark.kind == "breath" and not self._whole(request, heard):
            self._held, self._tentative = (mark.voiced, heard), heard
            return self._words(())
        return self._cut(mark, heard)

    def fail(self) -> tuple[Request, Words]:
        """The open request cannot be recognized: its audio is passed over. Returns what to name as a gap."""
        assert self._open_request is not None, "no request is open"
        (request, mark), self._open_request = self._open_request, None
        if not request.final:
            return request, self._words(())
        return request, self._cut(replace(mark, at=request.end), ())

    def _begin(self, at: Tick) -> None:
        self._in_segment = True
        self._start = self._last_look = self._last_checkpoint = self._last_break = at
        self._window_voiced = 0
        self._before, self._promised, self._last_word, self._tentative, self._held = None, (), None, (), None

    def _step(self, mark: Mark) -> Request | Words | None:
        length = mark.at - self._start
        settings = self.settings
        if mark.kind in ("breath", "pause", "end"):
            return self._silence(mark, length)
        # Marks sit on whole chunks: one that comes a chunk early is the one that is due.
        wait = settings.partial_ticks - CHUNK_TICKS
        if length >= settings.agree_after_ticks:
            return self._ask(mark, final=True) if mark.at - self._last_checkpoint > wait else None
        due = mark.at - self._last_look > wait
        return self._ask(mark, final=False) if due and not self.overtaken() else None

    def _silence(self, mark: Mark, length: int) -> Request | Words | None:
        """Nobody speaks: what has been heard since the window's start is whole."""
        settings = self.settings
        if mark.voiced <= self._window_voiced:
            # Nothing was said since the last cut.
            return self._cut(mark, ()) if mark.kind == "end" else None
        held = self._held[1] if self._held and self._held[0] == mark.voiced else None
        if mark.kind == "breath":
            return self._ask(mark, final=True) if length >= settings.sentence_cut_ticks else None
        if mark.kind == "pause" and length < settings.pause_cut_ticks:
            return None
        return self._ask(mark, final=True) if held is None else self._cut(mark, held)

    def _whole(self, request: Request, heard: tuple[Word, ...]) -> bool:
        """Whether a window may be cut at the breath it ends with."""
        sentence = bool(heard) and heard[-1].text.endswith(SENTENCE_END)
        return sentence or request.end - request.start >= self.settings.breath_cut_ticks

    def _ask(self, mark: Mark, *, final: bool) -> Request:
        request = Request(self._start, mark.at, final)
        self._open_request = (request, mark)
        return request

    def _cut(self, mark: Mark, heard: tuple[Word, ...]) -> Words:
        """All of the window is final; the next one begins at the mark."""
        ended = mark.kind == "end"
        self.recognized_ticks += max(0, mark.at - self._start) if mark.voiced > self._window_voiced else 0
        self._held = None
        self._start = self._last_look = self._last_checkpoint = self._through = Tick(max(mark.at, self._through))
        self._window_voiced = mark.voiced
        self._before, self._promised, self._tentative = None, (), ()
        self._last_word = None
        if ended:
            self._in_segment = False
        return self._words(heard, self._breaks(heard, ended), pauses=(self._through,))

    def _checkpoint(self, request: Request, heard: tuple[Word, ...]) -> Words:
        """Cut where two hypotheses agree, or anywhere sensible once the window is as long as it may get."""
        settings = self.settings
        earliest, latest = Tick(request.start + settings.least_ticks), Tick(request.end - settings.keep_ticks)
        # Both words at a boundary must be agreed: one past the cut is part of the evidence for it.
        count = best_cut(heard[: agreed(self._before or (), heard)], earliest, latest)
        if count is None and request.end - request.start >= settings.longest_ticks:
            count = best_cut(heard, earliest, latest)
            if count is None:
                return self._cut_blind(heard, earliest, latest)
        if count is None:
            self._before = self._tentative = heard
            return self._words(())
        cut = cut_tick(heard, count, self._quietest)
        return self._advance(cut, heard[:count], heard[count:])

    def _cut_blind(self, heard: tuple[Word, ...], earliest: Tick, latest: Tick) -> Words:
        cut = self._quietest(Tick(max(earliest, latest - 2 * self.settings.keep_ticks)), latest)
        count = sum(1 for word in heard if (word.start + word.end) // 2 < cut)
        return self._advance(cut, heard[:count], heard[count:])

    def _advance(self, cut: Tick, final: tuple[Word, ...], rest: tuple[Word, ...]) -> Words:
        """Final up to `cut`, which lies inside the window; the rest is what the next one should hear."""
        self.recognized_ticks += cut - self._start
        self._held = None
        self._start = self._through = cut
        self._before = self._promised = self._tentative = rest
        final = tuple(replace(word, end=min(word.end, cut)) for word in final if word.start < cut)
        self._last_word = final[-1] if final else None
        return self._words(final, self._breaks(final, ended=False))

    def _breaks(self, final: Sequence[Word], ended: bool) -> tuple[Tick, ...]:
        since = self._through - self._last_break
        sentence = bool(final) and final[-1].text.endswith(SENTENCE_END)
        if (
            ended
            or (sentence and since >= self.settings.break_after_ticks)
            or since >= self.settings.break_at_latest_ticks
        ):
            self._last_break = self._through
            return (self._through,)
        return ()

    def _words(
        self, committed: tuple[Word, ...], breaks: tuple[Tick, ...] = (), pauses: tuple[Tick, ...] = ()
    ) -> Words:
        return Words(self._track, committed, self._tentative, self._through, pauses, breaks)
