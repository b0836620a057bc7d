"""How well the offline engine finds what a careful annotator marked, and what its parts contribute.

    python -m benchmarks.detection records --docs DIR --gold DIR              # the whole coach on annotated records
    python -m benchmarks.detection folds --corpus DIR --readings DIR          # on records the encoder did not see
    python -m benchmarks.detection ablation --corpus DIR --readings DIR       # without one group of features
    python -m benchmarks.detection sources --corpus DIR --readings DIR        # without one source to decide from
    python -m benchmarks.detection curve --corpus DIR --readings DIR          # with fewer records to decide from
    python -m benchmarks.detection heads --corpus DIR --readings DIR DIR ...  # encoders trained in different ways

Readings come from `python -m training.encoder --cross-validate`. Intervals are 95 %, by bootstrap over documents. A
finding counts as right when it shares half of the shorter span with a marked passage of its kind (strength 1 is
accepted, strength 2 and 3 are required).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coach.acts import ACTS, CHOICES, WORTH
from coach.detectors.decision import LONG, NAMED, STANDS_OUT, decisions
from coach.detectors.uptake import Record as Read
from training.corpus import Record
from training.decision import (
    KINDS,
    RIDGE,
    Sample,
    Tally,
    best_threshold,
    bounds,
    fit,
    load,
    nested,
    samples,
    shown,
    tally,
    total,
    weights,
)
from training.folds import GROUPS as GROUPS_OF_SOURCES
from training.folds import world_of
from training.matching import overlaps, spans_of
from training.measures import area, average_precision
from training.targets import Targets, targets

REPLIES = ("uptake", "dismissal", "parking", "bare", "assent", "objection")
GROUPS = {
    "encoder: worth raising": ("raise ",),
    "encoder: acts of the sentence": (
        "objection", "unheard", "need", "continuation", "proposal", "uptake", "dismissal", "assent", "lukewarm",
        "silence", "categorical", "fine strong word", "neighbour", "sure", "rank",
    ),
    "encoder: links": ("link ", "answer ", "brush "),
    "encoder: the reply": tuple(f"reply {act}" for act in REPLIES),
    "words of uptake": ("overlap ", "reply asks", "words ", "bare words"),
    "place in the record": ("no reply", "others after", "end of document", "item length", "own after", "chair replies"),
    "form of the sentence": ("words", "question", "first person", "share of speaker", "no speaker", "record size"),
    "cues and their scope": ("cues", "free cues", "excused cues", "cue "),
    "subtype": ("subtype ",),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One document: counts per kind, and what should not have been hit."""

    name: str
    tallies: dict[str, Tally]
    top: tuple[int, int]  # right among the first three shown, shown among the first three
    false_alarms: int
    decoys: int
    decoys_hit: int
    clean: bool


def records_of(docs: Path, gold: Path) -> list[Outcome]:
    """The coach as it is on annotated records: DOC and DOC.json."""
    from coach.wiring import Coach

    coach, found = Coach(), []
    for path in sorted(p for p in docs.iterdir() if (gold / (p.name + ".json")).exists()):
        text = path.read_text(encoding="utf-8")
        marked = json.loads((gold / (path.name + ".json")).read_text(encoding="utf-8"))
        review = coach.review(text, engine="local")
        predicted = [f.model_dump() for f in review.findings if f.tier == "finding"]
        found.append(judged(path.name, predicted, marked, text))
    return found


