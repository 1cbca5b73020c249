"""A Whisper model of tiny shape and random weights, made on the spot in CTranslate2's format: it proves no words."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDTH = 16
_HEADS = 2
_MELS = 80
_FRAMES = 1500
_POSITIONS = 448
_EOT = 900
_LANGUAGES = 100
_TIMES = 1501
_VOCABULARY = _EOT + 2 + _LANGUAGES + 6 + _TIMES


def save_tiny_whisper(folder: Path, seed: int = 0) -> None:
    """Write model.bin, its configuration, vocabulary and tokenizer into `folder`."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    random = np.random.default_rng(seed)
    spec = WhisperSpec(1, _HEADS, 1, _HEADS)
    _encoder(spec.encoder, random)
    _decoder(spec.decoder, random)
    spec.register_vocabulary(_tokens())
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [_EOT]
    spec.config.alignment_heads = [(0, 0), (0, 1)]
    spec.config.lang_ids = list(range(_EOT + 2, _EOT + 2 + _LANGUAGES))
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _tokenizer(folder)


def _tokens() -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    words = [f"Ġw{number}" for number in range(_EOT - len(letters))]
    marks = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES[:_LANGUAGES])]
    marks += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    marks += ["<|notimestamps|>", *(f"<|{number * 0.02:.2f}|>" for number in range(_TIMES))]
    tokens = [*letters, *words, *marks]
    assert len(tokens) == _VOCABULARY
    return tokens


def _tokenizer(folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = _tokens()
    vocabulary = {token: number for number, token in enumerate(tokens[:_EOT])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in tokens[_EOT:]])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"feature_size": _MELS, "hop_length": 160, "n_fft": 400, "sampling_rate": 16000, "chunk_length": 30}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def _matrix(random: np.random.Generator, *shape: int, scale: float = 0.3) -> NDArray[np.float32]:
    return (random.normal(size=shape) * scale).astype(np.float32)


def _encoder(spec: Any, random: np.random.Generator) -> None:
    spec.conv1.weight, spec.conv1.bias = _matrix(random, _WIDTH, _MELS, 3), _matrix(random, _WIDTH)
    spec.conv2.weight, spec.conv2.bias = _matrix(random, _WIDTH, _WIDTH, 3), _matrix(random, _WIDTH)
    spec.position_encodings.encodings = _matrix(random, _FRAMES, _WIDTH)
    _norm(spec.layer_norm)
    for layer in spec.layer:
        _attention(layer.self_attention, random)
        _feed_forward(layer.ffn, random)


def _decoder(spec: Any, random: np.random.Generator) -> None:
    spec.embeddings.weight = _matrix(random, _VOCABULARY, _WIDTH, scale=1.0)
    spec.projection.weight = spec.embeddings.weight
    spec.position_encodings.encodings = _matrix(random, _POSITIONS, _WIDTH, scale=1.0)
    _norm(spec.layer_norm)
    for layer in spec.layer:
        _attention(layer.self_attention, random)
        _attention(layer.attention, random, scale=1.0)
        _feed_forward(layer.ffn, random)


def _norm(spec: Any) -> None:
    spec.gamma, spec.beta = np.ones(_WIDTH, np.float32), np.zeros(_WIDTH, np.float32)


def _linear(spec: Any, random: np.random.Generator, outputs: int, inputs: int, scale: float = 0.3) -> None:
    spec.weight, spec.bias = _matrix(random, outputs, inputs, scale=scale), np.zeros(outputs, np.float32)


def _attention(spec: Any, random: np.random.Generator, scale: float = 0.3) -> None:
    _norm(spec.layer_norm)
    sizes = [3, 1] if len(spec.linear) == 2 else [1, 2, 1]
    for part, size in zip(spec.linear, sizes, strict=True):
        _linear(part, random, _WIDTH * size, _WIDTH, scale)


def _feed_forward(spec: Any, random: np.random.Generator) -> None:
    _norm(spec.layer_norm)
    _linear(spec.linear_0, random, 4 * _WIDTH, _WIDTH)
    _linear(spec.linear_1, random, _WIDTH, 4 * _WIDTH)
