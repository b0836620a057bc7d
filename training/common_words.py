"""Fits coach/data/common_words.txt: which words are ordinary English, so that they are never taken for a name.

    python -m training.common_words CORPUS_FOLDER

Counts words in the corpus (AMI turns, rated statements) and in the prose of the installed packages' docstrings. A word
is kept when it is written in lower case most of the time and is in no list of names.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import sys
import sysconfig
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from coach.identities.spellings import given_names, words_that_are_names

TARGET = Path(__file__).parents[1] / "coach" / "data" / "common_words.txt"
WORD = re.compile(r"(?<![\w./@-])[A-Za-z]{2,}(?![\w/@(]|\.\w)")
HEAD = """\
# Words written mostly in lower case in AMI meetings (CC BY 4.0), in two collections of rated statements (Pei & Jurgens
# 2021, Yeomans et al. 2020, both MIT) and in the docstrings of Python packages. Made by training/common_words.py.
"""


def main(corpus: Path) -> None:
    """Writes the list and prints its size."""
    spoken = _counts(_corpus(corpus))
    written = _counts(*(_docstrings(Path(sysconfig.get_path(place))) for place in ("stdlib", "purelib")))
    kept = {word for word in spoken.lower if spoken.mostly_lower(word, 2)}
    # Short words of docstrings are abbreviations, and abbreviations may be someone's initials.
    kept |= {w for w in written.lower if len(w) > 3 and written.mostly_lower(w, 4) and spoken.never_a_name(w)}
    names = given_names() | words_that_are_names()
    words = sorted(word for word in kept if word not in names)
    TARGET.write_text(HEAD + textwrap.fill(" ".join(words), 118) + "\n", encoding="utf-8")
    print(len(words))


class _Counts:
    def __init__(self) -> None:
        self.lower: Counter[str] = Counter()
        self.upper: Counter[str] = Counter()

    def mostly_lower(self, word: str, least: int) -> bool:
        return self.lower[word] >= least and self.lower[word] > self.upper[word] / 2

    def never_a_name(self, word: str) -> bool:
        return self.upper[word] < 3 or self.lower[word] > self.upper[word] / 2


def _counts(*sources: Iterable[str]) -> _Counts:
    """How many texts write a word in lower case, and how many with a capital."""
    counts = _Counts()
    for source in sources:
        for text in source:
            for word in set(WORD.findall(text)):
                if word.islower():
                    counts.lower[word] += 1
                elif word[1:].islower():
                    counts.upper[word.lower()] += 1
    return counts


def _corpus(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("ami/*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield str(json.loads(line)["text"])
    for path in sorted(folder.glob("phrasing/*/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield " ".join(value for value in json.loads(line).values() if isinstance(value, str))


def _docstrings(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        if "test" in path.as_posix():
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeError, ValueError, RecursionError):
            continue
        prose = [
            ast.get_docstring(node) or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        # One file may use its own private words; a sentence has blanks and a full stop.
        yield "\n".join(line for text in prose for line in text.splitlines() if line.count(" ") > 3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
