"""Single questions to the model: other words for a sentence, and what attendees may object to a plan."""

from __future__ import annotations

from collections.abc import Sequence

from coach.anonymise import anonymise, restore
from coach.answers import LikelyObjection, LikelyObjections, Rewrites, Rewritten, inert
from coach.engine import Watch
from coach.fencing import marked, passage_lines
from coach.identities import Identities
from coach.llm.base import ChatModel
from coach.llm_engine.asking import Asker
from coach.schema import Conversation, Passage


def rewrites(
    words: str, model: ChatModel, identities: Identities, *, purpose: str = "", watch: Watch | None = None
) -> tuple[Rewritten, ...]:
    """Up to three tentative versions of ``words``, in real names; what leaves the machine holds pseudonyms only.

    ``purpose`` says what the words are for. Raises what :meth:`Asker.ask` raises.
    """
    said, grown = _pseudonymised(words, identities)
    aim, grown = _pseudonymised(purpose, grown)
    asker = Asker(model, grown)
    fenced = {"words": _lines(said), "context": _lines(aim)}
    answer = asker.ask("rewrite", Rewrites, fenced, watch).value
    return tuple(
        Rewritten(text=restore(inert(r.text), grown), opens=restore(inert(r.opens), grown))
        for r in answer.rewrites[:3]
        if inert(r.text)
    )


def likely_objections(
    plan: str,
    attendees: Sequence[str],
    earlier: Sequence[Passage],
    model: ChatModel,
    identities: Identities,
    *,
    watch: Watch | None = None,
) -> tuple[LikelyObjection, ...]:
    """What ``attendees`` (real names) may object to ``plan``, in real names; ``earlier`` numbers count from 1.

    Objections of somebody who is not coming are left out, and so are numbers of passages that do not exist.
    """
    grown = identities
    for name in attendees:
        grown = grown if grown.find(name) else grown.add(name)
    shown, grown = _pseudonymised(plan, grown)
    labels = {entity.label: name for name in attendees if (entity := grown.find(name)) is not None}
    fenced = {
        "plan": _lines(shown),
        "attendees": tuple(marked(n, label) for n, label in enumerate(labels, 1)),
        "earlier": passage_lines(earlier),
    }
    answer = Asker(model, grown).ask("likely_objections", LikelyObjections, fenced, watch).value
    kept = []
    for item in answer.objections:
        label = grown.canonical(item.attendee.strip())
        if label not in labels and label.casefold() != "anyone":
            continue
        texts = {field: restore(inert(getattr(item, field)), grown) for field in ("objection", "because", "ask")}
        numbers = [n for n in dict.fromkeys(item.earlier) if 0 < n <= len(earlier)]
        kept.append(item.model_copy(update={**texts, "attendee": labels.get(label, "anyone"), "earlier": numbers}))
    return tuple(kept)


def _pseudonymised(text: str, identities: Identities) -> tuple[str, Identities]:
    done = anonymise(Conversation(text=text, format="plain"), identities)
    return done.text, done.identities


def _lines(text: str) -> tuple[str, ...]:
    return tuple(marked(n, line) for n, line in enumerate(filter(str.strip, text.splitlines()), 1))
