"""Data that say something about a few of the encoder's answers only, beside the fully labelled records.

``ami/train.jsonl.gz`` of a corpus folder: turns of the AMI meetings (manual annotations 1.6.2, CC BY 4.0), with
objections of which is known whether anybody responded; not where, and nothing of the other heads.
``phrasing/certainty`` (Pei & Jurgens 2021, MIT) and ``phrasing/receptive`` (Yeomans et al. 2020, R package politeness,
MIT): single texts with what people thought of their certainty, and of how receptive they sound.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from coach import acts
from coach.schema import Conversation, Sentence, Utterance
from training.corpus import Record
from training.targets import Targets, blank

RATINGS = ("certainty", "receptive")
BEFORE, AFTER = 5, 16
"""Turns around an objection that are read with it."""
HALF = 0.5
"""How much a fate that AMI tells counts beside one that was labelled for this."""


def ami_records(corpus: Path) -> Iterator[tuple[Record, Targets]]:
    """Stretches of AMI meetings around objections that were, or were not, responded to."""
    with gzip.open(corpus / "ami" / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for meeting, group in groupby(rows, key=lambda row: str(row["meeting"])):
        turns = list(group)
        told = [i for i, turn in enumerate(turns) if turn["responded"] is not None and len(turn["text"].split()) > 3]
        while told:
            start, stop = max(0, told[0] - BEFORE), told[0] + AFTER
            here = [i for i in told if i + AFTER // 2 < stop]
            told = told[len(here) :]
            yield _stretch(f"ami-{meeting}-{start}", turns[start:stop], {i - start for i in here})


def _stretch(name: str, turns: list[dict[str, object]], told: set[int]) -> tuple[Record, Targets]:
    text, utterances, sentences = "", [], []
    for at, turn in enumerate(turns):
        said, speaker = " ".join(str(turn["text"]).split()), str(turn["speaker"])
        start, end = len(text), len(text) + len(said)
        utterances.append(Utterance(speaker=speaker, start=start, said=start, end=end))
        sentences.append(Sentence(utterance=at, speaker=speaker, start=start, end=end, text=said))
        text += said + "\n"
    conversation = Conversation(text=text, format="plain", utterances=tuple(utterances))
    wanted = blank(len(turns))
    for i in told:
        wanted.unheard[i], wanted.unheard_weight[i] = float(not turns[i]["responded"]), HALF
        wanted.links[i] = {}
    return Record(name, "ami", conversation, tuple(sentences), ((),) * len(turns)), wanted


def ratings(corpus: Path) -> list[tuple[acts.Window, np.ndarray]]:
    """Each rated text as a window of its own, and its ratings in the order of ``RATINGS``, standardised; NaN: none."""
    found = []
    for column, name in enumerate(RATINGS):
        rows = [json.loads(x) for x in (corpus / "phrasing" / name / "train.jsonl").read_text("utf-8").splitlines()]
        rated = np.array([row["y"] for row in rows], np.float32)
        for row, y in zip(rows, (rated - rated.mean()) / rated.std(), strict=True):
            ids = acts.tokenizer().encode(row["text"], add_special_tokens=False).ids[: acts.LONGEST - 1]
            wanted = np.full(len(RATINGS), np.nan, np.float32)
            wanted[column] = y
            found.append((acts.window((acts.Line(0, (acts.NOBODY, *ids)),), range(1)), wanted))
    return found
