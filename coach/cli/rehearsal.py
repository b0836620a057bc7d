"""``coach brief`` and ``coach rehearse``: before a hard meeting, and after it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coach.cli import app
from coach.cli.review import AsJson, EngineOption, read, write
from coach.errors import InputError

if TYPE_CHECKING:
    from coach.rehearsal.session import Session
    from coach.rehearsal.values import After
    from coach.wiring import Coach

HELP = "Answer {name} in your own words. :nudge a hint, :ladder where it stands, :rewind N, :pause, :end"


class TemperamentOption(StrEnum):
    """As in :class:`coach.rehearsal.ladder.Temperament`, for the command line."""

    reserved = "reserved"
    blunt = "blunt"
    worried = "worried"


PlanFile = Annotated[
    Path, typer.Argument(help="A YAML file with purpose, stage, attendees, opening and fears.", metavar="PLAN")
]
Engine = Annotated[EngineOption | None, typer.Option(help="auto asks a model if one is configured.")]
Markdown = Annotated[Path | None, typer.Option(help="Write it as Markdown.")]
Html = Annotated[Path | None, typer.Option(help="Write it as one HTML page, to be printed.")]


@app.command()
def brief(
    plan: PlanFile, as_json: AsJson = False, markdown: Markdown = None, html: Html = None, engine: Engine = None
) -> None:
    """Say what those who come were never answered on, how the opening may sound to them, and what to ask."""
    from coach import render
    from coach.rehearsal.plan import load_plan
    from coach.wiring import Coach

    made = Coach().brief(load_plan(plan), engine=engine.value if engine else None)
    if markdown:
        write(markdown, render.brief_markdown(made))
    if html:
        write(html, render.brief_html(made))
    if as_json:
        print(made.model_dump_json(indent=1))
    elif not (markdown or html):
        _print(render.brief_markdown(made))


@app.command()
def rehearse(
    plan: Annotated[Path | None, typer.Argument(help="The plan, as for coach brief.", metavar="PLAN")] = None,
    replies: Annotated[Path | None, typer.Option(help="Play these replies, one a line; no questions asked.")] = None,
    attendee: Annotated[str | None, typer.Option(help="Practise with this person; else with the least heard.")] = None,
    temperament: Annotated[TemperamentOption, typer.Option(help="How it shows.")] = TemperamentOption.reserved,
    nudges: Annotated[bool, typer.Option("--nudges", help="A hint after each turn.")] = False,
    resume: Annotated[str | None, typer.Option(help="Go on with the practice of this id.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the practices that were kept.")] = False,
    after: Annotated[
        str | None, typer.Option(metavar="NOTES", help="Notes of the real meeting: which objections were heard?")
    ] = None,
    as_json: AsJson = False,
    markdown: Markdown = None,
    html: Html = None,
    engine: Engine = None,
) -> None:
    """Practise the hard conversation with a simulated attendee, then see what listening did."""
    from coach.rehearsal.ladder import Temperament
    from coach.rehearsal.plan import load_plan
    from coach.wiring import Coach

    coach = Coach()
    if listing:
        _list(coach, as_json)
        return
    if plan is None and resume is None:
        raise InputError("give a plan: coach rehearse PLAN.yaml, or --resume ID as coach rehearse --list shows.")
    if after is not None:
        if plan is None:
            raise InputError("give the plan of that meeting, too: coach rehearse PLAN.yaml --after NOTES")
        _after(coach.after(load_plan(plan), read(after)), as_json)
        return
    said = _replies(replies) if replies else None
    if resume is not None:
        session = coach.practices.load(resume)
    elif plan is not None:
        session = coach.rehearse(
            load_plan(plan),
            attendee=attendee,
            temperament=Temperament(temperament.value),
            engine=engine.value if engine else None,
        )
    if said is not None:
        for line in said:
            session = coach.say(session, line)
        session = session.end()
    else:
        session = _practise(coach, session, nudges)
        if not session.ended:
            return
    _show(coach, session, as_json, markdown, html)


def _practise(coach: Coach, session: Session, nudges: bool) -> Session:
    """The session after the user ended or paused it; it is kept after every turn, so that nothing is lost."""
    from coach.rehearsal.partner import streamed

    def speak(now: Session) -> None:
        shown = ""
        print(f"\n{now.partner}: ", end="", flush=True)
        for part in streamed(now.turns[-1].text):
            print(part[len(shown) :], end="", flush=True)
            shown = part
        print(f"\n{_ladder(now)}")

    for notice in session.notices:
        print(notice)
    print(HELP.format(name=session.partner))
    print(f"\n1 you: {session.turns[0].text}")
    speak(session)
    while not session.finished:
        try:
            line = input(f"\n{len(session.turns) + 1} you: ").strip()
        except (EOFError, KeyboardInterrupt):
            line = ":pause"
        command, _, rest = line.partition(" ")
        try:
            if command == ":end":
                break
            if command == ":pause":
                coach.practices.save(session)
                print(f"\nkept: coach rehearse --resume {session.id}")
                return session
            if command == ":nudge":
                print(session.nudge())
            elif command == ":ladder":
                print(_ladder(session))
            elif command == ":rewind" and rest.strip().isdigit():
                session = session.rewind(int(rest))
                speak(session)
            elif command.startswith(":"):
                print(HELP.format(name=session.partner))
            else:
                session = coach.say(session, line)
                coach.practices.save(session)
                speak(session)
                if nudges:
                    print(f"  {session.nudge()}")
        except InputError as error:
            print(error)
    ended = session.end()
    coach.practices.save(ended)
    return ended


def _ladder(session: Session) -> str:
    """Where every objection stands, one line each."""
    from coach.labels import STEPS
    from coach.rehearsal.debrief import height
    from coach.wording import snippet

    return "\n".join(
        f"  {'●' * (height(ladder) + 1):○<6} {STEPS[ladder.status]:13}"
        f"{'(guarded) ' if ladder.hardness else ''}{snippet(point.quote, 60)}"
        for point, ladder in zip(session.points, session.ladders, strict=True)
    )


def _show(coach: Coach, session: Session, as_json: bool, markdown: Path | None, html: Path | None) -> None:
    from coach import render

    made = coach.debrief(session)
    if markdown:
        write(markdown, render.debrief_markdown(made))
    if html:
        write(html, render.debrief_html(made))
    if as_json:
        print(made.model_dump_json(indent=1))
    elif not (markdown or html):
        _print(render.debrief_markdown(made))


def _after(made: After, as_json: bool) -> None:
    if as_json:
        print(made.model_dump_json(indent=1))
        return
    for notice in made.notices:
        print(notice)
    for point in made.points:
        print(f"{point.heard.replace('_', ' '):12} {point.attendee}: “{' '.join(point.quote.split())}”")
        print(f"{'':13}{point.why}")
        for words in point.evidence:
            print(f"{'':13}- {words}")


def _list(coach: Coach, as_json: bool) -> None:
    import json

    from coach.rehearsal.debrief import height

    rows = [
        {
            "id": s.id,
            "started": s.started,
            "partner": s.partner,
            "purpose": s.plan.purpose,
            "replies": sum(t.mine for t in s.turns) - 1,
            "rungs": sum(height(ladder) for ladder in s.ladders),
            "ended": s.ended,
        }
        for s in coach.practices.all()
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        state = "ended " if row["ended"] else "paused"
        print(f"{row['id']}  {str(row['started'])[:10]}  {state}  with {row['partner']}: {row['purpose']}")
    if not rows:
        print("no practice was kept: coach rehearse PLAN.yaml begins one")


def _replies(path: Path) -> tuple[str, ...]:
    """The replies in a file, one a line; raises :class:`InputError` for none and for too many."""
    from coach.rehearsal.session import MOST_TURNS

    blank = path.is_file() and not path.read_bytes().strip()
    lines = () if blank else tuple(line.strip() for line in read(str(path)).splitlines() if line.strip())
    if not lines:
        raise InputError(f"{path}: there is no reply in it. Write one reply a line.")
    most = MOST_TURNS // 2 - 1
    if len(lines) > most:
        raise InputError(f"{path}: {len(lines)} replies are more than a practice takes: give at most {most}.")
    return lines


def _print(text: str) -> None:
    """Markdown for a terminal, or as it is for a pipe."""
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.markdown import Markdown as Shown

    from coach.cli.terminal import console

    console().print(Shown(text))
