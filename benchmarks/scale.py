"""What one unit of work costs, for docs/scale.md: ``python -m benchmarks.scale``.

CPU seconds (of all threads, so that a busy machine changes little) for a review, for reading notes to be kept and for
writing them; disk for each meeting; memory of a process that reviews, and of each further user whose library is open.
Notes are two pages each (6,000 characters), no two alike.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from coach.bulk import Readout, read_out
from coach.samples import samples
from coach.settings import load_settings
from coach.wiring import Coach

NOTES = 20
USERS = 20


def main() -> None:
    """Print one line per figure."""
    texts = [text_of(number) for number in range(NOTES)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        coach = Coach(load_settings(home=home / "one", engine="local"))
        coach.review(texts[0])
        print(f"memory of a process that reviews: {resident():.0f} MB")
        print(f"review: {cpu(lambda text: coach.review(text), texts):.2f} CPU s")
        readouts = {text: read_out(0, text, None) for text in texts}
        print(f"keeping, reading: {cpu(lambda text: read_out(0, text, None), texts):.2f} CPU s")
        coach.library.list()

        def write(text: str) -> None:
            done = readouts[text]
            assert isinstance(done, Readout)
            coach.keep(text, review=done.review, names_read=done.names)

        write(texts[0])
        print(f"keeping, writing: {cpu(write, texts[1:]):.2f} CPU s")
        size = sum(path.stat().st_size for path in (home / "one").rglob("*") if path.is_file())
        print(f"disk: {size / NOTES / 1e6:.2f} MB for each meeting ({NOTES} of them)")
        before, coaches = resident(), []
        for number in range(USERS):
            one = Coach(load_settings(home=home / f"user{number}", engine="local"))
            done = readouts[texts[number % NOTES]]
            assert isinstance(done, Readout)
            one.keep(texts[number % NOTES], review=done.review, names_read=done.names)
            coaches.append(one)
        print(f"memory of each further user, library open: {(resident() - before) / USERS:.1f} MB")


def text_of(number: int) -> str:
    """Two pages of notes with words of their own."""
    return (samples()[0].text * 4)[:5_900] + f"\nJonas: Item {number * 7919} of plan {number} worries me.\n"


def cpu(work: Callable[[str], object], texts: list[str]) -> float:
    """The median CPU time of the work on each text, in seconds."""
    taken = []
    for text in texts:
        started = time.process_time()
        work(text)
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def resident() -> float:
    """Resident memory of this process now, in MB."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
