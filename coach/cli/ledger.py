"""``coach ledger``: objections and needs across meetings, and what became of them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coach.cli import app
from coach.cli.library import Pseudonyms, named, print_values
from coach.cli.review import AsJson

if TYPE_CHECKING:
    from coach.concerns import Concern
    from coach.wiring import Coach

ledger = typer.Typer(help="Objections and needs across meetings: what is open, and what became of the rest.")
app.add_typer(ledger, name="ledger", invoke_without_command=True)

Id = Annotated[str, typer.Argument(help="Id of a concern, or the start of it, as coach ledger shows.")]


class Marking(StrEnum):
    """As in :data:`coach.concerns.Mark`, for the command line."""

    acknowledged = "acknowledged"
    explored = "explored"
    confirmed = "confirmed"
    integrated = "integrated"
    handled = "handled"
    not_an_objection = "not_an_objection"
    reopened = "reopened"


@ledger.callback()
def open_concerns(
    context: typer.Context,
    attendee: Annotated[str | None, typer.Option(help="Only of this person.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Heard ones, too.")] = False,
    pseudonyms: Pseudonyms = False,
    as_json: AsJson = False,
) -> None:
    """List what is not yet heard, the most often raised first."""
    if context.invoked_subcommand is not None:
        return
    from coach.wiring import Coach

    coach = Coach()
    found = coach.ledger.all(attendee) if everything else coach.ledger.open(attendee)
    if as_json:
        print_values(coach, found, pseudonyms)
        return
    if not found:
        print("nothing open: coach library add FILE keeps notes and follows what went unheard in them")
    for concern in found:
        print(_shown(coach, _line(concern), pseudonyms))


@ledger.command()
def show(concern: Id, pseudonyms: Pseudonyms = False, as_json: AsJson = False) -> None:
    """The history of one concern."""
    from coach.labels import STEPS, date_label
    from coach.wiring import Coach

    coach = Coach()
    found = coach.ledger.history(concern)
    if as_json:
        print_values(coach, [found], pseudonyms)
        return
    print(_shown(coach, _line(found), pseudonyms))
    for step in found.steps:
        words = f"“{step.quote}”" if step.quote else step.note or ""
        parts = (f"{date_label(step.date) or 'no date':17}", STEPS[step.status], step.title or "", words)
        print(_shown(coach, "  " + " · ".join(filter(None, parts)), pseudonyms))


@ledger.command()
def mark(
    concern: Id,
    status: Annotated[Marking, typer.Argument(help="What became of it.")],
    note: Annotated[str | None, typer.Option(help="A word about it, for later.")] = None,
    date: Annotated[str | None, typer.Option(help="When, if not today.")] = None,
) -> None:
    """Say that a concern was heard, how far, or that it is none."""
    from coach.wiring import Coach

    coach = Coach()
    print(_shown(coach, _line(coach.ledger.mark(concern, status.value, note=note, date=date)), False))


@ledger.command()
def merge(one: Id, other: Id) -> None:
    """Make one concern of two that mean the same."""
    from coach.wiring import Coach

    coach = Coach()
    print(_shown(coach, _line(coach.ledger.merge(one, other)), False))


@ledger.command()
def split(
    concern: Id, sightings: Annotated[list[str], typer.Argument(help="Ids of the sightings to take out.")]
) -> None:
    """Take sightings out of a concern, into one of their own."""
    from coach.wiring import Coach

    coach = Coach()
    print(_shown(coach, _line(coach.ledger.split(concern, *sightings)), False))


def _line(concern: Concern) -> str:
    from coach.labels import STEPS

    what = concern.need.replace("_", " ") if concern.need else concern.kind.replace("_", " ")
    often = f", raised {concern.times} times" if concern.times > 1 else ""
    return f"{concern.id}  {concern.speaker}: “{concern.quote}” ({what}, {STEPS[concern.status]}{often})"


def _shown(coach: Coach, text: str, pseudonyms: bool) -> str:
    return text if pseudonyms else named(coach, text)
