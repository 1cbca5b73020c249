"""Whisper through faster-whisper and CTranslate2, for machines with a CUDA device: many languages, expected words.

The package is an extra (`pip install .[faster-whisper]`) and is imported only when this engine is chosen. Windows
of many sessions share one encoding, one greedy decoding and one alignment (`whisper_rows.py` says which can). Where
the answer to a final window is doubtful, that row alone is decoded again by chance; tentative ones are not.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streaming import whisper_rows as rows_
from streaming.echo import is_echo
from streaming.errors import EngineMissing
from streaming.hearing import is_silent
from streaming.ports import Hypothesis, Window
from streaming.types import SAMPLE_RATE, Float32, Word
from streaming.whisper_rows import Answer, Row

_HOP_TICKS = 160  # one frame of the spectrogram
_MAX_LENGTH = 448  # prompt and all; CTranslate2 gives half of it to what is heard
_TEMPERATURES = (0.4, 0.8)
"""Each try costs a decoding. Whisper's authors take five steps to 1.0; a live window has not the time."""
_CHANCES = 5
"""Samples of a try, of which the likeliest is taken: Whisper's own number."""


class FasterWhisperRecognizer:
    """Whisper behind the `Recognizer` seam.

    `model` is a folder with a converted model or a name on the hub, `device` is auto, cpu, cuda or cuda:N,
    `compute_type` one of CTranslate2's; where they are None, large-v3-turbo in float16 on CUDA, distil-small.en in
    int8 without. `threads` are the CPU's. A window in a language that the model does not know is heard as English.
    Windows past 30 s are heard in parts. Raises EngineMissing.
    """

    name = "faster-whisper"
    max_window_ticks = rows_.LONGEST_TICKS

    def __init__(
        self,
        model: str | None = None,
        device: str = "auto",
        compute_type: str | None = None,
        threads: int = 1,
        max_batch: int = 16,
    ) -> None:
        try:
            import ctranslate2
            from faster_whisper import WhisperModel
            from faster_whisper.audio import pad_or_trim
            from faster_whisper.tokenizer import Tokenizer
        except ImportError:
            raise EngineMissing(
                "The package faster-whisper is not installed.", mend="Run pip install '.[faster-whisper]'."
            ) from None
        self.max_batch = max_batch
        place, index = chosen_device(device, ctranslate2.get_cuda_device_count)
        model, compute_type = chosen_model(place, model, compute_type)
        _check(model)
        self._whole = pad_or_trim
        self._views = ctranslate2.StorageView
        self._tokenizer_class = Tokenizer
        self._tokenizers: dict[str, Any] = {}
        try:
            self._whisper = WhisperModel(
                model, device=place, device_index=index, compute_type=compute_type, cpu_threads=threads
            )
            if place == "cuda":  # its libraries are loaded by the first call
                self._encode([np.zeros(SAMPLE_RATE, np.float32)])
        except (RuntimeError, OSError, ValueError) as error:
            raise EngineMissing("The Whisper model cannot be loaded.", mend=_mend(str(error))) from None

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """One hypothesis per window, in order."""
        rows = [row for place, window in enumerate(windows) for row in self._rows(place, window)]
        heard: list[list[Word]] = [[] for _ in windows]
        for group in rows_.grouped(rows, self.max_batch):
            for row, words in zip(group, self._hear(group, windows), strict=True):
                heard[row.place] += words
        return [Hypothesis(tuple(words)) for words in heard]

    def _rows(self, place: int, window: Window) -> Iterator[Row]:
        language = window.language if window.language in self._whisper.supported_languages else "en"
        clip = rows_.as_float(window.pcm)
        for start, end in rows_.pieces(clip):
            part = clip[start:end]
            if not is_silent(part):
                prompt = self._prompt(language, window.hotwords)
                yield Row(place, start, rows_.padded(part), language, prompt, window.final)

    def _prompt(self, language: str, hotwords: Sequence[str]) -> tuple[int, ...]:
        """What is expected, as text that came before, the most telling terms last: what is cut off is the head."""
        tokenizer = self._tokenizer(language)
        expected: list[int] = []
        if hotwords:
            told = tokenizer.encode(" " + ", ".join(reversed(hotwords)) + ".")
            expected = [tokenizer.sot_prev, *rows_.bucketed(told)]
        return (*expected, *tokenizer.sot_sequence, tokenizer.no_timestamps)

    def _hear(self, group: Sequence[Row], windows: Sequence[Window]) -> list[list[Word]]:
        encoded = self._encode([row.clip for row in group])
        answers = self._decode(encoded, group)
        again = [at for at, row in enumerate(group) if row.final and answers[at].doubtful]
        if again:
            for at, found in zip(again, self._decode_again([group[at] for at in again]), strict=True):
                answers[at] = rows_.better(answers[at], found)
        tokenizer = self._tokenizer(group[0].language)
        aligned = self._whisper.model.align(
            encoded,
            tokenizer.sot_sequence,
            [list(answer.tokens) for answer in answers],
            [-(-len(row.clip) // _HOP_TICKS) for row in group],
        )
        return [
            self._words(row, answer, alignment, windows[row.place])
            for row, answer, alignment in zip(group, answers, aligned, strict=True)
        ]

    def _words(self, row: Row, answer: Answer, alignment: Any, window: Window) -> list[Word]:
        """The words of an answer with their times; none where it is silence, or what the row was told to expect."""
        sure = np.asarray(alignment.text_token_probs[: len(answer.tokens)], np.float64)
        if answer.silent:
            return []
        pieces, spelled = self._tokenizer(row.language).split_tokens_on_unicode(list(answer.tokens))
        words = rows_.split_words(pieces, [len(tokens) for tokens in spelled], row.language)
        if is_echo([text for text, _ in words], window.hotwords, row.clip, answer.no_speech):
            return []
        return rows_.placed(rows_.timed(words, alignment.alignments, sure), row, window)

    def _encode(self, clips: Sequence[Float32]) -> Any:
        features = [self._whole(self._whisper.feature_extractor(clip)[..., :-1]) for clip in clips]
        return self._whisper.model.encode(self._views.from_array(np.ascontiguousarray(np.stack(features))))

    def _decode(self, encoded: Any, group: Sequence[Row], temperature: float = 0.0) -> list[Answer]:
        drawn: dict[str, Any] = {}
        if temperature:
            drawn = {"num_hypotheses": _CHANCES, "sampling_topk": 0, "sampling_temperature": temperature}
        results = self._whisper.model.generate(
            encoded,
            [list(row.prompt) for row in group],
            beam_size=1,
            max_length=_MAX_LENGTH,
            suppress_blank=True,
            return_scores=True,
            return_no_speech_prob=True,
            **drawn,
        )
        end = self._tokenizer(group[0].language).eot
        return [
            rows_.answer(result.sequences_ids[0], result.scores[0], result.no_speech_prob, end) for result in results
        ]

    def _decode_again(self, group: Sequence[Row]) -> list[Answer]:
        """Each row's best answer of a few drawn by chance; those that are well early are drawn no more."""
        encoded = self._encode([row.clip for row in group])
        best = self._decode(encoded, group, _TEMPERATURES[0])
        for temperature in _TEMPERATURES[1:]:
            if not any(answer.doubtful for answer in best):
                break
            found = self._decode(encoded, group, temperature)
            best = [rows_.better(one, other) if one.doubtful else one for one, other in zip(best, found, strict=True)]
        return best

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            self._tokenizers[language] = self._tokenizer_class(
                self._whisper.hf_tokenizer, self._whisper.model.is_multilingual, "transcribe", language
            )
        return self._tokenizers[language]


def chosen_device(device: str, count_devices: Callable[[], int]) -> tuple[str, int]:
    """The device and its number; `auto` is CUDA where there is one. Raises EngineMissing where it is not there."""
    place, _, number = device.partition(":")
    count = 0 if place == "cpu" else count_devices()
    if place == "auto":
        place = "cuda" if count else "cpu"
    if place == "cuda" and count <= int(number or 0):
        which = f"No CUDA device {number}" if number and count else "No CUDA device"
        raise EngineMissing(f"{which} is here.", mend="Choose the device cpu, or install NVIDIA's driver.")
    return place, int(number or 0)


def chosen_model(place: str, model: str | None, compute_type: str | None) -> tuple[str, str]:
    """What is loaded where nothing else is said: as good as the device can serve live."""
    usual = ("large-v3-turbo", "float16") if place == "cuda" else ("distil-small.en", "int8")
    return model or usual[0], compute_type or usual[1]


def _check(model: str) -> None:
    if ("/" in model and model.startswith((".", "/", "~"))) and not (Path(model) / "model.bin").is_file():
        raise EngineMissing(
            "The model's folder has no model.bin.", mend="Give a folder with a converted Whisper model."
        )


def _mend(cause: str) -> str:
    if "libcu" in cause or "CUDA" in cause:
        return "Install the CUDA 12 libraries: pip install nvidia-cublas-cu12 nvidia-cudnn-cu12."
    return "Give a folder with a converted Whisper model, or a hub name that can be reached from here."
