"""Records with a label on every sentence, read from a corpus folder that stays outside the project.

A corpus folder has ``dense/<source>/DOC`` beside ``DOC.tsv`` (``unit<TAB>code<TAB>args``; units are numbered by the
``units.py`` at its top), and ``dense/council/DOC.tsv`` whose texts are in ``train/``.
docs/design/offline-engine.md says what the codes mean and where the public gets such data.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from coach import notes
from coach.acts import ACTS
from coach.schema import Conversation, Sentence

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


def records(corpus: Path) -> tuple[Record, ...]:
    """All labelled records, ordered by source and name. Sources are what validation leaves out whole."""
    units = _units(corpus)
    found = []
    for table in sorted((corpus / "dense").glob("*/*.tsv")):
        name = table.name.removesuffix(".tsv")
        folder = table.parent.name
        path = corpus / "train" / name if folder == "council" else table.parent / name
        text = path.read_text(encoding="utf-8")
        found.append(_record(name, _source(folder, name), text, table.read_text(encoding="utf-8"), units))
    return tuple(found)


def _source(folder: str, name: str) -> str:
    if folder == "authored":
        return f"authored-{name[0]}"
    return {"q": "qmsum", "t": "tc39"}.get(name[0], folder) if folder != "council" else folder


def _record(name: str, source: str, text: str, table: str, units: ModuleType) -> Record:
    conversation = notes.parse(text)
    sentences = tuple(notes.sentences(conversation))
    marked = units.units(text)
    home = [_overlapping(u["start"], u["end"], sentences) for u in marked]
    rows = [line.split("\t") for line in table.splitlines() if line.strip()]
    labels: list[list[Label]] = [[] for _ in sentences]
    gold: dict[str, list[dict[str, object]]] = {"findings": [], "heard": [], "decoys": []}
    followers = Counter[int]()
    spans: dict[int, list[int]] = {}
    for unit, code, *rest in rows:
        args = dict(pair.split("=", 1) for pair in (rest[0].split() if rest else []) if "=" in pair)
        of = tuple(int(n) for n in re.findall(r"\d+", args.get("of", "")))
        if code == "O2":
            for parent in of:
                spans.setdefault(parent, []).append(int(unit))
                followers[parent] += 1
    for unit, code, *rest in rows:
        args = dict(pair.split("=", 1) for pair in (rest[0].split() if rest else []) if "=" in pair)
        of = tuple(int(n) for n in re.findall(r"\d+", args.get("of", "")))
        targets = tuple(dict.fromkeys(s for parent in of for s in home[parent]))
        strength = int(args.get("strength", "2"))
        label = Label(
            CODES[code], args.get("status"), args.get("sub"), args.get("need"), strength, targets, args.get("how")
        )
        for sentence in home[int(unit)]:
            labels[sentence].append(label)
        _mark_gold(gold, code, label, marked, int(unit), spans.get(int(unit), []))
    return Record(name, source, conversation, sentences, tuple(map(tuple, labels)), gold)


def _mark_gold(
    gold: dict[str, list[dict[str, object]]],
    code: str,
    label: Label,
    marked: list[dict[str, object]],
    unit: int,
    also: list[int],
) -> None:
    def span(u: int) -> dict[str, object]:
        return {"start": marked[u]["start"], "end": marked[u]["end"]}

    kind = {"O": "unheard_objection", "N": "unaddressed_need", "C": "categorical_phrasing"}.get(code)
    if kind and (code == "C" or label.status == "unheard"):
        gold["findings"].append(
            {
                "kind": kind,
                "subtype": label.sub,
                "need": label.need,
                "strength": label.strength,
                "quote": marked[unit]["text"],
                **span(unit),
                "spans": [span(unit), *map(span, also)],
            }
        )
    elif code == "O":
        gold["heard"].append({**span(unit), "spans": [span(unit)]})
    elif code == "W":
        gold["decoys"].append({**span(unit), "spans": [span(unit)]})


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
