"""After the real meeting: which of the prepared objections its notes show as heard.

The same ladder as in the practice, with the others' turns as moves: where an objection comes up, whoever answers it in
the next few turns, or comes back to its subject later, can lift it; nobody lifts their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from coach.lexicon import fold, has
from coach.rehearsal.aim import nearness, speaks_to
from coach.rehearsal.ladder import RUNGS, Ladder, Status, Temperament, after
from coach.rehearsal.moves import DISMISSING, Move, find_moves
from coach.rehearsal.opening import words as coach_words
from coach.rehearsal.values import After, AfterPoint, Brief, Heard, Point
from coach.schema import Conversation, Utterance
from coach.wording import plain_name, snippet

WITHIN = 3  # turns after which an answer needs the subject's own words to count
ON_SUBJECT = 0.35
"""Cosine from which a turn without a shared word is about an objection; stricter than in a practice, where the subject
is known."""


def after_meeting(brief: Brief, conversation: Conversation) -> After:
    """What became of each open objection of the brief in this meeting, in the order of the brief."""
    turns = tuple(u for u in conversation.utterances if u.role in ("speech", "narration"))
    points = tuple(point for person in brief.attendees for point in person.open)
    texts = coach_words()["after"]
    return After(
        meeting=conversation.title,
        date=conversation.date,
        points=tuple(_became(point, turns, conversation, brief) for point in points),
        notices=() if points else (texts["nothing"],),
    )


def _became(point: Point, turns: Sequence[Utterance], conversation: Conversation, brief: Brief) -> AfterPoint:
    names = [person.name for person in brief.attendees]
    texts = coach_words()["after"]
    reference = [point.quote, *(q.quote for q in point.quotes)]
    ladder, since, raised, evidence = Ladder(), WITHIN + 1, False, list[str]()
    for turn in turns:
        said = " ".join(conversation.words(turn).split())
        near = speaks_to(said, *reference, names=names) and _close(said, reference, names)
        if _speaks(turn, point.attendee):
            raised, since = raised or near, 0 if near else since + 1
            if near:
                evidence.append(_shown(turn, said))
            # A yes right after somebody said it back is the confirmation itself.
            if ladder.status is Status.EXPLORED and has(said, "assent", "agreed", "committed") and since <= WITHIN:
                ladder = Ladder(Status.CONFIRMED)
            continue
        since += 1
        if not near and since > WITHIN:
            continue
        moves = [m.move for m in find_moves(said, names)]
        if Move.INTEGRATE in moves and not set(moves) & DISMISSING and near:
            ladder = Ladder(Status.INTEGRATED)
        else:
            ladder = after(ladder, moves, on_topic=near, temperament=Temperament.BLUNT)
        if moves or near:
            evidence.append(_shown(turn, said))
    there = any(_speaks(turn, point.attendee) for turn in turns) or any(
        fold(point.attendee) in fold(a.name) for a in conversation.attendees if a.present
    )
    heard = _verdict(ladder, raised)
    key = "absent" if heard == "not_raised" and not there else heard
    return AfterPoint(
        attendee=point.attendee,
        quote=point.quote,
        heard=heard,
        status=ladder.status,
        why=texts[key].format(name=point.attendee),
        evidence=tuple(evidence[:4]),
    )


def _verdict(ladder: Ladder, raised: bool) -> Heard:
    height = RUNGS.index(ladder.status)
    if height >= RUNGS.index(Status.CONFIRMED):
        return "heard"
    if height > 0:
        return "partly"
    return "passed_over" if raised else "not_raised"


def _close(said: str, reference: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a turn is about an objection, with a shared word and some nearness, or with a lot of it."""
    return nearness(said, *reference, names=names) >= ON_SUBJECT - 0.2


def _speaks(turn: Utterance, name: str) -> bool:
    if not turn.speaker:
        return False
    speaker, wanted = fold(plain_name(turn.speaker)), fold(name)
    return speaker == wanted or speaker in wanted.split() or wanted in speaker.split()


def _shown(turn: Utterance, said: str) -> str:
    return f"{turn.speaker}: {snippet(said, 120)}" if turn.speaker else snippet(said, 120)
