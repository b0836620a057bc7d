"""The value of who is who. It is a secret: never embed, send or log it.

An :class:`Entity` is a person, a company, an address ...; its :class:`Form` values are the exact spellings met so far.
Each spelling has a pseudonym of its own, so that every text can be restored to the letter, and each pseudonym names its
entity by letters, so that a reader still sees who is who: ``Person A`` and ``Person A2`` are two spellings (say, Robert
and Bob) of one person, ``@person-a`` a handle of theirs and ``a1@example.invalid`` their first e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from coach.errors import InputError
from coach.identities.index import EntityType, Index
from coach.identities.spellings import Words, name_words
from coach.schema import Value

NOUNS: dict[str, str] = {
    "person": "Person",
    "company": "Company",
    "customer": "Customer",
    "project": "Project",
    "place": "Place",
    "phone": "Phone",
    "card": "Card",
    "iban": "Account",
    "ip": "Host",
    "birth_date": "Birthdate",
    "address": "Address",
    "literal": "Label",
}
PERSONAL = ("person", "handle", "email")

SHAPE = re.compile(
    r"(?<![A-Za-z0-9])(?:@person-[a-z]+[0-9]*|[a-z]+[0-9]+@example\.invalid|https://example\.invalid/[a-z]+[0-9]*|(?:"
    + "|".join(NOUNS.values())
    + r") [A-Z]+[0-9]*)(?![A-Za-z0-9])"
)
"""Everything that looks like a pseudonym, whether one is in use or not."""


class Form(Value):
    """One exact spelling and its pseudonym. ``retired`` pseudonyms are still restored but no longer given out."""

    text: str
    type: EntityType
    pseudonym: str
    retired: bool = False


class Entity(Value):
    """Someone or something, named by letters (``A``, ``AB``) within its type."""

    type: EntityType
    letters: str
    forms: tuple[Form, ...] = ()

    @property
    def label(self) -> str:
        """The pseudonym that stands for the entity itself, such as ``Person A``."""
        return pseudonym_of(self.type, self.letters, 1)


class Identities(Value):
    """All known entities, the spellings never to replace, and the user's glossary.

    ``exempt`` holds casefolded spellings; ``reserved`` pseudonym-shaped text met in notes, never to be given out;
    ``glossary`` the companies, customers, projects and places that the user listed, each with its type.
    """

    entities: tuple[Entity, ...] = ()
    exempt: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    glossary: tuple[tuple[str, EntityType], ...] = ()

    @cached_property
    def originals(self) -> dict[str, str]:
        """From pseudonym to the exact spelling it stands for."""
        return {form.pseudonym: form.text for entity in self.entities for form in entity.forms}

    @cached_property
    def owners(self) -> dict[str, Entity]:
        """From pseudonym (retired ones and labels included) to its entity."""
        found = {form.pseudonym: entity for entity in self.entities for form in entity.forms}
        return {entity.label: entity for entity in self.entities} | found

    @cached_property
    def index(self) -> Index:
        """Every spelling that stands for someone known, derived ones included; exempted ones are filtered later."""
        index = Index()
        for entity in self.entities:
            for form in entity.forms:
                if form.type == "person":
                    index.add_person(form.text, entity.label, without=self.split_off.get(entity.label, ()))
                elif form.type == "email":
                    index.add_address(form.text, entity.label)
                elif form.type in ("company", "customer", "project", "place"):
                    index.add_term(form.text, form.type, entity.label)
        return index

    @cached_property
    def split_off(self) -> dict[str, frozenset[Words]]:
        """By label of a person, the spellings that the user says are somebody else's, though derived from their name.

        A pseudonym that was split off keeps the letters of whom it was taken from.
        """
        people = {entity.label: entity for entity in self.entities if entity.type == "person"}
        found: dict[str, set[Words]] = {label: set() for label in people}
        for entity in people.values():
            for form in entity.forms:
                source = form.pseudonym.rstrip("0123456789")
                if form.retired and form.type == "person" and source != entity.label and source in found:
                    found[source].add(name_words(form.text))
                    found[entity.label] |= {name_words(f.text) for f in people[source].forms if f.type == "person"}
        return {label: frozenset(spellings) for label, spellings in found.items()}

    @cached_property
    def exact_types(self) -> dict[str, EntityType]:
        """Handles, addresses and numbers met so far, with their types."""
        loose = ("person", "company", "customer", "project", "place", "literal")
        return {f.text: f.type for e in self.entities for f in e.forms if f.type not in loose}

    @cached_property
    def exact(self) -> re.Pattern[str] | None:
        """A pattern for :attr:`exact_types`, standing alone."""
        if not self.exact_types:
            return None
        alternatives = "|".join(map(re.escape, sorted(self.exact_types, key=len, reverse=True)))
        return re.compile(rf"(?<![^\W_])(?:{alternatives})(?![^\W_])")

    def canonical(self, text: str) -> str:
        """The text with every pseudonym of a spelling replaced by that of its entity: ``Person A2`` by ``Person A``."""
        return SHAPE.sub(lambda match: self._label(match.group()), text)

    def _label(self, pseudonym: str) -> str:
        entity = self.owners.get(pseudonym)
        return entity.label if entity is not None and entity.type == "person" else pseudonym

    def find(self, text: str) -> Entity | None:
        """The entity that a pseudonym or a spelling (in any case) belongs to, or ``None``."""
        if text in self.owners:
            return self.owners[text]
        folded = text.casefold()
        return next((e for e in self.entities if any(f.text.casefold() == folded for f in e.forms)), None)

    def is_exempt(self, text: str) -> bool:
        """Whether the user asked never to replace this spelling."""
        return text.casefold() in self._exempt

    @cached_property
    def _exempt(self) -> frozenset[str]:
        return frozenset(self.exempt)

    def add(self, text: str, type: EntityType = "person", *, same_as: str | None = None) -> Identities:
        """These identities plus one spelling; ``same_as`` names the entity it belongs to, by pseudonym or spelling."""
        cleaned = text.strip()
        if not cleaned:
            raise InputError("a name to replace can't be empty. Give at least one letter.")
        owner = self._required(same_as) if same_as else None
        register = Register(self._with(exempt=tuple(e for e in self.exempt if e != cleaned.casefold())))
        register.pseudonym(cleaned, type, owner.label if owner else None)
        return register.identities()

    def merge(self, one: str, other: str) -> Identities:
        """These identities with the second entity's spellings moved to the first; old pseudonyms still restore."""
        kept, gone = self._required(one), self._required(other)
        if kept.label == gone.label:
            return self
        if kept.type != gone.type:
            raise InputError(f"a {kept.type} and a {gone.type} can't be one. Merge entities of one type.")
        moved = tuple(form.model_copy(update={"retired": True}) for form in gone.forms)
        merged = kept.model_copy(update={"forms": kept.forms + moved})
        rest = (merged if e is kept else e for e in self.entities if e is not gone)
        return self._with(entities=tuple(rest), reserved=(*self.reserved, gone.label))

    def split(self, entity: str, *spellings: str) -> Identities:
        """These identities with the given spellings, or all others, as a new entity; old pseudonyms still restore."""
        source = self._required(entity)
        chosen = {spelling.casefold() for spelling in spellings}
        moved = tuple(f for f in source.forms if f.text.casefold() in chosen)
        if not moved or len(moved) == len(source.forms):
            raise InputError("nothing to split: name some, but not all, of the spellings of one entity.")
        if any(form.pseudonym == source.label for form in moved):
            # What stands for the entity is what stands for this spelling, so it stays and the others go.
            moved = tuple(form for form in source.forms if form not in moved)
        left = source.model_copy(update={"forms": tuple(f for f in source.forms if f not in moved)})
        register = Register(self._with(entities=tuple(left if e is source else e for e in self.entities)))
        label = register.entity(source.type)
        register.adopt(label, (f.model_copy(update={"retired": True}) for f in moved))
        return register.identities()

    def exempted(self, text: str) -> Identities:
        """These identities with a spelling never to be replaced, such as a product named like a person."""
        folded = text.strip().casefold()
        return self if folded in self.exempt else self._with(exempt=(*self.exempt, folded))

    def exempting(self, texts: Iterable[str]) -> Identities:
        """These identities with exactly these spellings exempted."""
        return self._with(exempt=tuple(dict.fromkeys(text.strip().casefold() for text in texts)))

    def without(self, entity: str) -> Identities:
        """These identities without one entity: what was stored about it can no longer be restored."""
        gone = self._required(entity)
        pseudonyms = (gone.label, *(form.pseudonym for form in gone.forms))
        left = tuple(e for e in self.entities if e is not gone)
        return self._with(entities=left, reserved=(*self.reserved, *pseudonyms))

    def with_glossary(self, terms: Iterable[tuple[str, EntityType]]) -> Identities:
        """These identities with the user's list of companies, customers, projects and places."""
        return self._with(glossary=tuple(dict.fromkeys(terms)))

    def _required(self, text: str) -> Entity:
        entity = self.find(text)
        if entity is None:
            raise InputError("no such entity. Give a pseudonym such as 'Person A', or a spelling that is known.")
        return entity

    def _with(self, **changes: Any) -> Identities:
        # model_copy would carry the cached properties over.
        return Identities(**{name: getattr(self, name) for name in type(self).model_fields} | changes)


