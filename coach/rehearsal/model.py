"""A rehearsal with a model: it guesses objections, softens the opening, names moves and lends the attendee its words.

It decides nothing: a move counts only if the words are there and the small classifier does not speak against it, the
ladder stays with the code, and a reply that leaves its role or concedes what was not earned is not used. Only
pseudonyms leave the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coach.anonymise import restore
from coach.answers import MovesSaid, PartnerReply, inert
from coach.errors import BudgetError, LeakError, ModelError
from coach.fencing import marked
from coach.lexicon import fold
from coach.llm_engine.asking import Asker
from coach.llm_engine.assisting import likely_objections, rewrites
from coach.rehearsal.ladder import RUNGS, Status
from coach.rehearsal.moves import THRESHOLD, Move, MoveFound, find_moves, move_scores
from coach.rehearsal.partner import LocalVoice, Reply, Scene, forbidden
from coach.rehearsal.values import YOU, Likely

if TYPE_CHECKING:
    from coach.identities import Identities
    from coach.llm.base import ChatModel
    from coach.rehearsal.plan import Plan
    from coach.rehearsal.session import Session
    from coach.schema import Passage

SECONDED = 0.12
"""Probability that the classifier must give a move before the model's word for it counts."""

LONGEST_REPLY = 70  # words
SHOWN_TURNS = 12
_FAILURES = (ModelError, BudgetError, LeakError)


@dataclass(frozen=True)
class Asking:
    """The questions of a rehearsal to one model; ``identities`` loads who is who before each."""

    model: ChatModel
    identities: Callable[[], Identities]

    def objections(self, plan: Plan, earlier: Sequence[Passage]) -> tuple[Likely, ...]:
        """What those who come may object, as the model guesses."""
        text = "\n".join((plan.purpose, plan.opening, *plan.fears))
        found = likely_objections(text, plan.attendees, earlier, self.model, self.identities())
        return tuple(
            Likely(
                attendee=one.attendee,
                objection=one.objection,
                because=one.because,
                ask=one.ask,
                need=one.need,
                origin="model",
            )
            for one in found
        )

    def opening(self, plan: Plan) -> str | None:
        """The whole opening in tentative words, or None when the model has none."""
        found = rewrites(plan.opening, self.model, self.identities(), purpose=plan.purpose)
        return found[0].text if found else None

    def moves(self, text: str, names: Sequence[str] = ()) -> tuple[MoveFound, ...]:
        """The classifier's moves, and those of the model that the classifier finds possible; without it, the former.

        A dismissal by either counts. A listening move of the model counts nothing beside a dismissal in its sentence.
        """
        local = find_moves(text, names)
        safe, known = _pseudonymised(text, names, self.identities())
        try:
            answer = Asker(self.model, known).ask("moves", MovesSaid, {"turn": [marked(1, safe)]}).value
        except _FAILURES:
            return local
        found = list(local)
        for said in answer.moves:
            words, move = restore(said.words, known).strip(), Move(said.move)
            start = text.find(words)
            if not words or start < 0 or any(m.move is move for m in found):
                continue
            score = move_scores(words, names)[move]
            if SECONDED <= score < THRESHOLD:
                found.append(MoveFound(move, words, start, start + len(words), round(score, 3)))
        return tuple(sorted(found, key=lambda m: m.start))

    def voice(self, session: Session) -> ModelVoice:
        """The voice of the attendee of this practice."""
        return ModelVoice(self.model, self.identities(), session.plan.attendees)


@dataclass(frozen=True)
class ModelVoice:
    """Asks a model to say what the local voice would say, in other words; the local words when it can't or won't."""

    model: ChatModel
    identities: Identities
    names: Sequence[str] = ()

    def reply(self, scene: Scene) -> Reply:
        """The attendee's reply; ``source`` says whose words they are."""
        draft = LocalVoice().reply(scene)
        try:
            said = self._asked(scene, draft)
        except _FAILURES:
            return draft
        return Reply(said, draft.lines, source=self.model.name) if in_role(said, scene) else draft

    def _asked(self, scene: Scene, draft: Reply) -> str:
        known, label = self.identities, scene.attendee
        quotes = [scene.point.quote, *(q.quote for q in scene.point.quotes)]
        said = [f"{'the other' if who == YOU else who}: {text}" for who, text in scene.said[-SHOWN_TURNS:]]
        lines, known = _pseudonymised_lines([label, *quotes, *said, draft.text], self.names, known)
        own, told = lines[1 : 1 + len(quotes)], lines[1 + len(quotes) : -1]
        asker = Asker(self.model, known, max_tokens=400)
        fenced = {
            "quotes": [marked(n, line) for n, line in enumerate(dict.fromkeys(own), 1)],
            "conversation": [marked(n, line) for n, line in enumerate(told, 1)],
            "draft": [marked(1, lines[-1])],
        }
        plain = {"attendee": lines[0], "temperament": scene.temperament.value, "standing": scene.status.value}
        answer = asker.send(asker.request("partner", fenced, plain), PartnerReply).value
        return restore(inert(answer.reply), known)


def in_role(reply: str, scene: Scene) -> bool:
    """Whether a reply may be spoken: in the attendee's role, conceding nothing unearned, new, and quoting only them."""
    said = fold(reply).strip()
    if not said or len(said.split()) > LONGEST_REPLY or said in {fold(text) for _, text in scene.said}:
        return False
    if re.match(r"\W*(?:you|user|me|manager|assistant|the other|narrator)\s*:", said):
        return False
    kinds = ["never"]
    height = RUNGS.index(scene.status)
    kinds += [f"before_{rung.value}" for rung in (Status.EXPLORED, Status.CONFIRMED, Status.INTEGRATED)
              if height < RUNGS.index(rung)]  # fmt: skip
    if scene.event == "hardened":
        kinds.append("after_dismissal")
    if any(forbidden(kind).search(said) for kind in kinds):
        return False
    own = fold(" ".join((scene.point.quote, *(q.quote for q in scene.point.quotes), *(text for _, text in scene.said))))
    quoted = re.findall(r"[\"“]([^\"“”]+)[\"”]", reply)
    return all(fold(part).strip(" .!?…,") in own for part in quoted)


def _pseudonymised(text: str, names: Sequence[str], identities: Identities) -> tuple[str, Identities]:
    lines, known = _pseudonymised_lines([text], names, identities)
    return lines[0], known


def _pseudonymised_lines(
    lines: Sequence[str], names: Sequence[str], identities: Identities
) -> tuple[list[str], Identities]:
    """The lines in pseudonyms, one each, with everybody of the plan known."""
    from coach.anonymise import anonymise
    from coach.schema import Conversation

    known = identities
    for name in names:
        known = known if known.find(name) else known.add(name)
    done = anonymise(Conversation(text="\n".join(" ".join(line.split()) for line in lines), format="plain"), known)
    return done.text.split("\n"), done.identities
