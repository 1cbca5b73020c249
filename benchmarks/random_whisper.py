"""A Whisper of random weights, made on the spot in CTranslate2's format: it proves shapes and times, never words."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how long a model takes. `end_of_text` is the number of tokens that stand for text."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int
    end_of_text: int

    @property
    def vocabulary(self) -> int:
        """All tokens: text, its end and start, languages, tasks, times."""
        return self.end_of_text + 2 + _LANGUAGES + 6 + _TIMES


TINY = Shape(width=16, heads=2, encoder_layers=1, decoder_layers=1, mels=80, end_of_text=900)
LARGE_V3_TURBO = Shape(width=1280, heads=20, encoder_layers=32, decoder_layers=4, mels=128, end_of_text=50257)

_FRAMES = 1500
_POSITIONS = 448
_LANGUAGES = 100
_TIMES = 1501


def save_random_whisper(folder: Path, shape: Shape = TINY, seed: int = 0) -> None:
    """Write model.bin, its configuration, vocabulary and tokenizer into `folder`."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    random = np.random.default_rng(seed)
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    _encoder(spec.encoder, random, shape)
    _decoder(spec.decoder, random, shape)
    spec.register_vocabulary(_tokens(shape))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [shape.end_of_text]
    spec.config.alignment_heads = [(shape.decoder_layers - 1, 0), (shape.decoder_layers - 1, 1)]
    spec.config.lang_ids = list(range(shape.end_of_text + 2, shape.end_of_text + 2 + _LANGUAGES))
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _tokenizer(folder, shape)


def _tokens(shape: Shape) -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    words = [f"Ġw{number}" for number in range(shape.end_of_text - len(letters))]
    marks = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES[:_LANGUAGES])]
    marks += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    marks += ["<|notimestamps|>", *(f"<|{number * 0.02:.2f}|>" for number in range(_TIMES))]
    tokens = [*letters, *words, *marks]
    assert len(tokens) == shape.vocabulary
    return tokens


def _tokenizer(folder: Path, shape: Shape) -> None:
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = _tokens(shape)
    vocabulary = {token: number for number, token in enumerate(tokens[: shape.end_of_text])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in tokens[shape.end_of_text :]])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "feature_size": shape.mels,
        "hop_length": 160,
        "n_fft": 400,
        "sampling_rate": 16000,
        "chunk_length": 30,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def _matrix(random: np.random.Generator, *sizes: int, scale: float = 0.3) -> NDArray[np.float32]:
    return random.standard_normal(size=sizes, dtype=np.float32) * np.float32(scale)


def _encoder(spec: Any, random: np.random.Generator, shape: Shape) -> None:
    width = shape.width
    spec.conv1.weight, spec.conv1.bias = _matrix(random, width, shape.mels, 3), _matrix(random, width)
    spec.conv2.weight, spec.conv2.bias = _matrix(random, width, width, 3), _matrix(random, width)
    spec.position_encodings.encodings = _matrix(random, _FRAMES, width)
    _norm(spec.layer_norm, width)
    for layer in spec.layer:
        _attention(layer.self_attention, random, width)
        _feed_forward(layer.ffn, random, width)


def _decoder(spec: Any, random: np.random.Generator, shape: Shape) -> None:
    width = shape.width
    spec.embeddings.weight = _matrix(random, shape.vocabulary, width, scale=1.0)
    spec.projection.weight = spec.embeddings.weight
    spec.position_encodings.encodings = _matrix(random, _POSITIONS, width, scale=1.0)
    _norm(spec.layer_norm, width)
    for layer in spec.layer:
        _attention(layer.self_attention, random, width)
        _attention(layer.attention, random, width, scale=1.0)
        _feed_forward(layer.ffn, random, width)


def _norm(spec: Any, width: int) -> None:
    spec.gamma, spec.beta = np.ones(width, np.float32), np.zeros(width, np.float32)


def _linear(spec: Any, random: np.random.Generator, outputs: int, inputs: int, scale: float = 0.3) -> None:
    # Sums keep their size in a wide model: float16 ends at 65504.
    spec.weight = _matrix(random, outputs, inputs, scale=scale * min(1.0, 4 / inputs**0.5))
    spec.bias = np.zeros(outputs, np.float32)


def _attention(spec: Any, random: np.random.Generator, width: int, scale: float = 0.3) -> None:
    _norm(spec.layer_norm, width)
    sizes = [3, 1] if len(spec.linear) == 2 else [1, 2, 1]
    for part, size in zip(spec.linear, sizes, strict=True):
        _linear(part, random, width * size, width, scale)


def _feed_forward(spec: Any, random: np.random.Generator, width: int) -> None:
    _norm(spec.layer_norm, width)
    _linear(spec.linear_0, random, 4 * width, width)
    _linear(spec.linear_1, random, width, 4 * width)
