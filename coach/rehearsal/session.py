"""A practice as a value: ``session.say(text)`` is the session after the user's turn and the attendee's reply.

The moves are found in the words, the ladder is computed from the moves, and only then is a reply worded. Nothing is
ever changed in place: to rewind is to say something else to an earlier session, and the attempt that was left stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from pydantic import Field

from coach.errors import InputError
from coach.rehearsal.aim import content, nearness, speaks_to
from coach.rehearsal.brief import guess_need, hypotheses
from coach.rehearsal.ladder import RUNGS, Ladder, Status, Temperament, after
from coach.rehearsal.moves import DISMISSING, LISTENING, Move, MoveFound, find_moves
from coach.rehearsal.opening import words as coach_words
from coach.rehearsal.partner import Event, LocalVoice, Reply, Scene, Voice
from coach.rehearsal.plan import Plan
from coach.rehearsal.values import YOU, Brief, MoveMade, Point, Turn
from coach.schema import Value
from coach.topics import to_you, topic

LONGEST_REPLY = 4_000
MOST_TURNS = 400
MOST_POINTS = 4
PATIENCE = 5
"""Replies without a step up after which the attendee comes to another concern, if there is one."""

Classify = Callable[[str, Sequence[str]], Sequence[MoveFound]]
"""Finds the moves of a turn; the second argument are names that must not count."""


class Session(Value):
    """One practice with one attendee. ``attempts`` are the turns left behind by rewinding, oldest first.

    Turns alternate: the opening (turn 1), the attendee (2), the user (3) and so on. Names are real.
    """

    id: str = Field(default_factory=lambda: uuid4().hex[:10])
    started: str = ""
    plan: Plan
    partner: str
    temperament: Temperament = Temperament.RESERVED
    points: tuple[Point, ...]
    turns: tuple[Turn, ...] = ()
    attempts: tuple[tuple[Turn, ...], ...] = ()
    ended: bool = False
    engine: str = "local"
    notices: tuple[str, ...] = ()

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """Where each objection stands now."""
        return self.turns[-1].ladders if self.turns else tuple(Ladder() for _ in self.points)

    @property
    def about(self) -> int:
        """The index of the objection spoken of."""
        return self.turns[-1].about or 0 if self.turns else 0

    @property
    def finished(self) -> bool:
        """Whether every objection is integrated."""
        return all(ladder.status is Status.INTEGRATED for ladder in self.ladders)

    def say(self, text: str, voice: Voice | None = None, classify: Classify | None = None) -> Session:
        """The session after the user said this and the attendee answered.

        ``voice`` words the answer and ``classify`` finds the moves; the defaults need no model. Raises
        :class:`InputError` for nothing, for too much, and after the end.
        """
        said = " ".join(text.split())
        if self.ended:
            raise InputError("this practice has ended: rewind it to a turn, or start another one.")
        if not said:
            raise InputError("say something, in a sentence or two.")
        if len(said) > LONGEST_REPLY:
            raise InputError(f"that is {len(said)} characters: say it in fewer than {LONGEST_REPLY}.")
        if len(self.turns) >= MOST_TURNS:
            raise InputError(f"this practice has {MOST_TURNS} turns, which is the most: end it and see the debrief.")
        found = (classify or find_moves)(said, self.plan.attendees)
        heard = self._heard(said, [m.move for m in found])
        mine = Turn(
            turn=len(self.turns) + 1,
            speaker=YOU,
            text=said,
            moves=tuple(MoveMade(move=m.move, words=m.words) for m in found),
            about=heard.about,
            ladders=heard.ladders,
        )
        return self._with(mine)._answered(heard, voice or LocalVoice())

    def rewind(self, turn: int) -> Session:
        """The session before the user's turn of that number; what was said from there on is kept as an attempt."""
        mine = [t.turn for t in self.turns if t.mine and t.turn > 1]
        if turn not in mine:
            listed = ", ".join(map(str, mine)) or "none yet"
            raise InputError(f"turn {turn} is not one of yours: choose from {listed}.")
        return self._copied(turns=self.turns[: turn - 1], attempts=(*self.attempts, self.turns), ended=False)

    def end(self) -> Session:
        """The session, closed; :meth:`rewind` opens it again."""
        return self._copied(ended=True)

    def nudge(self) -> str:
        """A hint at what the objection needs next, tentative; for after a turn, if the user wants it."""
        texts, ladder, point = coach_words()["nudges"], self.ladders[self.about], self.points[self.about]
        if self.finished:
            return str(texts["finished"])
        key = "hardened" if ladder.hardness else ladder.status.value
        noun = topic(point.quote)
        return str(texts[key]).format(name=self.partner, topic=to_you(noun) if noun else "this")

    # Inside

    def _with(self, turn: Turn) -> Session:
        return self._copied(turns=(*self.turns, turn))

    def _copied(self, **changes: object) -> Session:
        return self.model_copy(update=changes)

    def _heard(self, text: str, moves: Sequence[Move]) -> _Heard:
        """What a turn does to the objection it speaks to."""
        names = self.plan.attendees
        about = self._aimed(text)
        reference = [self.points[about].quote, *(q.quote for q in self.points[about].quotes)]
        answers = [t.text for t in self.turns if not t.mine and t.about == about]
        # Words such as "fine, if that's decided" name no subject: whoever answers them is on it.
        on_topic = not any(map(content, reference)) or speaks_to(text, *reference, *answers, names=names)
        before = self.ladders[about]
        now = after(before, moves, on_topic=on_topic, temperament=self.temperament)
        ladders = (*self.ladders[:about], now, *self.ladders[about + 1 :])
        made = set(moves)
        event: Event = "nothing"
        if made & DISMISSING:
            event = "hardened"
        elif now.hardness < before.hardness:
            event = "softened"
        elif now.status is not before.status:
            event = "rose"
        elif made & {Move.PARAPHRASE, Move.INTEGRATE} and not on_topic:
            event = "off_topic"
        elif made & LISTENING:
            only_asks = made & LISTENING <= {Move.OPEN_QUESTION, Move.EXPLORE_NEED}
            event = "asked" if only_asks and now.status in (Status.ACKNOWLEDGED, Status.EXPLORED) else "again"
        worst = next((m for m in moves if m in DISMISSING), None)
        return _Heard(about, ladders, event, worst)

    def _aimed(self, text: str) -> int:
        """The objection a turn speaks to: the one under discussion, unless it is clearly nearer to another one."""
        current, names = self.about, self.plan.attendees
        if len(self.points) == 1:
            return 0
        near = [nearness(text, p.quote, names=names) + speaks_to(text, p.quote, names=names) for p in self.points]
        # Also one that has not come up yet: the user knows it from the brief, and takes it up unasked.
        best = max(range(len(near)), key=lambda n: near[n])
        return best if near[best] >= max(1.0, near[current] + 0.5) else current

    def _answered(self, heard: _Heard, voice: Voice) -> Session:
        following = self._following(heard)
        event: Event = "finished" if self.finished and heard.event in ("again", "nothing", "off_topic") else heard.event
        scene = Scene(
            attendee=self.partner,
            temperament=self.temperament,
            point=self.points[heard.about],
            status=heard.ladders[heard.about].status,
            event=event,
            move=heard.move,
            following=self.points[following] if following is not None else None,
            said=tuple((t.speaker, t.text) for t in self.turns),
            used=tuple(line for t in self.turns for line in t.lines),
        )
        reply = voice.reply(scene)
        return self._with(self._spoken(reply, heard.about if following is None else following, heard.ladders))

    def _following(self, heard: _Heard) -> int | None:
        """The concern to come to next, if any: after one was integrated, or when this one leads nowhere."""
        left = [n for n, ladder in enumerate(heard.ladders) if n != heard.about and ladder.status is Status.RAISED]
        fresh = [n for n in left if n not in {t.about for t in self.turns}]
        waiting = fresh or [n for n, x in enumerate(heard.ladders) if x.status is not Status.INTEGRATED]
        if heard.ladders[heard.about].status is Status.INTEGRATED:
            return next((n for n in waiting if n != heard.about), None) if heard.event == "rose" else None
        recent = [t for t in self.turns if t.mine and t.about == heard.about][-PATIENCE:]
        stuck = len(recent) == PATIENCE and all(
            RUNGS.index(t.ladders[heard.about].status) <= RUNGS.index(recent[0].ladders[heard.about].status)
            for t in recent
        )
        return fresh[0] if stuck and fresh else None

    def _spoken(self, reply: Reply, about: int, ladders: tuple[Ladder, ...]) -> Turn:
        return Turn(
            turn=len(self.turns) + 1,
            speaker=self.partner,
            text=reply.text,
            about=about,
            ladders=ladders,
            lines=reply.lines,
        )


