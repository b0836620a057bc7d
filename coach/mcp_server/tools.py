"""The tools: what a client may ask for, and how long its words may be."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ToolAnnotations
from pydantic import Field

from coach.concerns import Concern, Mark
from coach.engine import Watch
from coach.errors import InputError
from coach.mcp_server.desk import Desk
from coach.mcp_server.values import (
    Anonymisation,
    Concerns,
    Passages,
    PracticeTurn,
    Replaced,
    Tentative,
    practice_turn,
)
from coach.pseudonymous import changed
from coach.rehearsal.ladder import Temperament
from coach.rehearsal.plan import Plan
from coach.rehearsal.session import LONGEST_REPLY
from coach.rehearsal.values import Brief
from coach.retrieval.catalogue import Entry
from coach.schema import Review
from coach.settings import EngineChoice

READS = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
WRITES = ToolAnnotations(readOnlyHint=False, destructiveHint=False, openWorldHint=False)

Notes = Annotated[str, Field(description="Meeting notes or a transcript, in any format that coach review reads.")]
Format = Annotated[
    str | None, Field(max_length=100, description="Name of a note format; found out by itself if not given.")
]
Attendee = Annotated[
    str | None, Field(max_length=200, description="Only of this person: a name, or a pseudonym from an answer.")
]
Id = Annotated[str, Field(max_length=100)]
Day = Annotated[str, Field(max_length=40)]
Title = Annotated[str, Field(max_length=500)]
Short = Annotated[str, Field(max_length=200)]


def add_reviewing(server: FastMCP[None], desk: Desk) -> None:
    @server.tool(title="Review meeting notes", annotations=READS)
    async def review_notes(
        text: Notes, context: Context[Any, Any, Any], format: Format = None, engine: EngineChoice | None = None
    ) -> Review:
        """Point out unheard objections, unaddressed needs and categorical phrasing in meeting notes.

        start and end are code points of the text as given; quotes show pseudonyms.
        """

        def work(watch: Watch) -> Review:
            done = desk.coach.review(text, engine=engine, format=format, watch=watch)
            people = None if desk.names else desk.coach.anonymise(text, format=format, keep=desk.write).identities
            return desk.shown(done, people)

        return await desk.run(work, context)

    @server.tool(title="Say it tentatively", annotations=READS)
    async def rewrite_tentatively(
        sentence: Annotated[str, Field(min_length=1, max_length=2_000, description="One sentence.")],
    ) -> Tentative:
        """A tentative version of a sentence that sounds categorical, and a question that opens it up."""
        from coach.rewriting import question, rewrite

        def work(_: Watch) -> Tentative:
            return desk.shown(Tentative(sentence=sentence, rewrite=rewrite(sentence), ask=question(sentence)))

        return await desk.run(work)

    @server.tool(title="Replace names by pseudonyms", annotations=READS)
    async def anonymise(text: Notes, format: Format = None) -> Anonymisation:
        """The notes in pseudonyms, the same as in earlier meetings, and which stretches were replaced."""

        def work(_: Watch) -> Anonymisation:
            done = desk.coach.anonymise(text, format=format, keep=desk.write)
            rows = tuple(Replaced(start=r.start, end=r.end, type=r.type, pseudonym=r.pseudonym) for r in done.replaced)
            return Anonymisation(text=done.text, replaced=rows)

        return await desk.run(work)


def add_remembering(server: FastMCP[None], desk: Desk) -> None:
    @server.tool(title="Search the library", annotations=READS)
    async def search_library(
        query: Annotated[str, Field(max_length=2_000, description="In your own words; empty lists the newest.")],
        k: Annotated[int, Field(ge=1, le=50, description="How many passages.")] = 8,
        attendee: Attendee = None,
        since: Annotated[Day | None, Field(description="From this date, month or year on.")] = None,
        until: Annotated[Day | None, Field(description="Up to and with this date, month or year.")] = None,
        meeting: Annotated[Id | None, Field(description="Only in the meeting with this id.")] = None,
    ) -> Passages:
        """Find what was said in earlier meetings, by words and by meaning."""

        def work(_: Watch) -> Passages:
            library = desk.coach.library
            hits = library.search(query, k=k, attendee=attendee, since=since, until=until, meeting=meeting)
            return desk.shown(Passages(passages=hits))

        return await desk.run(work)

    @server.tool(title="Open objections", annotations=READS)
    async def open_objections(attendee: Attendee = None) -> Concerns:
        """Objections and needs from earlier meetings that nobody has taken up yet, with their history; beside them
        those that went unheard once and were answered since."""

        def work(_: Watch) -> Concerns:
            ledger = desk.coach.ledger
            return desk.shown(Concerns(concerns=ledger.open(attendee), answered=ledger.answered(attendee)))

        return await desk.run(work)


def add_preparing(server: FastMCP[None], desk: Desk) -> None:
    @server.tool(title="Brief me for a meeting", annotations=READS)
    async def brief_meeting(plan: Plan, engine: EngineChoice | None = None) -> Brief:
        """What those who come were never answered on, how the planned opening may sound to them, and what to ask."""
        return await desk.run(lambda _: desk.shown(desk.coach.brief(changed(plan, desk.meant), engine=engine)))

    @server.tool(title="Practise with an attendee", annotations=READS)
    async def rehearse_turn(
        plan: Annotated[Plan | None, Field(description="Starts a practice; its opening is your first turn.")] = None,
        practice: Annotated[Id | None, Field(description="Id from the last answer, to go on.")] = None,
        say: Annotated[
            str | None, Field(max_length=LONGEST_REPLY, description="Your next turn, in your own words.")
        ] = None,
        attendee: Annotated[Short | None, Field(description="With whom; else with whoever was heard least.")] = None,
        temperament: Temperament = Temperament.RESERVED,
        end: Annotated[bool, Field(description="End it and get the debrief.")] = False,
        engine: EngineChoice | None = None,
    ) -> PracticeTurn:
        """One turn of a practice with a simulated attendee: start with a plan, go on with practice and say, then end.

        Nothing is kept on disk; a practice is forgotten when the server ends.
        """

        def work(_: Watch) -> PracticeTurn:
            if (plan is None) == (practice is None):
                raise InputError("give a plan to start a practice, or the practice to go on with")
            if plan is not None:
                who = desk.meant(attendee) if attendee else None
                real = changed(plan, desk.meant)
                session = desk.coach.rehearse(real, attendee=who, temperament=temperament, engine=engine)
            else:
                session = desk.practice(practice or "")
            if say is not None:
                session = desk.coach.say(session, desk.meant(say))
            session = desk.keep(session.end() if end else session)
            return desk.shown(practice_turn(session, desk.coach.debrief(session) if end else None))

        return await desk.run(work)


def add_writing(server: FastMCP[None], desk: Desk) -> None:
    @server.tool(title="Keep meeting notes", annotations=WRITES)
    async def keep_notes(
        text: Notes,
        title: Title | None = None,
        date: Annotated[Day | None, Field(description="Date of the meeting, such as 2026-05-03.")] = None,
        attendees: Annotated[tuple[Short, ...], Field(max_length=500)] = (),
        tags: Annotated[tuple[Short, ...], Field(max_length=100)] = (),
        format: Format = None,
    ) -> Entry:
        """Keep notes in the library, pseudonymised, and follow what went unheard in them."""

        def work(_: Watch) -> Entry:
            entry = desk.coach.keep(text, title=title, date=date, attendees=attendees, tags=tags, format=format)
            return desk.shown(entry)

        return await desk.run(work)

    @server.tool(title="Mark what became of an objection", annotations=WRITES)
    async def mark_objection(
        concern: Annotated[Id, Field(description="Id from open_objections.")],
        status: Mark,
        note: Annotated[str | None, Field(max_length=2_000)] = None,
    ) -> Concern:
        """Say how far an objection has been heard since, that it is none, or that it is open again."""
        return await desk.run(lambda _: desk.shown(desk.coach.ledger.mark(concern, status, note=note)))
