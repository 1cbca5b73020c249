"""Speech with true word times from flite's own library (Debian's `libflite1`), called through ctypes.

The `flite` command prints phones and words, but not which phones make which word. The library keeps the whole
utterance structure, so a word's start is the end of the segment before its first phone, its end that of its last
phone: the times the waveform was made from. Measured on the bundled session's 75 sentences against the level (5 ms
windows, 35 dB under the loudest): after a pause sound sets in 2.4 ms after the word's start in the median (5 % to
95 %: 0.6 to 9 ms; up to 60 ms where the word begins with the silent closure of a stop), and before a pause it stops
within 6 ms of the word's end in the median (-12 to 13 ms; a sentence's last release rings on for up to 43 ms).
"""

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from streaming.errors import EngineMissing
from streaming.types import SAMPLE_RATE, Int16Mono

VOICES = ("awb", "kal16", "rms", "slt")
LEAD_S, TAIL_S = 0.01, 0.04
"""What is kept of the recording before the first word and after the last: a final release outlasts its segment."""
_SEED = 1
_WORD_START = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
_WORD_END = b"R:SylStructure.daughtern.daughtern.R:Segment.end"
_TOKEN_POSITION = b"R:Token.parent.file_pos"


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the script as spoken, `[start_s, end_s)` in seconds from the recording's first sample."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """Synthetic speech: `pcm` int16 mono at 16 kHz, `LEAD_S` and `TAIL_S` longer than its words at most."""

    pcm: Int16Mono
    words: tuple[SpokenWord, ...]

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / SAMPLE_RATE


class _Wave(ctypes.Structure):
    """flite's cst_wave."""

    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


_POINTER = ctypes.c_void_p
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "flite_init": (ctypes.c_int, []),
    "flite_synth_text": (_POINTER, [ctypes.c_char_p, _POINTER]),
    "utt_relation": (_POINTER, [_POINTER, ctypes.c_char_p]),
    "relation_head": (_POINTER, [_POINTER]),
    "item_next": (_POINTER, [_POINTER]),
    "ffeature_float": (ctypes.c_float, [_POINTER, ctypes.c_char_p]),
    "utt_wave": (ctypes.POINTER(_Wave), [_POINTER]),
    "delete_utterance": (None, [_POINTER]),
}


def _open(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        raise EngineMissing(
            f"The speech synthesizer flite is not here ({name}).", mend="Install it: apt-get install flite."
        ) from None


@cache
def _library() -> ctypes.CDLL:
    library = _open("libflite.so.1")
    _open("libflite_usenglish.so.1")
    _open("libflite_cmulex.so.1")
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.flite_init()
    return library


@cache
def _voice(name: str) -> int:
    if name not in VOICES:
        raise EngineMissing(f"No such 16 kHz voice of flite: {name}.", mend=f"Choose one of {', '.join(VOICES)}.")
    _library()
    register = getattr(_open(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
    register.restype, register.argtypes = _POINTER, [ctypes.c_char_p]
    return int(register(None))


def speak(text: str, voice: str) -> Speech:
    """`text` spoken by one of `VOICES`, its lead and tail silence cut; words are the text's, split at whitespace.

    A word that flite reads as several (20, mg) spans them all; punctuation alone joins the word before it.
    Raises EngineMissing where flite or the voice is not installed, ValueError for text with nothing to say.
    """
    tokens = tokenize(text)
    if not tokens:
        raise ValueError("nothing to speak")
    library = _library()
    # Its noise comes from the C library's random numbers: a sentence must sound the same whatever came before it.
    ctypes.CDLL(None).srand(_SEED)
    utterance = library.flite_synth_text(" ".join(tokens).encode("ascii"), _voice(voice))
    try:
        spans = _spans(library, utterance)
        wave = library.utt_wave(utterance).contents
        pcm = np.ctypeslib.as_array(wave.samples, shape=(wave.num_samples,)).astype(np.int16)
    finally:
        library.delete_utterance(utterance)
    return cut(pcm, assign(tokens, spans))


def tokenize(text: str) -> list[str]:
    """What flite is given: ASCII words at whitespace, without marks in brackets, lone punctuation joined on."""
    plain = text.translate(str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u2026", "''\"\"--."))
    plain = re.sub(r"\[[^\]]*\]|<[^>]*>", " ", plain).encode("ascii", "ignore").decode("ascii")
    tokens: list[str] = []
    for token in plain.split():
        if any(letter.isalnum() for letter in token):
            tokens.append(token)
        elif tokens and token[0] in ",.;:!?":
            tokens[-1] += token
    return tokens


def assign(tokens: list[str], spans: list[tuple[int, float, float]]) -> list[SpokenWord]:
    """Script words from flite's words, each given as (characters read at its token's end, start_s, end_s).

    flite's count is one past the token, and one less at the end of the text, where no space follows.
    """
    ends, position = [], 0
    for token in tokens:
        position += len(token) + 1
        ends.append(position)
    words: list[SpokenWord] = []
    for index, token in enumerate(tokens):
        first = ends[index - 1] if index else 0
        inside = [(start, end) for at, start, end in spans if first < at <= ends[index]]
        if inside:
            words.append(SpokenWord(token, inside[0][0], inside[-1][1]))
    return words


def cut(pcm: Int16Mono, words: list[SpokenWord]) -> Speech:
    """The recording from the first word to the last one, with a few ms of fade against clicks."""
    first = max(round((words[0].start_s - LEAD_S) * SAMPLE_RATE), 0)
    last = min(round((words[-1].end_s + TAIL_S) * SAMPLE_RATE), len(pcm))
    kept = pcm[first:last].astype(np.float64)
    fade = np.linspace(0.0, 1.0, min(48, len(kept) // 2))
    kept[: len(fade)] *= fade
    kept[len(kept) - len(fade) :] *= fade[::-1]
    offset = first / SAMPLE_RATE
    return Speech(
        kept.astype(np.int16),
        tuple(SpokenWord(word.text, word.start_s - offset, word.end_s - offset) for word in words),
    )


def _spans(library: ctypes.CDLL, utterance: int) -> list[tuple[int, float, float]]:
    item = library.relation_head(library.utt_relation(utterance, b"Word"))
    spans = []
    while item:
        position, start, end = (
            library.ffeature_float(item, name) for name in (_TOKEN_POSITION, _WORD_START, _WORD_END)
        )
        if end > start:
            spans.append((int(position), float(start), float(end)))
        item = library.item_next(item)
    return spans
