"""From which cosine two sentences of one person are the same concern: the measurement behind ``Embedder.alike``.

``python -m benchmarks.same_concern [EMBEDDER]`` prints, for each threshold, the share of true pairs found, and how
often another concern, or another remark on the same subject, is taken for the same. The threshold was chosen on
benchmarks/same_concern.yaml; benchmarks/same_concern_blind.yaml was written later, and nothing was chosen on it.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import yaml

from coach.retrieval.embedders import Embedder, load_embedder
from coach.settings import load_settings


def main() -> None:
    """Prints a table for each file; the threshold in force is marked."""
    embedder = load_embedder(load_settings({}), sys.argv[1] if len(sys.argv) > 1 else None)
    for name in ("same_concern.yaml", "same_concern_blind.yaml"):
        report(Path(__file__).with_name(name), embedder)


def report(file: Path, embedder: Embedder) -> None:
    """Prints what each threshold finds in a file, rightly and wrongly."""
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))
    said = [(n, text, True) for n, group in enumerate(groups) for text in group["same"]]
    said += [(n, group["other"], False) for n, group in enumerate(groups)]
    vectors = embedder([text for _, text, _ in said])
    cosines = vectors @ vectors.T
    kinds: dict[str, list[float]] = {"same": [], "subject": [], "different": []}
    for (i, (a, _, first)), (j, (b, _, second)) in combinations(enumerate(said), 2):
        if a == b:
            kinds["same" if first and second else "subject"].append(float(cosines[i, j]))
        elif first and second:
            kinds["different"].append(float(cosines[i, j]))
    same, subject, different = (np.array(kinds[kind]) for kind in ("same", "subject", "different"))
    print(f"{file.name}, {embedder.name}: {len(same)} pairs in other words,", end=" ")
    print(f"{len(subject)} on one subject, {len(different)} others")
    for threshold in sorted({*np.round(np.arange(0.3, 0.8, 0.05), 2), embedder.alike, embedder.alike + 0.08}):
        mark = "  <- alike" if threshold == embedder.alike else ""
        found, near, far = ((cosines >= threshold).mean() for cosines in (same, subject, different))
        print(f"  {threshold:.2f}  found {found:.2f}   taken for it: same subject {near:.2f}, other {far:.4f}{mark}")


if __name__ == "__main__":
    main()
