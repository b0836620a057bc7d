"""What every sentence of a meeting does: numbers from a small trained encoder, no decision.

The encoder reads windows of whole sentences, each behind a marker that says who speaks (first speaker of the window,
second, chair, nobody named, heading). One pass labels all sentences of a window, with what came before and the replies
after in sight. Names are replaced by the same markers wherever they occur, so that who is called what changes nothing.
How it was trained and measured: docs/design/offline-engine.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from coach.schema import CATEGORICAL_SUBTYPES, NEEDS, OBJECTION_SUBTYPES, Conversation, Sentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

ACTS = (
    "proposal",
    "objection",
    "continuation",
    "need",
    "uptake",
    "dismissal",
    "parking",
    "bare_ok",
    "assent",
    "lukewarm",
    "silence",
    "categorical",
    "fine_strong_word",
)
WORTH = ("raise_objection", "raise_need", "raise_categorical")
HEADS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("acts", ACTS),
    ("worth", WORTH),
    ("unheard", ("unheard",)),
    ("objection_subtype", OBJECTION_SUBTYPES),
    ("need_kind", NEEDS),
    ("categorical_subtype", CATEGORICAL_SUBTYPES),
)
"""Outputs of the encoder per sentence, in order. ``acts``, ``worth`` and ``unheard`` are independent yes/no questions
(``unheard`` given that it is an objection or need); the other three are choices, given the kind."""

CHOICES = ("objection_subtype", "need_kind", "categorical_subtype")
LINKS = ("takes_up", "brushes_off")
LINK_SIZE = 64

CLS, SEP = 101, 102
HEADING, NOBODY, CHAIR, OTHER = 1, 2, 3, 4
SLOTS = tuple(range(5, 13))
FIRST_PERSON, LAST_PERSON = 20, 99  # rows of the vocabulary that BERT left unused
WINDOW, STEP, LONGEST = 384, 256, 72  # word pieces: per window, between windows, per sentence
BATCH = 4

LINK = re.compile(r"!?\[([^\]\n]{1,200})\]\((?:[^()\s]|\([^()\s]*\))*\)")
_URL = re.compile(r"\b(?:https?://|www\.)\S+")
_MARKUP = re.compile(r"[*_`~]{2,}|(?<!\w)[*_`]|[*_`](?!\w)")
_CHAIRS = re.compile(r"\b(chair|chairs|chairing|facilitat\w+|moderat\w+|host|presid\w+)\b", re.I)
# Parts of labels that are not anybody's name.
_TITLES = frozenset(
    """mr mrs ms dr prof professor sir lady lord dame the and of grad phd postdoc team lead head chair manager director
    user interface project marketing industrial designer expert speaker unknown minister frau herr madame group all
    """.split()  # noqa: SIM905 - a word list reads better than quotation marks
)


@dataclass(frozen=True)
class Line:
    """One sentence or heading as the encoder gets it: ``ids`` start with the marker of its speaker."""

    sentence: int | None
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """Lines that go through the encoder together; ``lines`` is a range of line indexes."""

    lines: range
    ids: tuple[int, ...]
    owner: tuple[int, ...]  # for every token its line within the window, -1 for CLS and SEP
    first: tuple[int, ...]  # for every line of the window the position of its marker


@dataclass(frozen=True)
class Reading:
    """Numbers for each sentence of a conversation: ``logits`` (sentences, outputs) and link vectors.

    ``sentences`` are those of `coach.notes.sentences`, in order; every index below counts in it.
    """

    sentences: tuple[Sentence, ...]
    logits: Numbers
    query: Numbers
    key: Numbers

    def probability(self, head: str) -> Numbers:
        """Probability of each sentence for a name in ``ACTS``, ``WORTH`` or ``unheard``: (sentences,).

        For the name of a choice (``objection_subtype``, ``need_kind``, ``categorical_subtype``): (sentences, options).
        """
        import numpy as np

        picked = self.logits[:, columns()[head]]
        if head in CHOICES:
            exp = np.exp(picked - picked.max(axis=1, keepdims=True))
            return np.asarray(exp / exp.sum(axis=1, keepdims=True), dtype=np.float32)
        return np.asarray(1 / (1 + np.exp(-picked)), dtype=np.float32)

    def links(self, earlier: int, later: Sequence[int]) -> Numbers:
        """How likely each later sentence takes up, and brushes off, an earlier one: (2, later), see ``LINKS``."""
        import numpy as np

        score = np.einsum("kd,jkd->kj", self.query[earlier], self.key[list(later)]) / LINK_SIZE**0.5
        return np.asarray(1 / (1 + np.exp(-score)), dtype=np.float32)


Runner = Callable[[Sequence[Window]], "list[tuple[Numbers, Numbers, Numbers]]"]
"""Windows in; for each of them logits (lines, outputs), query and key (lines, links, size) out."""


def read(conversation: Conversation) -> Reading:
    """The reading of a conversation; empty arrays when it has no sentence. Same input, same numbers."""
    from coach.notes import sentences

    said = tuple(sentences(conversation))
    return assemble(said, encode(conversation, said), _run)


def assemble(said: tuple[Sentence, ...], lines: Sequence[Line], run: Runner) -> Reading:
    """A reading from overlapping windows: each sentence as seen from the window in which it lies deepest."""
    import numpy as np

    logits = np.zeros((len(said), sum(len(names) for _, names in HEADS)), np.float32)
    query = np.zeros((len(said), len(LINKS), LINK_SIZE), np.float32)
    key = np.zeros_like(query)
    depth = np.full(len(said), -1)
    for group in batches(windows(lines)):
        for window, outputs in zip(group, run(group), strict=True):
            far = len(window.ids)
            for at, index in enumerate(window.lines):
                before = far if window.lines.start == 0 else window.first[at]
                after = far if window.lines.stop == len(lines) else far - window.first[at]
                sentence = lines[index].sentence
                if sentence is not None and min(before, after) > depth[sentence]:
                    depth[sentence] = min(before, after)
                    logits[sentence], query[sentence], key[sentence] = (output[at] for output in outputs)
    return Reading(said, logits, query, key)


def encode(conversation: Conversation, said: Sequence[Sentence]) -> tuple[Line, ...]:
    """The lines of a conversation in reading order: its sentences, and its headings as context."""
    people = _people(conversation, said)
    names = _name_pattern(people)
    chairs = {
        people[a.name.casefold()]
        for a in conversation.attendees
        if a.role and is_chair(a.role) and a.name.casefold() in people
    }
    items: list[tuple[int, int | None, int, str]] = [
        (u.start, None, HEADING, conversation.words(u)) for u in conversation.utterances if u.role == "heading"
    ]
    for index, sentence in enumerate(said):
        person = people.get((sentence.speaker or "").casefold(), NOBODY)
        items.append((sentence.start, index, CHAIR if person in chairs else person, sentence.text))
    items.sort(key=lambda item: item[0])
    texts = [_plain(text, names, people) for _, _, _, text in items]
    pieces = tokenizer().encode_batch_fast(texts, add_special_tokens=False) if texts else []
    return tuple(
        Line(index, (marker, *(CHAIR if i in chairs else i for i in piece.ids[: LONGEST - 1])))
        for (_, index, marker, _), piece in zip(items, pieces, strict=True)
    )


def windows(lines: Sequence[Line], size: int = WINDOW, step: int = STEP) -> tuple[Window, ...]:
    """Overlapping windows over all lines, at most ``size`` word pieces each."""
    found, start = [], 0
    while start < len(lines):
        stop, used, following = start, 2, start
        while stop < len(lines) and (used + len(lines[stop].ids) <= size or stop == start):
            used += len(lines[stop].ids)
            stop += 1
            if used <= step:
                following = stop
        found.append(window(lines, range(start, stop)))
        if stop == len(lines):
            break
        start = max(following, start + 1)
    return tuple(found)


def window(lines: Sequence[Line], chosen: range) -> Window:
    """One window; its people become the first, second … of the window in order of appearance."""
    slots: dict[int, int] = {}
    ids, owner, first = [CLS], [-1], []
    for at, index in enumerate(chosen):
        first.append(len(ids))
        for i in lines[index].ids:
            if FIRST_PERSON <= i <= LAST_PERSON:
                i = slots.setdefault(i, SLOTS[len(slots)] if len(slots) < len(SLOTS) else OTHER)
            ids.append(i)
            owner.append(at)
    return Window(chosen, (*ids, SEP), (*owner, -1), tuple(first))


def batches(found: Sequence[Window], size: int = BATCH) -> Iterator[tuple[Window, ...]]:
    """Windows in groups that run together."""
    for start in range(0, len(found), size):
        yield tuple(found[start : start + size])


def padded(group: Sequence[Window]) -> dict[str, Any]:
    """The encoder's inputs for a group: ``ids``, ``owner`` (windows, tokens) and ``first`` (windows, lines), int64."""
    import numpy as np

    tokens, lines = max(len(w.ids) for w in group), max(len(w.first) for w in group)
    ids = np.zeros((len(group), tokens), np.int64)
    owner = np.full((len(group), tokens), -2, np.int64)  # -2: padding, which attention leaves out
    first = np.zeros((len(group), lines), np.int64)
    for row, w in enumerate(group):
        ids[row, : len(w.ids)] = w.ids
        owner[row, : len(w.owner)] = w.owner
        first[row, : len(w.first)] = w.first
    return {"ids": ids, "owner": owner, "first": first}


