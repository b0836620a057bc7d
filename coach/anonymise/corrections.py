"""What a user changes about the names in notes before anything is stored or sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

from coach.anonymise.pseudonyms import Anonymised, anonymise
from coach.errors import InputError
from coach.identities import EntityType, Identities
from coach.schema import Conversation, Value

TYPES: tuple[EntityType, ...] = tuple(kind for kind in get_args(EntityType) if kind != "literal")


Change = Literal["hide", "exempt", "merge", "split"]


class Correction(Value):
    """One change: *hide* ``one`` (``other`` is its type, a person unless given), *exempt* it from hiding, *merge*
    ``other`` into it as another spelling of the same, or *split* it off as somebody else's."""

    what: Change
    one: str
    other: str = ""


def corrected(identities: Identities, corrections: Sequence[Correction], texts: Sequence[str]) -> Identities:
    """The identities after these changes, in order. Raises :class:`InputError` for words that none of ``texts`` holds,
    a type that there is not, and for names that are not known."""
    for change in corrections:
        if change.what == "exempt":
            identities = identities.exempted(change.one)
        elif change.what == "hide":
            if not any(change.one in text for text in texts):
                raise InputError(f"“{change.one}” is not in the notes: copy it from there, letter for letter")
            identities = identities.add(change.one, type_of(change.other or "person"))
        elif change.what == "merge":
            identities = identities.merge(change.one, change.other)
        elif not _alone(identities, change.one):
            identities = identities.split(change.one, change.one)
    return identities


def corrected_in(
    conversations: Iterable[Conversation],
    known: Identities,
    corrections: Sequence[Correction],
    step: Callable[[], None] | None = None,
) -> Identities:
    """Who is who after some notes, one after the other, and then these changes: a name may be in any of the notes.
    ``step`` is called after each of them."""
    texts = []
    for conversation in conversations:
        known = anonymise(conversation, known).identities
        texts.append(conversation.text)
        if step is not None:
            step()
    return corrected(known, corrections, texts)


def type_of(name: str) -> EntityType:
    """The type of that name; raises :class:`InputError` if there is none."""
    for kind in TYPES:
        if kind == name.strip().casefold():
            return kind
    raise InputError(f"“{name}” is no type of name: choose from {', '.join(TYPES)}")


def anonymise_corrected(
    conversation: Conversation, known: Identities, corrections: Sequence[Correction] = ()
) -> Anonymised:
    """The conversation in pseudonyms with these changes made; see :func:`coach.anonymise.anonymise`."""
    # Names are known only after a first pass; changes about them need a second one.
    return anonymise(conversation, corrected_in([conversation], known, corrections) if corrections else known)


def _alone(identities: Identities, spelling: str) -> bool:
    """Whether a spelling is nobody else's already, as after the same change before."""
    entity, folded = identities.find(spelling), spelling.casefold()
    return entity is not None and all(form.text.casefold() == folded for form in entity.forms)
