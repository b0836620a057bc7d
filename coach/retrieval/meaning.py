"""What a sentence means, as a vector: the sentence encoder that tells whether two concerns are the same in other words.

All-MiniLM-L6-v2 (Apache-2.0), int8, run with onnxruntime: its six layers are in ``data/encoder/meaning.onnx``
(``python -m training.meaning``). Its word vectors, half of the weights, stay where the encoder of :mod:`coach.acts` has
them, which was trained from the same model without touching them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from coach.acts import CLS, LONGEST, SEP, tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

SIZE = 384
TOGETHER = 32
"""Texts that go through the encoder at once."""
TABLE = b"encoder.embeddings.word_embeddings.weight"


def vectors(texts: Sequence[str]) -> Numbers:
    """Unit vectors, shape (texts, 384); each text is judged by its first 70 word pieces."""
    import numpy as np

    return np.stack([_vector(text) for text in texts]) if texts else np.zeros((0, SIZE), np.float32)


def pieces(text: str) -> list[int]:
    """The word pieces of a text between the marks of its start and end."""
    whole = text.encode("utf-8", "replace").decode()  # half a character is no text to the tokenizer
    return [CLS, *tokenizer().encode(whole, add_special_tokens=False).ids[: LONGEST - 2], SEP]


@lru_cache(maxsize=4_000)  # the same quotes are compared again and again
def _vector(text: str) -> Numbers:
    import numpy as np

    table, scale, zero = _words()
    ids = pieces(text)
    if len(ids) == 2:
        return np.zeros(SIZE, np.float32)  # nothing is said, which is like nothing
    words = (table[ids].astype(np.float32) - zero) * scale
    given = {"words": words[None], "mask": np.ones((1, len(ids)), np.int64)}
    return np.asarray(_session().run(["meaning"], given)[0][0], dtype=np.float32)


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a sentence is too short to share out
    options.log_severity_level = 3
    weights = files("coach").joinpath("data/encoder/meaning.onnx").read_bytes()
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


@cache
def _words() -> tuple[NDArray[np.uint8], float, int]:
    """The table of word vectors (words, 384) as stored, its scale and its zero."""
    import numpy as np

    weights = memoryview(files("coach").joinpath("data/encoder/acts.onnx").read_bytes())
    found: dict[bytes, dict[int, memoryview]] = {}
    for graph in (value for number, value in _fields(weights) if number == 7):
        for tensor in (value for number, value in _fields(graph) if number == 5):
            parts = dict(_fields(tensor))
            name = bytes(parts[8])
            if name.startswith(TABLE):
                found[name.removeprefix(TABLE)] = parts
    table = np.frombuffer(found[b"_quantized"][9], np.uint8).reshape(-1, SIZE)
    (scale,) = struct.unpack("<f", found[b"_scale"][4])
    return table, scale, found[b"_zero_point"][5][0]


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a protobuf message that have a length: (number, bytes). Numbers by themselves are passed over."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        kind = tag & 7
        if kind == 2:
            length = varint()
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind == 0:
            varint()
        else:
            at += 4 if kind == 5 else 8
