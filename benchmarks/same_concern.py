"""From which cosine two sentences of one person are the same concern, and from which the user is asked.

    python -m benchmarks.same_concern [EMBEDDER]

For each threshold: the share of true pairs found, and how often another concern, or something else on the same subject
(a remark, another worry, the opposite wish), is taken for the same; and how many wrong pairs a person with twenty
concerns would meet. Thresholds (``Embedder.alike`` and ``perhaps``) were chosen on same_concern.yaml and concerns.yaml;
nothing was chosen on same_concern_blind.yaml.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import yaml

from coach.retrieval.embedders import Embedder, load_embedder
from coach.settings import load_settings

FILES = ("same_concern.yaml", "concerns.yaml", "same_concern_blind.yaml")
PAIRS = 20 * 19 // 2
"""Of a person with twenty concerns."""


def main() -> None:
    """Prints a table for each file; the thresholds in force are marked."""
    embedder = load_embedder(load_settings({}), sys.argv[1] if len(sys.argv) > 1 else "builtin")
    for name in FILES:
        report(Path(__file__).with_name(name), embedder)


def report(file: Path, embedder: Embedder) -> None:
    """Prints what each threshold finds in a file, rightly and wrongly."""
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))
    said = [(n, text, True) for n, group in enumerate(groups) for text in group["same"]]
    for n, group in enumerate(groups):
        others = group["other"] if isinstance(group["other"], list) else [group["other"]]
        said += [(n, text, False) for text in others]
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
    marks = {embedder.alike: "  <- alike", embedder.perhaps: "  <- perhaps"}
    for threshold in sorted({*np.round(np.arange(0.3, 0.8, 0.05), 2), *marks}):
        found, near, far = ((cosines >= threshold).mean() for cosines in (same, subject, different))
        print(
            f"  {threshold:.2f}  found {found:.2f}   taken for it: same subject {near:.2f}, other {far:.4f} "
            f"({(different >= threshold).sum()}), of twenty concerns {PAIRS * far:.1f} pairs{marks.get(threshold, '')}"
        )


if __name__ == "__main__":
    main()
