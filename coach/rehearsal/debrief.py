"""Session -> Debrief: how far each objection was heard, and what to try next time. Every claim names a turn.

Kind, concrete and tentative: it speaks of turns and words, never of what kind of person said them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from coach.labels import MOVES, STEPS
from coach.lexicon import cues, scope
from coach.rehearsal.ladder import LIFTS, RUNGS, Ladder, Status
from coach.rehearsal.moves import DISMISSING, LISTENING, Move
from coach.rehearsal.opening import words as coach_words
from coach.rehearsal.session import Session
from coach.rehearsal.values import (
    Attempt,
    Counts,
    Debrief,
    ObjectionHeard,
    Point,
    Redo,
    Remark,
    StepMade,
    Turn,
    TurnShown,
)
from coach.topics import to_you, topic
from coach.wording import snippet

QUESTIONS = (Move.OPEN_QUESTION, Move.EXPLORE_NEED, Move.CHECK_BACK, Move.LEADING_QUESTION)
MOST_REMARKS = 6


def make_debrief(session: Session, earlier: Iterable[Session] = ()) -> Debrief:
    """The debrief of a practice, ended or not. ``earlier`` are other practices: those with the same person count as
    progress."""
    texts = coach_words()["debrief"]
    replies = _replies(session.turns)
    best = _best(session, replies)
    notices = (*session.notices, *(() if replies else (texts["none"],)))
    return Debrief.model_validate(
        {
            "engine": session.engine,
            "partner": session.partner,
            "temperament": session.temperament,
            "objections": tuple(_objection(session, n) for n in range(len(session.points))),
            "turns": tuple(
                TurnShown(turn=t.turn, speaker=t.speaker, text=t.text, moves=t.moves) for t in session.turns
            ),
            "best_turn": best[0].turn if best else None,
            "best_why": best[1] if best else "",
            "redo": _redo(session, replies),
            "counts": _counts(session, replies),
            "remarks": _remarks(session, replies),
            "progress": _progress(session, earlier),
            "ladder": tuple(tuple(ladder.status for ladder in t.ladders) for t in session.turns),
            "notices": notices,
        }
    )


def height(ladder: Ladder | Status) -> int:
    """The number of rungs climbed, 0 (raised) to 5 (integrated)."""
    return RUNGS.index(ladder.status if isinstance(ladder, Ladder) else ladder)


def _replies(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The user's turns after the opening."""
    return tuple(t for t in turns if t.mine and t.turn > 1)


def _objection(session: Session, index: int) -> ObjectionHeard:
    point, steps = session.points[index], []
    for before, turn in zip(session.turns, session.turns[1:], strict=False):
        if turn.mine and turn.ladders[index].status is not before.ladders[index].status:
            move = _doing(turn, before.ladders[index], turn.ladders[index])
            steps.append(StepMade(turn=turn.turn, status=turn.ladders[index].status, move=move))
    return ObjectionHeard(
        attendee=point.attendee,
        quote=point.quote,
        meeting=point.meeting,
        date=point.date,
        origin=point.origin,
        status=session.ladders[index].status,
        steps=tuple(steps),
    )


def _doing(turn: Turn, before: Ladder, now: Ladder) -> Move:
    """The move of a turn that took an objection from one rung to another."""
    made = [m.move for m in turn.moves]
    if height(now) < height(before):
        return next(m for m in made if m in DISMISSING)
    below = RUNGS[height(now) - 1]
    return next((m for m in made if m in LIFTS[below]), next(m for m in made if m in LISTENING))


def _change(session: Session, turn: Turn) -> int:
    """Rungs won or lost by a turn, hardness counted as half a rung lost; in halves."""
    before = session.turns[turn.turn - 2].ladders
    rungs = sum(height(now) - height(old) for old, now in zip(before, turn.ladders, strict=True))
    hard = sum(now.hardness - old.hardness for old, now in zip(before, turn.ladders, strict=True))
    return 2 * rungs - hard


def _best(session: Session, replies: Sequence[Turn]) -> tuple[Turn, str] | None:
    texts = coach_words()["debrief"]["best"]
    ranked = sorted(
        (t for t in replies if any(m.move in LISTENING for m in t.moves) and _change(session, t) >= 0),
        # A confirmation is worth more than any other rung: it is the person themselves who says it.
        key=lambda t: (_change(session, t) + 2 * _confirmed(session, t), -t.turn),
    )
    if not ranked:
        return None
    turn = ranked[-1]
    point = session.points[turn.about or 0]
    status = turn.ladders[turn.about or 0].status
    listening = [MOVES[m.move] for m in turn.moves if m.move in LISTENING]
    key = "rose" if _change(session, turn) > 0 else "kind"
    return turn, texts[key].format(
        turn=turn.turn,
        topic=_topic(point),
        status=STEPS[status],
        move=" and ".join(dict.fromkeys(listening)),
    )


def _confirmed(session: Session, turn: Turn) -> bool:
    before = session.turns[turn.turn - 2].ladders
    return any(
        height(old) < height(Status.CONFIRMED) <= height(now) for old, now in zip(before, turn.ladders, strict=True)
    )


def _redo(session: Session, replies: Sequence[Turn]) -> Redo | None:
    """The turn that cost most, or else the first that moved nothing; None when every turn did something."""
    texts = coach_words()["debrief"]
    worst = min(replies, key=lambda t: (_change(session, t), t.turn), default=None)
    if worst is None or _change(session, worst) > 0:
        return None
    index = worst.about or 0
    before = session.turns[worst.turn - 2].ladders[index]
    if before.status is Status.INTEGRATED:
        return None
    dismissal = next((m for m in worst.moves if m.move in DISMISSING), None)
    if dismissal is not None:
        why = texts["redo"]["lost"].format(
            turn=worst.turn,
            name=session.partner,
            words=snippet(dismissal.words)[1:-1],
            move=MOVES[dismissal.move],
        )
    else:
        why = texts["redo"]["nothing"].format(turn=worst.turn, name=session.partner)
    return Redo(turn=worst.turn, suggestion=suggestion(session.points[index], before), why=why)