def _run(group: Sequence[Window]) -> list[tuple[Numbers, Numbers, Numbers]]:
    logits, query, key = _session().run(["logits", "query", "key"], padded(group))
    shape = (-1, len(LINKS), LINK_SIZE)
    return [(logits[row], query[row].reshape(shape), key[row].reshape(shape)) for row in range(len(group))]


def is_chair(role: str) -> bool:
    """Whether a role in the attendee list means running the meeting."""
    return bool(_CHAIRS.search(role))


def _people(conversation: Conversation, said: Sequence[Sentence]) -> dict[str, int]:
    people: dict[str, int] = {}
    forms = [(s.speaker, s.speaker) for s in said if s.speaker]
    forms += [(a.name, form) for a in conversation.attendees for form in (a.name, *a.aliases)]
    for name, form in forms:
        known = people.get(name.casefold())
        if known is None:
            known = min(FIRST_PERSON + len(set(people.values())), LAST_PERSON)
            people[name.casefold()] = known
        people.setdefault(form.casefold(), known)
    parts: dict[str, set[int]] = {}
    for form, person in people.items():
        for part in re.findall(r"[^\W\d_][\w'’-]+", form):
            if part not in _TITLES:
                parts.setdefault(part, set()).add(person)
    for part, whose in parts.items():
        if len(whose) == 1:
            people.setdefault(part, next(iter(whose)))
    return people


