"""Whisper through faster-whisper and CTranslate2, for machines with a CUDA device: many languages, hotwords.

The package is an extra (`pip install .[faster-whisper]`) and is imported only when this engine is chosen. Windows
of many sessions share one encoding, one greedy decoding and one alignment; what such a call must have in common
(the language, and the length of the prompt that holds the hotwords) parts a batch into groups.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.decoding import before_loop
from streaming.errors import EngineMissing
from streaming.hearing import is_silent
from streaming.ports import Hypothesis, Window
from streaming.types import SAMPLE_RATE, Float32, Tick, Word

_TOKEN_TICKS = 320  # one position of the encoder
_HOP_TICKS = 160  # one frame of the spectrogram
_MAX_LENGTH = 448  # prompt and all; CTranslate2 gives half of it to what is heard
_MAX_HOTWORD_TOKENS = 100
_SHORTEST_TICKS = SAMPLE_RATE // 10
_NO_SPEECH = 0.6
_UNLIKELY = -1.0
_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
_NOTHING = Hypothesis(())


class FasterWhisperRecognizer:
    """Whisper behind the `Recognizer` seam.

    `model` is a folder with a converted model or a name on the hub, such as large-v3-turbo; `device` is cuda, cpu or
    auto; `compute_type` one of CTranslate2's, such as float16; `threads` are the CPU's. A window in a language that
    the model does not know is heard as English. Raises EngineMissing.
    """

    name = "faster-whisper"
    max_window_ticks = 30 * SAMPLE_RATE
    max_batch = 16

    def __init__(self, model: str, device: str = "auto", compute_type: str = "default", threads: int = 1) -> None:
        try:
            import ctranslate2
            from faster_whisper import WhisperModel
            from faster_whisper.audio import pad_or_trim
            from faster_whisper.tokenizer import Tokenizer
        except ImportError:
            raise EngineMissing(
                "The package faster-whisper is not installed.", mend="Run pip install '.[faster-whisper]'."
            ) from None
        _check(model, device, ctranslate2.get_cuda_device_count)
        self._whole = pad_or_trim
        self._views = ctranslate2.StorageView
        self._tokenizer_class = Tokenizer
        self._tokenizers: dict[str, Any] = {}
        try:
            self._whisper = WhisperModel(model, device=device, compute_type=compute_type, cpu_threads=threads)
            if self._whisper.model.device == "cuda":  # its libraries are loaded by the first call
                self._encode([np.zeros(SAMPLE_RATE, np.float32)])
        except (RuntimeError, OSError, ValueError) as error:
            raise EngineMissing("The Whisper model cannot be loaded.", mend=_mend(str(error))) from None

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """One hypothesis per window, in order."""
        hypotheses = [_NOTHING] * len(windows)
        groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        clips = [_padded(window.pcm) for window in windows]
        prompts = [self._prompt(window) for window in windows]
        for place, window in enumerate(windows):
            if not is_silent(clips[place]):
                groups[self._language(window), len(prompts[place])].append(place)
        for (language, _), members in groups.items():
            for start in range(0, len(members), self.max_batch):
                places = members[start : start + self.max_batch]
                heard = self._hear(language, [clips[place] for place in places], [prompts[place] for place in places])
                for place, words in zip(places, heard, strict=True):
                    hypotheses[place] = _placed(words, windows[place])
        return hypotheses

    def _hear(
        self, language: str, clips: Sequence[Float32], prompts: Sequence[list[int]]
    ) -> list[list[tuple[str, int, int, float]]]:
        """Words of each clip with their times in ticks of its start and their confidence."""
        tokenizer = self._tokenizer(language)
        encoded = self._encode(clips)
        results = self._whisper.model.generate(
            encoded,
            list(prompts),
            beam_size=1,
            max_length=_MAX_LENGTH,
            suppress_blank=True,
            return_no_speech_prob=True,
        )
        written = [_text(result.sequences_ids[0], tokenizer.eot) for result in results]
        aligned = self._whisper.model.align(
            encoded, tokenizer.sot_sequence, written, [-(-len(clip) // _HOP_TICKS) for clip in clips]
        )
        heard: list[list[tuple[str, int, int, float]]] = []
        for tokens, result, alignment in zip(written, results, aligned, strict=True):
            probabilities = np.asarray(alignment.text_token_probs[: len(tokens)])
            unlikely = len(tokens) == 0 or float(np.log(np.maximum(probabilities, 1e-9)).mean()) < _UNLIKELY
            if unlikely and (not tokens or result.no_speech_prob > _NO_SPEECH):
                heard.append([])
                continue
            heard.append(_timed(self._split(tokens, language), alignment.alignments, probabilities))
        return heard

    def _encode(self, clips: Sequence[Float32]) -> Any:
        features = [self._whole(self._whisper.feature_extractor(clip)[..., :-1]) for clip in clips]
        return self._whisper.model.encode(self._views.from_array(np.ascontiguousarray(np.stack(features))))

    def _split(self, tokens: list[int], language: str) -> list[tuple[str, int]]:
        """Words and how many tokens each takes; punctuation stays with the word before it."""
        pieces, lengths = self._tokenizer(language).split_tokens_on_unicode(tokens)
        words: list[tuple[str, int]] = []
        for piece, spelled in zip(pieces, lengths, strict=True):
            joins = words and not piece.startswith(" ") and (language not in _WITHOUT_SPACES or not piece.isalnum())
            if joins:
                text, count = words.pop()
                words.append((text + piece, count + len(spelled)))
            else:
                words.append((piece, len(spelled)))
        return words

    def _prompt(self, window: Window) -> list[int]:
        tokenizer = self._tokenizer(self._language(window))
        prompt: list[int] = []
        if window.hotwords:
            wanted = tokenizer.encode(" " + ", ".join(window.hotwords))
            prompt = [tokenizer.sot_prev, *wanted[:_MAX_HOTWORD_TOKENS]]
        return [*prompt, *tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _language(self, window: Window) -> str:
        return window.language if window.language in self._whisper.supported_languages else "en"

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            self._tokenizers[language] = self._tokenizer_class(
                self._whisper.hf_tokenizer, self._whisper.model.is_multilingual, "transcribe", language
            )
        return self._tokenizers[language]


def _check(model: str, device: str, count_devices: Any) -> None:
    folder = Path(model)
    if ("/" in model and model.startswith((".", "/", "~"))) and not (folder / "model.bin").is_file():
        raise EngineMissing(
            "The model's folder has no model.bin.", mend="Give a folder with a converted Whisper model."
        )
    if device == "cuda" and count_devices() == 0:
        raise EngineMissing("No CUDA device is here.", mend="Choose the device cpu, or install NVIDIA's driver.")


def _mend(cause: str) -> str:
    if "libcu" in cause or "CUDA" in cause:
        return "Install the CUDA 12 libraries: pip install nvidia-cublas-cu12 nvidia-cudnn-cu12."
    return "Give a folder with a converted Whisper model, or a hub name that can be reached from here."


def _padded(pcm: NDArray[np.int16]) -> Float32:
    clip = pcm.astype(np.float32) / np.float32(32768)
    return np.pad(clip, (0, max(0, _SHORTEST_TICKS - len(clip)))).astype(np.float32, copy=False)


def _text(tokens: Sequence[int], end: int) -> list[int]:
    """The tokens that stand for text, without the end mark and what comes after it, a loop cut to its first turn."""
    kept = [token for token in tokens if token < end]
    return kept[: before_loop(kept)]


def _timed(
    words: Sequence[tuple[str, int]], alignments: Sequence[tuple[int, int]], probabilities: NDArray[np.float64]
) -> list[tuple[str, int, int, float]]:
    """Words with times: a token begins where the alignment first reaches it, and ends where the next one begins."""
    begun: dict[int, int] = {}
    for token, position in alignments:
        begun.setdefault(token, position)
    last = max((position for _, position in alignments), default=0) + 1
    timed = []
    first = 0
    for text, count in words:
        start, end = begun.get(first, last), begun.get(first + count, last)
        sure = float(probabilities[first : first + count].mean())
        timed.append((text.strip(), start * _TOKEN_TICKS, end * _TOKEN_TICKS, sure))
        first += count
    return [word for word in timed if word[0]]


def _placed(words: Sequence[tuple[str, int, int, float]], window: Window) -> Hypothesis:
    """The words on the session's clock: in order, at least a tick long each, inside the window."""
    placed: list[Word] = []
    reached = 0
    for number, (text, start, end, sure) in enumerate(words):
        room = len(window.pcm) - (len(words) - 1 - number)
        if room <= reached:
            break
        start = min(max(start, reached), room - 1)
        reached = min(max(end, start + 1), room)
        placed.append(Word(Tick(window.start + start), Tick(window.start + reached), text, min(1.0, sure)))
    return Hypothesis(tuple(placed))