def judged(name: str, predicted: list[dict[str, Any]], marked: dict[str, Any], text: str) -> Outcome:
    """Predictions against the marks of one document; debatable passages count neither way."""

    def places(item: dict[str, Any]) -> list[tuple[int, int]]:
        start = item["start"] if "start" in item else text.index(item["quote"])
        end = item["end"] if "end" in item else start + len(item["quote"])
        return [(start, end), *((text.index(q), text.index(q) + len(q)) for q in item.get("also", []))]

    def hits(p: dict[str, Any], item: dict[str, Any]) -> bool:
        return any(overlaps(p["start"], p["end"], a, b) for a, b in places(item))

    predicted = [p for p in predicted if not any(hits(p, d) for d in marked.get("debatable", []))]
    right: set[int] = set()
    tallies = {}
    for kind in KINDS:
        mine = [(i, p) for i, p in enumerate(predicted) if p["kind"] == kind]
        gold = [f for f in marked["findings"] if f["kind"] == kind]
        counts = Tally(shown=len(mine), required=sum(f.get("strength", 2) >= 2 for f in gold))
        used: set[int] = set()
        for wanted in (True, False):
            for i, p in mine:
                at = next((j for j, f in enumerate(gold) if j not in used and i not in right
                           and (f.get("strength", 2) >= 2) == wanted and hits(p, f)), None)  # fmt: skip
                if at is not None:
                    used.add(at)
                    right.add(i)
                    counts.right += 1
                    counts.hit += wanted
        tallies[kind] = counts
    wrong = [p for i, p in enumerate(predicted) if i not in right]
    decoys = marked.get("decoys", [])
    return Outcome(
        name,
        tallies,
        (sum(i in right for i in range(min(3, len(predicted)))), min(3, len(predicted))),
        sum(p["kind"] == "unheard_objection" and any(hits(p, h) for h in marked.get("heard", [])) for p in wrong),
        len(decoys),
        sum(any(hits(p, d) for d in decoys) for p in wrong),
        not marked["findings"],
    )


def report(outcomes: Sequence[Outcome], rounds: int = 1000) -> None:
    """Print precision, recall and F1 per kind with intervals, and the rest in one line."""
    chance = np.random.default_rng(1)
    picks = chance.integers(0, len(outcomes), (rounds, len(outcomes)))
    for kind in (*KINDS, "all"):
        each = [sum(o.tallies.values(), Tally()) if kind == "all" else o.tallies[kind] for o in outcomes]
        whole = sum(each, Tally())
        table = np.array([(t.shown, t.right, t.required, t.hit) for t in each])[picks].sum(1)
        print(f"{kind:22s} " + "  ".join(
            f"{name} {value:.2f} [{low:.2f}, {high:.2f}]"
            for name, value, (low, high) in zip(
                ("P", "R", "F1"), (whole.precision, whole.recall, whole.f1), _intervals(table), strict=True))
            + f"  shown {whole.shown} required {whole.required}")  # fmt: skip
    top, of = (sum(o.top[i] for o in outcomes) for i in (0, 1))
    clean = [o for o in outcomes if o.clean]
    quiet = sum(not sum(o.tallies.values(), Tally()).shown for o in clean)
    print(
        f"precision of the top 3 {top / of if of else 0:.2f} ({top}/{of}); heard objections called unheard "
        f"{sum(o.false_alarms for o in outcomes)}; decoys hit {sum(o.decoys_hit for o in outcomes)} of "
        f"{sum(o.decoys for o in outcomes)}; clean documents quiet {quiet} of {len(clean)}"
    )


