"""Names in a question or a quote, replaced by the pseudonyms that the library knows them under."""

from __future__ import annotations

from coach.anonymise.guard import known_in
from coach.identities import Identities
from coach.identities.index import without_overlaps
from coach.identities.value import SHAPE


def pseudonymised(text: str, identities: Identities) -> str:
    """The text with everyone known named by entity (``Person A``); it passes the leak check.

    It finds what is known and no new names, in microseconds: for notes there is :func:`coach.anonymise.anonymise`.
    """
    made, at = "", 0
    for match in without_overlaps([*known_in(text, identities), *identities.index.matches(text)]):
        if identities.is_exempt(text[match.start : match.end]):
            continue
        entity = identities.find(match.owner or text[match.start : match.end])
        made += text[at : match.start] + (entity.label if entity else _somebody(match.type))
        at = match.end
    return made + text[at:]


def pseudonyms(name: str, identities: Identities) -> tuple[str, ...]:
    """Every pseudonym under which someone may stand in stored text, first the one for display; empty when unknown."""
    wanted = name.strip()
    entity = identities.find(wanted) or identities.find(pseudonymised(wanted, identities))
    if entity is None:
        return (wanted,) if SHAPE.fullmatch(wanted) else ()
    return tuple(dict.fromkeys((entity.label, *(form.pseudonym for form in entity.forms))))


def _somebody(type: str) -> str:
    """What stands for a name that several people share, or for a number nobody is known by."""
    return "someone" if type == "person" else f"a {type.replace('_', ' ')}"