def _name_pattern(people: dict[str, int]) -> re.Pattern[str] | None:
    forms = sorted((re.escape(f) for f in people if len(f) > 1 and f not in _TITLES), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.I) if forms else None


def _plain(text: str, names: re.Pattern[str] | None, people: dict[str, int]) -> str:
    text = _MARKUP.sub("", _URL.sub("link", LINK.sub(r"\1", text)))
    if names is None:
        return text

    def mark(match: re.Match[str]) -> str:
        word = match.group()
        # A lower-case form is a word ("will", "mark"), not somebody's name.
        return f" [unused{people[word.casefold()] - 1}] " if not word.islower() else word

    return names.sub(mark, text)


@cache
def columns() -> dict[str, Any]:
    """Where each name is in the logits: a column for a yes/no question, a slice for a head."""
    places: dict[str, Any] = {}
    start = 0
    for head, names in HEADS:
        places[head] = slice(start, start + len(names))
        if head not in CHOICES:
            places |= {name: start + at for at, name in enumerate(names)}
        start += len(names)
    return places


@cache
def tokenizer() -> Any:
    """The word-piece tokenizer of the encoder, as `tokenizers.Tokenizer`."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(files("coach").joinpath("data/encoder/tokenizer.json").read_text("utf-8"))
    made.no_padding()
    made.no_truncation()
    made.add_special_tokens([f"[unused{i - 1}]" for i in range(FIRST_PERSON, LAST_PERSON + 1)])
    return made


STATES = tuple(f"/output/LayerNorm_{n}/LayerNormalization_output_0" for n in (1, 5, 9))
"""What the encoder knows of a sentence after its first, third and fifth layer: names of values inside its graph."""


@lru_cache(maxsize=4_000)
def states(text: str) -> Numbers:
    """One sentence by itself as the encoder sees it on its way, averaged over its word pieces: (3 x 384,).

    For what the encoder was not trained to answer, such as the moves of rehearsal. Names have to be gone already.
    """
    import numpy as np

    whole = text.encode("utf-8", "replace").decode()  # half a character is no text to the tokenizer
    ids = tokenizer().encode(whole, add_special_tokens=False).ids[: LONGEST - 1]
    alone = window((Line(0, (NOBODY, *ids)),), range(1))
    layers = _states_session().run(STATES, padded((alone,)))
    means = [np.asarray(layer).reshape(-1, np.shape(layer)[-1]).mean(axis=0) for layer in layers]
    return np.asarray(np.concatenate(means), dtype=np.float32)


@cache
def _states_session() -> Any:
    """A session of its own: naming more outputs keeps onnxruntime from joining some of the steps before them."""
    import onnxruntime

    weights = files("coach").joinpath("data/encoder/acts.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    # A sentence is too short to share out, and spinning threads would cost the rest of the machine more than they give.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights + _named_outputs(STATES), options, providers=["CPUExecutionProvider"])


def _named_outputs(names: Sequence[str]) -> bytes:
    """Bytes to append to an ONNX file so that its graph gives back these values, too.

    Protobuf joins what comes twice, so a second ``graph`` (field 7) that holds nothing but an ``output`` (field 12)
    with a ``name`` (1) and the ``type`` (2) of a float tensor adds to the first; all lengths here are below 128.
    """
    made = b""
    for name in names:
        value = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x12\x04\x0a\x02\x08\x01"
        output = b"\x62" + bytes([len(value)]) + value
        made += b"\x3a" + bytes([len(output)]) + output
    return made


@cache
def _session() -> Any:
    import os

    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Where several processes share the cores, whoever started them says so.
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 0) or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    weights = files("coach").joinpath("data/encoder/acts.onnx").read_bytes()
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
