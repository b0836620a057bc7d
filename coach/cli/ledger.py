"""``coach ledger``: objections and needs across meetings, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from coach.cli import app
from coach.cli.library import Pseudonyms, naming, print_values, unknown
from coach.cli.review import AsJson

if TYPE_CHECKING:
    from coach.concerns import Concern, Mark
    from coach.ledger import Ledger
    from coach.wiring import Coach

ledger = typer.Typer(help="Objections and needs across meetings: what is open, and what became of the rest.")
app.add_typer(ledger, name="ledger", invoke_without_command=True)

MOST = 8
"""Answered concerns that are listed unasked."""
Id = Annotated[str, typer.Argument(help="Id of a concern, or the start of it, as coach ledger shows.")]


@ledger.callback()
def open_concerns(
    context: typer.Context,
    attendee: Annotated[str | None, typer.Option(help="Only of this person.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were ever raised, heard ones, too.")] = False,
    pseudonyms: Pseudonyms = False,
    as_json: AsJson = False,
) -> None:
    """List what nobody has taken up yet, the most often raised first, then what was answered since."""
    if context.invoked_subcommand is not None:
        return
    from coach.labels import ANSWERED
    from coach.wiring import Coach

    coach = Coach()
    found = coach.ledger.all(attendee) if everything else coach.ledger.open(attendee)
    answered = () if everything else coach.ledger.answered(attendee)
    if as_json:
        print_values(coach, (*found, *answered), pseudonyms)
        return
    if not found:
        print(unknown(coach, attendee) or _why_none(coach))
    name = naming(coach, pseudonyms)
    for concern in found:
        print(name(_line(concern)))
    if answered:
        print(f"\n{ANSWERED}:")
    for concern in answered[:MOST]:
        print(name(_line(concern)))
    if len(answered) > MOST:
        print(f"and {len(answered) - MOST} more: coach ledger --all")
    for one, other in _guesses((*found, *answered)):
        print(f"\n{one} and {other} may be the same concern:")
        print(f"coach ledger merge {one} {other} joins them, coach ledger apart {one} {other} keeps them apart")
    if found or answered:
        print("\ncoach ledger show ID tells the history of one; coach ledger mark ID heard closes it")


@ledger.command()
def show(concern: Id, pseudonyms: Pseudonyms = False, as_json: AsJson = False) -> None:
    """The history of one concern."""
    from coach.labels import date_label, step_label
    from coach.wiring import Coach

    coach = Coach()
    found = coach.ledger.history(concern)
    if as_json:
        print_values(coach, [found], pseudonyms)
        return
    name = naming(coach, pseudonyms)
    print(name(_line(found)))
    for step in found.steps:
        words = f"“{step.quote or step.answer}”" if step.quote or step.answer else step.note or ""
        words = f"{step.by}: {words}" if step.by else words
        where = step.title or ("untitled" if step.meeting else "")
        parts = (f"{date_label(step.date):17}", step_label(step), where, words, step.sighting or "")
        print(name("  " + " · ".join(filter(None, parts))))
    for other in found.perhaps:
        print(name(f"\nperhaps the same: {_line(coach.ledger.history(other))}"))
        print(f"coach ledger merge {found.id} {other}, or coach ledger apart {found.id} {other}")
    if found.times > 1:
        print("\ncoach ledger split ID takes a line out by the id at its end")


@ledger.command()
def mark(
    concern: Id,
    status: Annotated[
        str,
        typer.Argument(
            help="What became of it: acknowledged, explored, heard (the person says so; also: confirmed), "
            "integrated (the plan changed), handled, not-an-objection, or reopened."
        ),
    ],
    note: Annotated[str | None, typer.Option(help="A word about it, for later.")] = None,
    date: Annotated[str | None, typer.Option(help="When, if not today.")] = None,
) -> None:
    """Say that a concern was heard, how far, or that it is none."""
    from coach.wiring import Coach

    word = status.strip().casefold().replace("-", "_").replace(" ", "_")
    chosen = cast("Mark", "confirmed" if word == "heard" else word)
    _print_one(Coach(), lambda known: known.mark(concern, chosen, note=note, date=date))


@ledger.command()
def merge(one: Id, other: Id) -> None:
    """Make one concern of two that mean the same."""
    from coach.wiring import Coach

    _print_one(Coach(), lambda known: known.merge(one, other))


@ledger.command()
def apart(one: Id, other: Id) -> None:
    """Say that two concerns are not the same: coach ledger does not ask again."""
    from coach.wiring import Coach

    _print_one(Coach(), lambda known: known.apart(one, other))


@ledger.command()
def split(
    concern: Id,
    sightings: Annotated[list[str], typer.Argument(help="What to take out: ids at the ends of lines of its history.")],
) -> None:
    """Take some of what was said out of a concern, into one of its own."""
    from coach.wiring import Coach

    _print_one(Coach(), lambda known: known.split(concern, *sightings))


@ledger.command()
def feedback(pseudonyms: Pseudonyms = False, as_json: AsJson = False) -> None:
    """List the findings that you marked as right or wrong: material for cases of the evaluation."""
    from coach.wiring import Coach

    coach = Coach()
    found = coach.ledger.feedback()
    if as_json:
        print_values(coach, found, pseudonyms)
        return
    name = naming(coach, pseudonyms)
    for one in found:
        what, note = (one.subtype or one.kind).replace("_", " "), f" · {one.note}" if one.note else ""
        about = f"{one.verdict}: {what}, {one.source}, confidence {one.confidence:.2f}"
        print(name(f"{one.concern}  “{one.quote}” ({about}){note}"))
    if not found:
        print("nothing was marked yet: coach ledger mark ID not-an-objection does")


def _why_none(coach: Coach) -> str:
    if coach.ledger.all():
        return "nothing open: coach ledger --all lists what was heard, too"
    return "nothing was raised so far: coach library add FILE keeps notes and follows what went unheard in them"


def _guesses(concerns: Sequence[Concern]) -> list[tuple[str, str]]:
    """Pairs that may be the same, at most one for each concern that is shown."""
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for concern in concerns:
        if concern.perhaps:
            pair = (concern.id, concern.perhaps[0])
            pairs.setdefault(frozenset(pair), pair)
    return list(pairs.values())


def _print_one(coach: Coach, change: Callable[[Ledger], Concern]) -> None:
    print(naming(coach)(_line(change(coach.ledger))))


def _line(concern: Concern) -> str:
    from coach.labels import date_label, step_label

    what = concern.need.replace("_", " ") if concern.need else concern.kind.replace("_", " ")
    first, last = concern.steps[0], concern.steps[-1]
    states = dict.fromkeys(f"{date_label(s.date)}: {step_label(s)}" for s in (first, last))
    often = [f"raised {concern.times} times"] if concern.times > 1 else []
    return f"{concern.id}  {concern.speaker}: “{concern.quote}” ({', '.join([what, *states, *often])})"
