"""Forgetting a person: what the coach knows about somebody, looked at first and then erased wherever it is.

Erased are the spellings of their name and addresses, every line they said, their concerns with what was noted about
them, and practices with them. What others said about them stays, with "someone" in place of the name, or goes too when
asked for. Only numbers are kept of it: when somebody was forgotten, and how much went.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from coach.errors import InputError
from coach.identities import Entity, Identities
from coach.identities.index import Match, without_overlaps
from coach.identities.spellings import words_of
from coach.identities.value import SHAPE
from coach.pseudonymous import changed
from coach.retrieval.catalogue import Entry
from coach.retrieval.erasures import find_in_ledger, forget_in_ledger
from coach.retrieval.passages import Line
from coach.schema import Value

if TYPE_CHECKING:
    from coach.identities import IdentityLedger
    from coach.library import Library
    from coach.rehearsal.practices import Practices
    from coach.rehearsal.session import Session
    from coach.settings import Settings

SOMEONE = "someone"
Mentions = Literal["unname", "erase"]
"""What becomes of lines in which others speak of the person: their name goes out of them, or they go altogether."""

SHORTEST = 5
"""Letters that a spelling needs for files to be searched for it; shorter ones turn up in any file by chance."""

OWN_FILES = (b'"schema": "coach.', b'"schema":"coach.', b"engine of Unheard. The quotes are exact")
"""What stands in JSON and reports that the coach wrote."""


class Found(Value):
    """What there is about a person. ``spellings`` and ``alike`` are real names: for the screen only.

    ``meetings`` change, ``emptied`` are those in which nothing is left; ``lines`` they said, ``mentions`` are lines and
    titles of others; ``alike`` are others whose names share a word, and who stay.
    """

    spellings: tuple[str, ...] = ()
    meetings: int = 0
    emptied: int = 0
    lines: int = 0
    mentions: int = 0
    concerns: int = 0
    quotes: int = 0
    practices: int = 0
    practices_changed: int = 0
    alike: tuple[str, ...] = ()

    def __add__(self, other: Found) -> Found:
        """What there is in two places."""
        both = {name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        return Found(**both | {name: tuple(dict.fromkeys(both[name])) for name in ("spellings", "alike")})

    @property
    def nothing(self) -> bool:
        """Whether nobody of that name was found anywhere."""
        return not (self.spellings or self.lines or self.mentions or self.practices or self.practices_changed)


@dataclass(frozen=True)
class Person:
    """Somebody to be forgotten: their entities among everyone known, and the pseudonyms that stand for them."""

    gone: tuple[Entity, ...]
    pseudonyms: frozenset[str]
    everyone: Identities

    @classmethod
    def known_as(cls, name: str, identities: Identities) -> Person:
        """The person of that name or pseudonym; raises :class:`InputError` when it is only part of a name.

        Somebody whom the library never met can still be in practices: they have no pseudonym then.
        """
        wanted = " ".join(name.split())
        if not wanted:
            raise InputError("whom to forget? Give a name, or a pseudonym such as 'Person A'.")
        entity = identities.find(wanted)
        if entity is None and SHAPE.fullmatch(wanted):
            raise InputError(f"nobody has the pseudonym {wanted}: see coach library list --pseudonyms")
        if entity is None:
            near = sorted({match.owner for match in identities.index.matches(wanted) if match.owner})
            if near:
                raise InputError(
                    f"nobody is called just that, but {' and '.join(near)} may be meant: give the pseudonym of the one "
                    "to forget, such as 'Person A'"
                )
            everyone = identities.add(wanted)
            found = everyone.find(wanted)
            return cls((found,) if found else (), frozenset(), everyone)
        gone = (entity, *_of_theirs(entity, identities))
        pseudonyms = {form.pseudonym for one in gone for form in one.forms} | {one.label for one in gone}
        return cls(gone, frozenset(pseudonyms), identities)

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every exact spelling and address."""
        return tuple(dict.fromkeys(form.text for entity in self.gone for form in entity.forms))

    def out_of(self, text: str) -> str:
        """The text with :data:`SOMEONE` for every mention of them, by pseudonym or by name.

        A name that they share with others, and that may mean either, stays.
        """
        text = SHAPE.sub(lambda m: SOMEONE if m.group() in self.pseudonyms else m.group(), text)
        labels = {entity.label for entity in self.gone}
        exact = Identities(entities=self.gone).exact
        named = [match for match in self.everyone.index.matches(text) if match.owner in labels]
        verbatim = [Match(m.start(), m.end(), "literal", None) for m in exact.finditer(text)] if exact else []
        made, at = "", 0
        for match in without_overlaps([*verbatim, *named]):
            made += text[at : match.start] + SOMEONE
            at = match.end
        return made + text[at:]

    def is_in(self, text: str) -> bool:
        """Whether the text mentions them."""
        return self.out_of(text) != text

    def alike(self) -> tuple[str, ...]:
        """Others whose names share a word with theirs, as ``Name (Person B)``."""
        labels = {entity.label for entity in self.gone}
        words = {word for s in self.spellings for word in words_of(s.partition("@")[0]) if len(word) > 2}
        return tuple(
            f"{entity.forms[0].text} ({entity.label})"
            for entity in self.everyone.entities
            if entity.type == "person"
            and entity.label not in labels
            and words.intersection(word for form in entity.forms for word in words_of(form.text))
        )


@dataclass(frozen=True)
class Memory:
    """The places where the coach keeps something about people."""

    settings: Settings
    identities: IdentityLedger
    library: Library | None
    practices: Practices