def _intervals(table: np.ndarray) -> list[tuple[float, float]]:
    shown_, right, required, hit = table.T
    precision, recall = right / np.maximum(shown_, 1), hit / np.maximum(required, 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return [(float(np.percentile(v, 2.5)), float(np.percentile(v, 97.5))) for v in (precision, recall, f1)]


def folds(corpus: Path, readings: Path) -> None:
    """What tier ``finding`` would hold on records that neither the encoder nor the decision layer learned from."""
    pairs = load(corpus, readings)
    kept: list[list[tuple[float, str, Any]]] = [[] for _ in pairs]
    for kind in KINDS:
        found, confidence, _ = nested(pairs, kind, RIDGE)
        limit = decisions()[kind].finding
        for document, passages in shown(found, confidence, limit).items():
            sure = {s.passage: float(c) for s, c in zip(found, confidence, strict=True) if s.document == document}
            kept[document] += [(sure[p], kind, p) for p in passages]
    for title, world in (
        ("workplace notes", "workplace"),
        ("real minutes and talk", "real"),
        ("short records of this project, unseen", "own"),
    ):
        outcomes = []
        for (record, _), own in zip(pairs, kept, strict=True):
            if world_of(record.source) != world:
                continue
            stands_out = any(c >= STANDS_OUT * decisions()[kind].finding for c, kind, _ in own)
            if len(record.sentences) < LONG and not stands_out:
                own = []
            predicted = [
                {"kind": kind, "start": p.start, "end": p.end} for _, kind, p in sorted(own, key=lambda t: -t[0])
            ]
            text = record.conversation.text
            marked: dict[str, Any] = {
                "findings": [{**f, "also": [text[a:b] for a, b in spans_of(f)[1:]]} for f in record.gold["findings"]],
                "heard": record.gold["heard"],
                "decoys": record.gold["decoys"],
            }
            outcomes.append(judged(record.name, predicted, marked, text))
        print(f"\n{title} ({len(outcomes)} records)")
        report(outcomes)


def ablation(corpus: Path, readings: Path) -> None:
    """F1 on sources left out, all kinds together, without one group of features at a time."""
    pairs = load(corpus, readings)

    def run(without: tuple[str, ...]) -> dict[str, Tally]:
        result = {"workplace": Tally(), "real": Tally(), "own": Tally()}
        for kind, module in KINDS.items():
            gone = [
                i
                for i, f in enumerate(module.FEATURES)
                if any(f == w or (w.endswith(" ") and f.startswith(w)) for w in without)
            ]
            _, _, each = nested(pairs, kind, RIDGE, gone)
            for left, (counts, _) in each.items():
                result[world_of(left)] += counts
        return result

    for name, group in (("nothing left out", ()), *GROUPS.items()):
        result = run(group)
        print(f"{name:32s} workplace F1 {result['workplace'].f1:.3f} P {result['workplace'].precision:.2f}   "
              f"real F1 {result['real'].f1:.3f} P {result['real'].precision:.2f}")  # fmt: skip


def sources(corpus: Path, readings: Path) -> None:
    """F1 on sources left out when the decision layer does not learn from one more group of sources, either."""
    pairs = load(corpus, readings)
    for unseen in ("", *GROUPS_OF_SOURCES):
        result = {"workplace": Tally(), "real": Tally(), "own": Tally()}
        for kind in KINDS:
            for left, (counts, _) in nested(pairs, kind, RIDGE, unseen=unseen)[2].items():
                if left != unseen:
                    result[world_of(left)] += counts
        print(f"without {unseen or 'none':12s} " + "   ".join(f"{w} F1 {t.f1:.3f}" for w, t in result.items()))


def heads(corpus: Path, *readings: Path) -> None:
    """How well the encoder itself ranks sentences: average precision of each kind worth raising, and the area under the
    ROC curve of "unheard" among objections, with 95 % intervals by record; on records of which all folders have a
    reading."""
    read = [{r.name: (r, reading) for r, reading in load(corpus, folder)} for folder in readings]
    names = sorted(set.intersection(*(set(one) for one in read)))
    for world in ("workplace", "real"):
        inside = [n for n in names if world_of(read[0][n][0].source) == world]
        marked = [targets(read[0][n][0]) for n in inside]
        print(f"{world}, {len(inside)} records")
        for folder, one in zip(readings, read, strict=True):
            rows = [one[n][1].probabilities for n in inside]
            print(f"  {folder.name:24s} " + "   ".join(_ranked(rows, marked)))
    share, kind = (np.concatenate(parts) for parts in zip(*map(_need_kinds, read[0].values()), strict=True))
    for name, some in (("from", share >= NAMED), ("below", share < NAMED)):
        print(f"need as marked, {name} {NAMED}: {kind[some].mean():.2f} of {some.sum()}")


def _need_kinds(pair: tuple[Record, Read]) -> tuple[np.ndarray, np.ndarray]:
    """Of each marked need how sure the encoder is of its kind, and whether it is the one that was marked."""
    chosen = targets(pair[0]).choices[:, CHOICES.index("need_kind")]
    share = pair[1].probabilities["need_kind"][chosen >= 0]
    return share.max(axis=1), share.argmax(axis=1) == chosen[chosen >= 0]


def _ranked(rows: Sequence[dict[str, Any]], marked: Sequence[Targets], rounds: int = 300) -> Iterator[str]:
    chance = np.random.default_rng(1)
    draws = [np.arange(len(rows)), *(chance.integers(len(rows), size=len(rows)) for _ in range(rounds))]
    for k, head in enumerate((*WORTH, "unheard")):
        values = []
        for draw in draws:
            score = np.concatenate([rows[i][head] for i in draw])
            if head == "unheard":
                kept = np.concatenate([marked[i].acts[:, ACTS.index("objection")] > 0 for i in draw])
                truth = np.concatenate([marked[i].unheard > 0.5 for i in draw])
                values.append(area(score[kept], truth[kept]))
            else:
                values.append(average_precision(score, np.concatenate([marked[i].worth[:, k] > 0.5 for i in draw])))
        low, high = np.nanpercentile(values[1:], [2.5, 97.5])
        yield f"{head} {values[0]:.2f} [{low:.2f}, {high:.2f}]"


def curve(corpus: Path, readings: Path, rounds: int = 5) -> None:
    """F1 when the decision layer learns from a share of the records; half of them are kept for judging."""
    pairs = load(corpus, readings)
    chance = np.random.default_rng(1)
    everything: dict[str, list[Sample]] = {kind: samples(pairs, kind) for kind in KINDS}
    sources = [r.source for r, _ in pairs]
    for share in (0.125, 0.25, 0.5, 1.0):
        scores = []
        for _ in range(rounds):
            order = chance.permutation(len(pairs))
            test, rest = set(order[: len(pairs) // 2].tolist()), order[len(pairs) // 2 :]
            seen = set(rest[: max(4, int(len(rest) * share))].tolist())
            counts = Tally()
            for kind, found in everything.items():
                mine = [s for s in found if s.document in seen]
                model = fit(
                    np.stack([s.values for s in mine]),
                    np.array([s.truth for s in mine]),
                    weights(mine, sources),
                    RIDGE,
                    bounds(KINDS[kind].FEATURES, kind),
                )
                confidence = model(np.stack([s.values for s in found]))
                threshold = best_threshold(pairs, kind, found, confidence, sorted(seen))
                kept = shown([s for s in found if s.document in test],
                             confidence[[s.document in test for s in found]], threshold)  # fmt: skip
                counts += total(pairs, kind, kept, sorted(test))
            scores.append(counts.f1)
        print(f"{share * 50:5.1f} % of the records: F1 {np.mean(scores):.3f} ± {np.std(scores):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("records", "folds", "ablation", "sources", "curve", "heads"))
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--readings", type=Path, nargs="+")
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--gold", type=Path)
    options = parser.parse_args()
    if options.what == "records":
        if not (options.docs and options.gold):
            parser.error("records needs --docs and --gold")
        report(records_of(options.docs, options.gold))
        return
    if not (options.corpus and options.readings):
        parser.error(f"{options.what} needs --corpus and --readings")
    if options.what == "heads":
        heads(options.corpus, *options.readings)
        return
    measure = {"folds": folds, "ablation": ablation, "sources": sources, "curve": curve}[options.what]
    measure(options.corpus, options.readings[0])


__all__ = ["Outcome", "judged", "main", "report", "tally"]

if __name__ == "__main__":
    main()