@dataclass(frozen=True)
class _Heard:
    about: int
    ladders: tuple[Ladder, ...]
    event: Event
    move: Move | None


def start(
    plan: Plan,
    brief: Brief,
    *,
    attendee: str | None = None,
    temperament: Temperament = Temperament.RESERVED,
    voice: Voice | None = None,
    engine: str = "local",
    started: str = "",
) -> Session:
    """A practice with one attendee, after the opening and their first answer.

    Without ``attendee`` it is the one with most left unheard. Their concerns come from the ledger; where it holds none,
    from what the brief thinks likely and the plan fears, which a notice says. Raises :class:`InputError` for somebody
    who is not in the plan.
    """
    names = {person.name.casefold(): person for person in brief.attendees}
    if attendee is not None and attendee.casefold() not in names:
        raise InputError(f"{attendee} is not in the plan: choose from {', '.join(p.name for p in brief.attendees)}.")
    person = (
        names[attendee.casefold()]
        if attendee is not None
        else max(brief.attendees, key=lambda p: (sum(point.times for point in p.open), len(p.likely)))
    )
    points = person.open[:MOST_POINTS]
    notices: tuple[str, ...] = ()
    if not points:
        guesses = (*(one for one in person.likely), *hypotheses(plan))[:MOST_POINTS]
        points = tuple(
            Point(
                attendee=person.name,
                quote=guess.objection,
                quotes=guess.evidence,
                meeting=guess.evidence[0].meeting if guess.evidence else None,
                date=guess.evidence[0].date if guess.evidence else None,
                need=guess.need,
                origin=guess.origin,
            )
            for guess in guesses
        )
        notices = (coach_words()["practice"]["guessed"].format(name=person.name),)
    points = tuple(p.model_copy(update={"need": p.need or guess_need(p.quote)}) for p in points)
    empty = Session(
        plan=plan,
        partner=person.name,
        temperament=temperament,
        points=points,
        notices=notices,
        engine=engine,
        started=started,
    )
    opening = Turn(turn=1, speaker=YOU, text=plan.opening.strip(), about=0, ladders=empty.ladders)
    scene = Scene(
        attendee=person.name,
        temperament=temperament,
        point=points[0],
        status=Status.RAISED,
        event="raise",
        said=((YOU, opening.text),),
    )
    opened = empty._with(opening)
    return opened._with(opened._spoken((voice or LocalVoice()).reply(scene), 0, empty.ladders))