def suggestion(point: Point, ladder: Ladder) -> str:
    """Words that might do for an objection where it stands; the user will find better ones."""
    texts = coach_words()
    key = "hardened" if ladder.hardness else ladder.status.value
    need = texts["need_words"][point.need or "being_heard"]
    return str(texts["debrief"]["suggestion"][key].format(topic=_topic(point, to=True), need=need))


def _counts(session: Session, replies: Sequence[Turn]) -> Counts:
    made = Counter(m.move for t in replies for m in t.moves)
    own = sum(len(t.text.split()) for t in replies)
    theirs = sum(len(t.text.split()) for t in session.turns if not t.mine)
    strong = sum(len(_strong(t)) for t in replies)
    return Counts(
        replies=len(replies),
        listening=sum(made[m] for m in LISTENING),
        dismissing=sum(made[m] for m in DISMISSING),
        questions=sum(t.text.count("?") for t in replies),
        open_questions=made[Move.OPEN_QUESTION] + made[Move.EXPLORE_NEED],
        words=own,
        share_of_words=round(own / max(1, own + theirs), 3),
        categorical_per_100_words=round(100 * strong / max(1, own), 2),
        moves={m.value: made[m] for m in Move if made[m]},
    )


def _strong(turn: Turn) -> list[str]:
    """Categorical words of the user's own: not those of a sentence that gives back what the other said."""
    from coach.rehearsal.opening import sentences_of

    back = [m.words for m in turn.moves if m.move in (Move.PARAPHRASE, Move.CHECK_BACK)]
    return [
        cue.text.strip()
        for sentence in sentences_of(turn.text)
        if not any(sentence.text.strip() in words or words in sentence.text for words in back)
        for cue in cues(sentence.text)
        if cue.kind == "categorical" and scope(sentence.text, cue) is None
    ]


def _remarks(session: Session, replies: Sequence[Turn]) -> tuple[Remark, ...]:
    """What else is worth taking along, in the order of turns."""
    texts, found = coach_words()["debrief"]["remark"], []
    name = session.partner
    for turn in replies:
        about = turn.about or 0
        before, now = session.turns[turn.turn - 2].ladders[about], turn.ladders[about]
        made = {m.move for m in turn.moves}
        noun = _topic(session.points[about])
        if _confirmed(session, turn):
            found.append(Remark(turn=turn.turn, text=texts["reached"].format(name=name, topic=noun)))
        elif Move.ADVISE in made or (Move.INTEGRATE in made and height(before) < height(Status.CONFIRMED)):
            found.append(Remark(turn=turn.turn, text=texts["advice_early"]))
        elif made & {Move.OPEN_QUESTION, Move.EXPLORE_NEED} and height(now) > height(before):
            found.append(Remark(turn=turn.turn, text=texts["open_question"].format(name=name)))
        if strong := _strong(turn):
            found.append(Remark(turn=turn.turn, text=texts["categorical"].format(words=f"“{strong[0]}”")))
    counts = _counts(session, replies)
    if counts.share_of_words > 0.6:
        longest = max(replies, key=lambda t: len(t.text.split()))
        share = round(100 * counts.share_of_words)
        found.append(Remark(turn=longest.turn, text=texts["share"].format(share=share, turn=longest.turn)))
    kept = sorted(found[:MOST_REMARKS], key=lambda r: r.turn)
    raised = {t.about for t in session.turns}
    for index, point in enumerate(session.points):
        if index not in raised and session.turns:
            text = texts["never"].format(quote=snippet(point.quote)[1:-1], name=name)
            kept.append(Remark(turn=session.turns[-1].turn, text=text))
    return tuple(kept)


def _progress(session: Session, earlier: Iterable[Session]) -> tuple[Attempt, ...]:
    """Earlier practices with the same person, then the attempts of this one, then how it stands now."""
    texts = coach_words()["debrief"]
    same = [s for s in earlier if s.id != session.id and s.partner.casefold() == session.partner.casefold()]
    rows = [
        _attempt(texts["earlier"].format(date=s.started[:10] or "?"), s.turns)
        for s in sorted(same, key=lambda s: s.started)
        if _replies(s.turns)
    ]
    rows += [_attempt(texts["attempt"].format(n=n), turns) for n, turns in enumerate(session.attempts, 1)]
    return (*rows, _attempt(texts["this"], session.turns)) if rows else ()


def _attempt(label: str, turns: Sequence[Turn]) -> Attempt:
    replies, ladders = _replies(turns), turns[-1].ladders
    made = [m.move for t in replies for m in t.moves]
    return Attempt(
        label=label,
        replies=len(replies),
        rungs=sum(height(ladder) for ladder in ladders),
        statuses=tuple(ladder.status for ladder in ladders),
        listening=sum(m in LISTENING for m in made),
        dismissing=sum(m in DISMISSING for m in made),
    )


def _topic(point: Point, *, to: bool = False) -> str:
    """What a concern is about, named to its speaker (``to``) or to the user; its own words when no noun is plain."""
    from coach.topics import about

    noun = topic(point.quote)
    if noun:
        return to_you(noun) if to else about(noun)
    return f"what you said ({snippet(point.quote, 50)})" if to else snippet(point.quote, 50)