class Register:
    """Gives out pseudonyms one after the other, then hands back the grown :class:`Identities`."""

    def __init__(self, identities: Identities) -> None:
        self._before = identities
        self._entities = {entity.label: entity for entity in identities.entities}
        self._forms = {entity.label: list(entity.forms) for entity in identities.entities}
        self._taken = set(identities.originals) | set(identities.reserved)
        self._given = {
            (label, form.type, form.text): form.pseudonym
            for label, forms in self._forms.items()
            for form in forms
            if not form.retired
        }
        self._by_text = {
            (form.type, form.text): label for label, forms in reversed(self._forms.items()) for form in reversed(forms)
        }
        self._reserved = dict.fromkeys(identities.reserved)
        self._names: dict[str, Iterator[str]] = {}

    def reserve(self, text: str) -> bool:
        """Marks pseudonym-shaped text as never to be given out; ``False`` when it is in use already."""
        if text in self._entities or (text in self._taken and text not in self._reserved):
            return False
        self._taken.add(text)
        self._reserved[text] = None
        return True

    def entity(self, type: EntityType) -> str:
        """The label of a new entity."""
        kind: EntityType = "person" if type in PERSONAL else type
        for letters in self._names.setdefault(kind, _letters()):
            label = pseudonym_of(kind, letters, 1)
            if label not in self._taken and label not in self._entities:
                break
        self._entities[label] = Entity(type=kind, letters=letters)
        self._forms[label] = []
        return label

    def pseudonym(self, text: str, type: EntityType, owner: str | None = None) -> str:
        """The pseudonym of an exact spelling of ``owner`` (a label), of whoever had it, or of a new entity."""
        label = owner or self._by_text.get((type, text)) or self.entity(type)
        key = (label, type, text)
        if key not in self._given:
            letters, number = self._entities[label].letters, 1
            while (made := pseudonym_of(type, letters, number)) in self._taken:
                number += 1
            self._taken.add(made)
            self._given[key] = made
            self._by_text.setdefault((type, text), label)
            self._forms[label].append(Form(text=text, type=type, pseudonym=made))
        return self._given[key]

    def adopt(self, label: str, forms: Iterable[Form]) -> None:
        """Moves forms that another entity had to this one."""
        self._forms[label].extend(forms)

    def identities(self) -> Identities:
        """What is known now; the very value it started from when nothing was added."""
        entities = tuple(
            entity
            if entity.forms == (forms := tuple(self._forms[label]))
            else entity.model_copy(update={"forms": forms})
            for label, entity in self._entities.items()
        )
        reserved = tuple(self._reserved)
        if entities == self._before.entities and reserved == self._before.reserved:
            return self._before
        return self._before._with(entities=entities, reserved=reserved)


def pseudonym_of(type: str, letters: str, number: int) -> str:
    """The pseudonym of the ``number``-th spelling of an entity, counted from 1."""
    count = str(number) if number > 1 else ""
    if type == "handle":
        return f"@person-{letters.lower()}{count}"
    if type == "email":
        return f"{letters.lower()}{number}@example.invalid"
    if type == "url":
        return f"https://example.invalid/{letters.lower()}{count}"
    return f"{NOUNS[type]} {letters}{count}"


def _letters() -> Iterator[str]:
    """A, B, ... Z, AA, AB, ...; never a lone I, which reads as the pronoun."""
    from itertools import count, product
    from string import ascii_uppercase

    for length in count(1):
        for letters in product(ascii_uppercase, repeat=length):
            if letters != ("I",):
                yield "".join(letters)
