"""How fast a practice answers and how far each way of replying gets: ``python -m benchmarks.rehearsal``.

Plays every scripted rehearsal under tests/data/rehearsals with every temperament on this machine, and prints the rungs
climbed (0 raised to 5 in the plan, mean over objections), the time for a reply, and how near replies on the subject and
on another subject are to an objection.
"""

from __future__ import annotations

from itertools import product
from statistics import mean
from time import perf_counter

from coach.rehearsal.aim import NEAR, nearness, speaks_to
from coach.rehearsal.debrief import height
from coach.rehearsal.ladder import Temperament
from tests.rehearsals import MEETINGS, WAYS, rehearsal


def main() -> None:
    """Play, measure and print."""
    began = perf_counter()
    rehearsal(MEETINGS[0]).begin().say("What worries you most?")
    print(f"first reply, everything loaded for it: {perf_counter() - began:.2f} s\n")
    seconds: list[float] = []
    print("| meeting | " + " | ".join(WAYS) + " |\n| --- " + "| --- " * len(WAYS) + "|")
    for meeting in MEETINGS:
        made, row = rehearsal(meeting), []
        for way in WAYS:
            rungs = []
            for temperament in Temperament:
                session = made.begin(temperament)
                for reply in made.replies[way]:
                    started = perf_counter()
                    session = session.say(reply)
                    seconds.append(perf_counter() - started)
                rungs += [height(ladder) for ladder in session.ladders]
            row.append(f"{mean(rungs):.1f}")
        print(f"| {meeting} | {' | '.join(row)} |")
    seconds.sort()
    at = [1000 * seconds[int(len(seconds) * share)] for share in (0.5, 0.95)]
    print(f"\n{len(seconds)} replies: median {at[0]:.1f} ms, p95 {at[1]:.1f} ms, longest {1000 * seconds[-1]:.0f} ms")
    _subjects()


def _subjects() -> None:
    """How paraphrases of an objection and of the others' objections spread."""
    said = {
        (meeting, point.quote): rehearsal(meeting).replies["listener"][1 + 5 * n]
        for meeting in MEETINGS
        for n, point in enumerate(rehearsal(meeting).begin().points)
    }
    on, off, taken = [], [], []
    for ((meeting, quote), _), ((other, _), reply) in product(said.items(), said.items()):
        same = said[meeting, quote] == reply
        if same or meeting != other:
            (on if same else off).append(nearness(reply, quote))
            taken.append((same, speaks_to(reply, quote)))
    hits = sum(same and on_subject for same, on_subject in taken)
    wrong = sum(on_subject and not same for same, on_subject in taken)
    print(
        f"paraphrases of an objection: cosine {mean(on):.2f} on average; of another one: {mean(off):.2f} (bar {NEAR})"
    )
    print(f"taken as on the subject: {hits} of {len(on)} that are, {wrong} of {len(off)} that are not")


if __name__ == "__main__":
    main()