def look(memory: Memory, name: str, mentions: Mentions = "unname") -> Found:
    """What :func:`forget` would erase; nothing is changed."""
    person = Person.known_as(name, memory.identities.load())
    return _Plan(memory, person, mentions).found


def forget(memory: Memory, name: str, mentions: Mentions = "unname", clock: Callable[[], float] = time.time) -> Found:
    """What was erased. Killed half way, the name is still known, and the same again finishes it.

    Raises :class:`InputError` when nobody of that name is known, and what opening the parts raises.
    """
    identities = memory.identities.load()
    person = Person.known_as(name, identities)
    plan = _Plan(memory, person, mentions)
    if plan.found.nothing:
        return plan.found
    for practice in plan.gone_practices:
        memory.practices.delete(practice)
    for session in plan.changed_practices:
        memory.practices.save(session)
    if memory.library is not None:
        memory.library.rewrite(plan.meetings)
        counts = plan.found.model_dump(exclude={"spellings", "alike"})
        forget_in_ledger(memory.settings, person.pseudonyms, person.out_of, clock(), counts)
    # Last, as only this tells who is meant.
    if person.pseudonyms:
        memory.identities.erase(person.gone)
    return plan.found


def matching(name: str, found: Found) -> tuple[str, ...]:
    """What to search files for: every spelling of the person, and the name as it was asked for."""
    return tuple(dict.fromkeys((*found.spellings, *([] if SHAPE.fullmatch(name.strip()) else [name.strip()]))))


def files_with(folder: Path, spellings: Sequence[str]) -> tuple[Path, ...]:
    """The files below a folder, or the file itself, that hold one of these spellings in UTF-8 or UTF-16."""
    long = [s for s in spellings if len(s) >= SHORTEST]
    needles = [s.encode(code) for s in long for code in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(path for path in files if _holds(path, needles))


def is_own(path: Path) -> bool:
    """Whether the coach wrote this file: a report, or JSON of one of its schemas."""
    content = path.read_bytes()
    return any(mark in content for mark in OWN_FILES)


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return any(needle in content for needle in needles)


class _Plan:
    """What forgetting somebody changes, worked out without changing anything."""

    def __init__(self, memory: Memory, person: Person, mentions: Mentions) -> None:
        self._person = person
        self._mentions = mentions
        self.meetings: dict[str, tuple[Entry, tuple[Line, ...]] | None] = {}
        counted = dict.fromkeys(("emptied", "lines", "mentions"), 0)
        library = memory.library
        for entry in (*library.list(), *library.list(deleted=True)) if library is not None else ():
            self._meeting(entry, library.show(entry.id) if library is not None else (), counted)
        self.gone_practices: list[str] = []
        self.changed_practices: list[Session] = []
        for practice, session in memory.practices.opened().items():
            # Nobody can tell who is in a practice that can't be opened, so it goes.
            if session is None or person.is_in(session.partner):
                self.gone_practices.append(practice)
            elif (other := self._without(session)) != session:
                self.changed_practices.append(other)
        named = find_in_ledger(memory.settings, person.pseudonyms, person.is_in) if library is not None else None
        self.found = Found(
            spellings=person.spellings if person.pseudonyms else (),
            meetings=len(self.meetings),
            concerns=len(named.concerns) if named else 0,
            quotes=len(named.quotes) + len(named.notes) if named else 0,
            practices=len(self.gone_practices),
            practices_changed=len(self.changed_practices),
            alike=person.alike(),
            **counted,
        )

    def _meeting(self, entry: Entry, said: Sequence[Line], counted: dict[str, int]) -> None:
        person, kept = self._person, list[Line]()
        for line in said:
            if line.speaker and (line.speaker in person.pseudonyms or person.is_in(line.speaker)):
                counted["lines"] += 1
            elif person.is_in(line.text):
                counted["mentions"] += 1
                if self._mentions == "unname":
                    kept.append(Line(line.speaker, person.out_of(line.text)))
            else:
                kept.append(line)
        title = entry.title
        if title is not None and person.is_in(title):
            counted["mentions"] += 1
            title = person.out_of(title) if self._mentions == "unname" else None
        left = entry.model_copy(
            update={
                "title": title,
                "attendees": tuple(a for a in entry.attendees if a not in person.pseudonyms and not person.is_in(a)),
                "tags": tuple(person.out_of(tag) for tag in entry.tags),
            }
        )
        if not kept:
            self.meetings[entry.id] = None
            counted["emptied"] += 1
        elif kept != list(said) or left != entry:
            self.meetings[entry.id] = (left, tuple(kept))

    def _without(self, session: Session) -> Session:
        person = self._person
        plan = session.plan
        others = tuple(a for a in plan.attendees if not person.is_in(a))
        cleared = session.model_copy(update={"plan": plan.model_copy(update={"attendees": others})})
        return changed(cleared, person.out_of)


def _of_theirs(entity: Entity, identities: Identities) -> tuple[Entity, ...]:
    """Links, addresses and other things of their own that spell their full name."""
    full = [words for form in entity.forms if len(words := words_of(form.text)) > 1 and form.type == "person"]
    return tuple(
        other
        for other in identities.entities
        if other.label != entity.label
        and other.type not in ("person", "company", "customer", "project", "place")
        and any(_follow(words, words_of(form.text)) for words in full for form in other.forms)
    )


def _follow(words: Sequence[str], text: Sequence[str]) -> bool:
    return any(tuple(text[at : at + len(words)]) == tuple(words) for at in range(len(text)))


__all__ = ["SOMEONE", "Found", "Memory", "Mentions", "Person", "files_with", "forget", "is_own", "look", "matching"]
