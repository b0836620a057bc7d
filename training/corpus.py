"""Records with a label on every sentence: those of a corpus folder outside the project, and those written for it.

A corpus folder has ``dense/<source>/DOC`` beside ``DOC.tsv`` (``unit<TAB>code<TAB>args``; units are numbered by the
``units.py`` at its top), and ``dense/council/DOC.tsv`` whose texts are in ``train/``. The records of the project are in
``training/records``, with the labels in double brackets behind each sentence (its README says how).
docs/design/offline-engine.md says what the codes mean and where the public gets such data.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from coach import notes
from coach.acts import ACTS
from coach.schema import NEEDS, Conversation, Sentence

CODES = dict(zip(("P", "O", "O2", "N", "T", "X", "D", "K", "A", "L", "S", "C", "W"), ACTS, strict=True))


@dataclass(frozen=True)
class Label:
    """What one sentence was marked as; ``of`` are the sentences that an uptake, dismissal, … answers."""

    act: str
    status: str | None = None
    sub: str | None = None
    need: str | None = None
    strength: int = 2
    of: tuple[int, ...] = ()
    how: str | None = None


@dataclass(frozen=True)
class Record:
    """One document: its conversation, the coach's own sentences, and per sentence the labels."""

    name: str
    source: str
    conversation: Conversation
    sentences: tuple[Sentence, ...]
    labels: tuple[tuple[Label, ...], ...]
    gold: dict[str, list[dict[str, object]]] = field(default_factory=dict)


OWN = Path(__file__).parent / "records"


@dataclass(frozen=True)
class Mark:
    """A label before it is tied to sentences: a span, its code, arguments by name, and the spans it answers."""

    start: int
    end: int
    code: str
    args: dict[str, str]
    of: tuple[tuple[int, int], ...] = ()


def records(corpus: Path) -> tuple[Record, ...]:
    """All labelled records, ordered by source and name. Sources are what validation leaves out whole."""
    units = _units(corpus)
    found = []
    for table in sorted((corpus / "dense").glob("*/*.tsv")):
        name = table.name.removesuffix(".tsv")
        folder = table.parent.name
        path = corpus / "train" / name if folder == "council" else table.parent / name
        text = path.read_text(encoding="utf-8")
        marks = _tabled(table.read_text(encoding="utf-8"), units.units(text))
        conversation = notes.parse(text)
        found.append(_record(name, _source(folder, name), conversation, tuple(notes.sentences(conversation)), marks))
    return (*found, *own_records())


