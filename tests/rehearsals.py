"""The scripted rehearsals under tests/data/rehearsals, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from coach.rehearsal.brief import make_brief
from coach.rehearsal.ladder import Temperament
from coach.rehearsal.past import NoPast
from coach.rehearsal.plan import Plan, make_plan
from coach.rehearsal.session import Session, start
from coach.rehearsal.values import Brief, Point
from coach.schema import Evidence

FOLDER = Path(__file__).parent / "data" / "rehearsals"
MEETINGS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
WAYS = ("listener", "rebutter", "reassurer", "mixed")


class Remembered(NoPast):
    """A past that holds these points and nothing else."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.points = tuple(points)

    def knows(self, name: str) -> bool:
        return any(point.attendee == name for point in self.points)

    def open(self, name: str) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.attendee == name)


@dataclass(frozen=True)
class Rehearsal:
    """One meeting with what was prepared, and four ways of replying."""

    plan: Plan
    attendee: str
    brief: Brief
    replies: dict[str, list[str]]

    def begin(self, temperament: Temperament = Temperament.RESERVED, **more: Any) -> Session:
        return start(self.plan, self.brief, attendee=self.attendee, temperament=temperament, **more)

    def play(self, way: str, temperament: Temperament = Temperament.RESERVED, *engine: Any) -> Session:
        session = self.begin(temperament)
        for reply in self.replies[way]:
            session = session.say(reply, *engine)
        return session


def rehearsal(name: str, renamed: dict[str, str] | None = None) -> Rehearsal:
    """The rehearsal of that name, with people renamed throughout."""
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    for old, new in (renamed or {}).items():
        text = text.replace(old, new)
    data = yaml.safe_load(text)
    plan = make_plan(data["plan"])
    points = [
        Point(
            **{**point, "date": str(point["date"])},
            quotes=(Evidence(meeting=point["meeting"], date=str(point["date"]), quote=point["quote"]),),
        )
        for point in data["open"]
    ]
    return Rehearsal(plan, data["attendee"], make_brief(plan, Remembered(points)), data["replies"])
