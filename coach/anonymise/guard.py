"""The leak check: the one gate through which every string passes before it leaves the machine or is stored in clear."""

from __future__ import annotations

from collections.abc import Iterator

from coach.anonymise.context import glossary_terms
from coach.anonymise.patterns import leaks
from coach.errors import LeakError
from coach.identities import Identities
from coach.identities.index import Match, without_overlaps
from coach.identities.value import SHAPE


def leak_check(text: str, identities: Identities, where: str) -> str:
    """The text, unchanged, if it holds no known identity; else raises :class:`LeakError`.

    The error names the kind of leak and ``where``, never the value. Known are: every spelling of every entity that is
    not exempt, what can be derived from a person's name, the user's glossary, and whatever has the form of an e-mail
    address, telephone number, payment card or IBAN.
    """
    found = next(iter(leaks_in(text, identities)), None)
    if found is not None:
        kind = found.type.replace("_", " ")
        raise LeakError(
            f"{where}: a real {kind} was about to leave. Nothing was sent; anonymise the text again, or exempt it."
        )
    return text


def leaks_in(text: str, identities: Identities) -> list[Match]:
    """Every leak in the text, in order; for ``coach anonymise --check`` and for tests."""
    return without_overlaps(known_in(text, identities))


def known_in(text: str, identities: Identities) -> Iterator[Match]:
    """What may not leave, overlaps included."""
    # Pseudonyms in use are no leak, even if their letters are someone's initials; blanks keep all offsets.
    text = SHAPE.sub(lambda m: " " * len(m.group()) if m.group() in identities.owners else m.group(), text)
    for match in leaks(text):
        if not identities.is_exempt(text[match.start : match.end]):
            yield match
    for match in identities.index.matches(text, strict=True):
        if not identities.is_exempt(text[match.start : match.end]):
            yield match
    for match in glossary_terms(text, identities):
        if not identities.is_exempt(text[match.start : match.end]):
            yield match
    for match in _verbatim(text, identities):
        if not identities.is_exempt(text[match.start : match.end]):
            yield match


def _verbatim(text: str, identities: Identities) -> Iterator[Match]:
    """Handles, addresses and numbers that were met before, word for word."""
    exact = identities.exact
    if not exact:
        return
    for match in exact.finditer(text):
        yield Match(match.start(), match.end(), identities.exact_types[match.group()], None)