def own_records(folder: Path = OWN) -> tuple[Record, ...]:
    """The records written for this project; a tag that is not understood is an error that names its file."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        for number, part in enumerate(re.split(r"^=== .*\n", path.read_text(encoding="utf-8"), flags=re.M)[1:], 1):
            try:
                found.append(_tagged(f"{path.stem}-{number:02}", part.strip() + "\n"))
            except (KeyError, ValueError, IndexError) as error:
                raise ValueError(f"{path.name}, record {number}: {error}") from error
    return tuple(found)


def _source(folder: str, name: str) -> str:
    if folder == "authored":
        return f"authored-{name[0]}"
    return {"q": "qmsum", "t": "tc39"}.get(name[0], folder) if folder != "council" else folder


def _tabled(table: str, units: list[dict[str, int]]) -> list[Mark]:
    """The marks of a table of numbered units."""
    found = []
    for unit, code, *rest in (line.split("\t") for line in table.splitlines() if line.strip()):
        args = dict(pair.split("=", 1) for pair in (rest[0].split() if rest else []) if "=" in pair)
        of = tuple((units[int(n)]["start"], units[int(n)]["end"]) for n in re.findall(r"\d+", args.get("of", "")))
        found.append(Mark(units[int(unit)]["start"], units[int(unit)]["end"], code, args, of))
    return found


_TAG = re.compile(r"[ \t]*\[\[([^\[\]]*)\]\]")


def _tagged(name: str, marked: str) -> Record:
    """A record whose sentences carry tags: they are taken out, and each labels the sentence that it stood behind."""
    text, tags, last = "", [], 0
    for tag in _TAG.finditer(marked):
        text += marked[last : tag.start()]
        tags.append((len(text.rstrip()), tag.group(1).split()))
        last = tag.end()
    text += marked[last:]
    conversation = notes.parse(text)
    sentences = tuple(notes.sentences(conversation))

    def span(at: int) -> tuple[int, int]:
        # A tag inside what counts as one sentence labels that sentence; one behind stray marks, the sentence before.
        s = max((s for s in sentences if s.start < at), key=lambda s: s.start)
        return s.start, s.end

    places = {
        word.partition(":")[2]: span(at)
        for at, (word, *_) in tags
        if word.partition(":")[0] in ("O", "N") and ":" in word
    }
    marks = []
    for at, (word, *rest) in tags:
        code, _, key = word.partition(":")
        args, of = {}, ()
        if code in ("O", "N"):
            args["status"] = rest[0]
            if code == "N":
                args["need"] = rest[1]
            elif rest[0] == "unheard":
                args["sub"] = rest[1]
            if rest[0] not in ("heard", "unheard") or args.get("need", NEEDS[0]) not in NEEDS:
                raise ValueError(f"not a status or need: {word} {' '.join(rest)}")
            if rest[0] == "unheard":
                args["strength"] = rest[2]
        elif code == "C":
            args |= {"sub": rest[0], "strength": rest[1]}
        elif code in ("T", "X", "D", "K", "O2"):
            of = (places[key],)
            args |= {"how": rest[0]} if rest else {}
        elif code not in CODES:
            raise ValueError(f"not a code: {code}")
        marks.append(Mark(*span(at), code, args, of))
    return _record(name, "own", conversation, sentences, marks)


def _record(
    name: str, source: str, conversation: Conversation, sentences: tuple[Sentence, ...], marks: list[Mark]
) -> Record:
    labels: list[list[Label]] = [[] for _ in sentences]
    gold: dict[str, list[dict[str, object]]] = {"findings": [], "heard": [], "decoys": []}
    spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for mark in marks:
        if mark.code == "O2":
            for parent in mark.of:
                spans.setdefault(parent, []).append((mark.start, mark.end))
    for mark in marks:
        targets = tuple(dict.fromkeys(s for start, end in mark.of for s in _overlapping(start, end, sentences)))
        args = mark.args
        strength = int(args.get("strength", "2"))
        label = Label(
            CODES[mark.code], args.get("status"), args.get("sub"), args.get("need"), strength, targets, args.get("how")
        )
        for sentence in _overlapping(mark.start, mark.end, sentences):
            labels[sentence].append(label)
        _mark_gold(gold, mark, label, spans.get((mark.start, mark.end), []), conversation.text)
    return Record(name, source, conversation, sentences, tuple(map(tuple, labels)), gold)


def _mark_gold(
    gold: dict[str, list[dict[str, object]]], mark: Mark, label: Label, also: list[tuple[int, int]], text: str
) -> None:
    def place(start: int, end: int) -> dict[str, object]:
        return {"start": start, "end": end}

    own = place(mark.start, mark.end)
    kind = {"O": "unheard_objection", "N": "unaddressed_need", "C": "categorical_phrasing"}.get(mark.code)
    if kind and (mark.code == "C" or label.status == "unheard"):
        gold["findings"].append(
            {
                "kind": kind,
                "subtype": label.sub,
                "need": label.need,
                "strength": label.strength,
                "quote": text[mark.start : mark.end],
                **own,
                "spans": [own, *(place(*a) for a in also)],
            }
        )
    elif mark.code == "O":
        gold["heard"].append({**own, "spans": [own]})
    elif mark.code == "W":
        gold["decoys"].append({**own, "spans": [own]})


def _overlapping(start: int, end: int, sentences: tuple[Sentence, ...]) -> tuple[int, ...]:
    """Sentences that share at least half of the shorter of the two."""
    shared = [
        (min(end, s.end) - max(start, s.start), i) for i, s in enumerate(sentences) if s.start < end and s.end > start
    ]
    good = [i for n, i in shared if n * 2 >= min(end - start, sentences[i].end - sentences[i].start)]
    return tuple(good) if good else ((max(shared)[1],) if shared else ())


def _units(corpus: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("units", corpus / "units.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
