"""What a user changes about the names in notes before anything is stored or sent."""

from __future__ import annotations

from collections.abc import Sequence
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


def corrected(identities: Identities, corrections: Sequence[Correction], text: str) -> Identities:
    """The identities after these changes, in order. Raises :class:`InputError` for words that ``text`` does not hold,
    a type that there is not, and for names that are not known."""
    for change in corrections:
        if change.what == "exempt":
            identities = identities.exempted(change.one)
        elif change.what == "hide":
            if change.one not in text:
                raise InputError(f"“{change.one}” is not in the notes: copy it from there, letter for letter")
            identities = identities.add(change.one, type_of(change.other or "person"))
        elif change.what == "merge":
            identities = identities.merge(change.one, change.other)
        else:
            identities = identities.split(change.one, change.one)
    return identities


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
    done = anonymise(conversation, known)
    if not corrections:
        return done
    # Names are known only after a first pass; changes about them need a second one.
    return anonymise(conversation, corrected(done.identities, corrections, conversation.text))
