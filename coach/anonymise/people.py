"""Who takes part, who is mentioned, and every stretch of text that stands for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from coach.anonymise import cues
from coach.identities import Identities
from coach.identities.index import Index, Match, looks_like_role, one_edit_apart
from coach.identities.spellings import WORD, fold, given_names, is_common, listed, name_words, words_of
from coach.schema import Conversation

_SEVERAL = re.compile(r"(?:(?<!\s)\s++|)(?:[+&/;]|\band\b|\bund\b)\s*")
_PARENTHESES = re.compile(r"(?:(?<!\s)\s++|)[(\[]([^)\]]{0,300})[)\]]")
_NEW = "new:"


@dataclass
class Cast:
    """The people of one conversation. Owners are labels of known entities, or ``new:N`` until they get one."""

    identities: Identities
    index: Index
    casual: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    _local: Index = field(default_factory=Index)
    _count: int = 0

    def add(self, names: Iterable[str], rank: int = 6) -> str | None:
        """The owner of a group of names for one person, a new one if nobody known fits; ``None`` if nobody is named."""
        cleaned = [name for raw in names for name in cleaned_names(raw)]
        if not cleaned:
            return None
        owner = next((found for name in cleaned if (found := self._find(name))), None)
        if owner is None:
            self._count += 1
            owner = f"{_NEW}{self._count}"
        others = self.identities.split_off.get(owner, ())
        for name in cleaned:
            self._local.add_person(name, owner, rank, others)
            self.index.add_person(name, owner, rank, others)
            self.owners[name] = owner
            if name.islower():
                self.casual.update(words_of(name))
        return owner

    def mention(self, names: Iterable[str]) -> None:
        """Adds people whom the text mentions, the fullest names first, unless they are exempt."""
        for name in sorted(dict.fromkeys(names), key=lambda name: -len(name.split())):
            if not self.identities.is_exempt(name):
                self.add((name,), rank=3)

    def owner_of(self, name: str) -> str | None:
        """Whose name an attendee entry or a speaker label is."""
        return next((self.owners[cleaned] for cleaned in cleaned_names(name) if cleaned in self.owners), None)

    def _find(self, name: str) -> str | None:
        words = name_words(name)
        if name in self.owners:
            return self.owners[name]
        for index in (self._local, self.identities.index):
            known = [k for k in index.owners(words) if k.type == "person" and k.exact in (None, name.strip())]
            if index is self.identities.index and len(words) == 1:
                # A nickname alone is too little to take someone for a person of an earlier meeting.
                known = [k for k in known if k.rank > 0]
            if len(known) == 1:
                return known[0].owner
            if known:
                return next((k.owner for k in known if len(words) == 1 and self._only_given(k.owner, words[0])), None)
        if len(words) > 1:
            # Someone so far known by a given name only turns out to have a surname.
            known = [k for k in self.identities.index.owners(words[:1]) if k.type == "person"]
            if len(known) == 1 and self._only_given(known[0].owner, words[0]):
                return known[0].owner
        return None

    def _only_given(self, owner: str, given: str) -> bool:
        entity = self.identities.owners.get(owner)
        texts = [form.text for form in entity.forms if form.type == "person"] if entity else []
        return bool(texts) and all(name_words(text) == (given,) for text in texts)


def cleaned_names(raw: str) -> list[str]:
    """The names in a roster entry or label: without remarks in brackets, ``Surname, Given`` turned round, no roles."""
    outside = _PARENTHESES.sub("", raw).strip(" \t*_:;,.@-–")
    if outside.count(",") == 1 and len(outside) < 40:
        last, first = (part.strip() for part in outside.split(","))
        if first and last and " " not in last and not looks_like_role(first):
            outside = f"{first} {last}"
    if outside.islower() and is_common(outside) and outside not in given_names():
        return []
    if len(outside) > 60 or not any(letter.isalpha() for letter in outside) or looks_like_role(outside):
        return []
    return [outside]


def cast_of(conversation: Conversation, identities: Identities) -> Cast:
    """The people of a conversation: attendees and speakers, then those whom cues and the name model found."""
    cast = Cast(identities, identities.index.copy())
    groups = [(attendee.name, *attendee.aliases) for attendee in conversation.attendees]
    groups += [(speaker,) for speaker in dict.fromkeys(u.speaker for u in conversation.utterances if u.speaker)]
    groups += [(term,) for term, type_ in identities.glossary if type_ == "person"]
    groups = [part for group in groups for part in _apart(group)]
    for group in sorted(groups, key=lambda names: -max(len(name_words(name)) for name in names)):
        cast.add(group)
    cast.mention(cues.introduced(conversation.text))
    for name, initials in cues.initials(conversation.text):
        owner = cast.add((name,), rank=3)
        if owner is not None:
            cast.index.add_person(initials, owner, 6)
    cast.casual.update(cues.lower_case_labels(conversation.text))
    return cast


def _apart(group: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A label such as ``Ana + Ben`` names two people; ``Budget + Venue`` nobody."""
    parts = [part for part in _SEVERAL.split(_PARENTHESES.sub("", group[0])) if part]
    if len(parts) < 2:
        return [group]
    if any(is_common(word) and word not in given_names() for part in parts for word in words_of(part)):
        return []
    return [*((part,) for part in parts), *((alias,) for alias in group[1:])]


def people_in(text: str, cast: Cast) -> Iterator[Match]:
    """Every stretch of text that stands for someone of the cast, near misses of longer names included."""
    found = list(cast.index.matches(text, casual=frozenset(cast.casual)))
    yield from found
    yield from _misspelled(text, found, cast)


def _misspelled(text: str, found: list[Match], cast: Cast) -> Iterator[Match]:
    covered = {position for match in found for position in (match.start, match.end)}
    unknown = [
        token
        for token in WORD.finditer(text)
        if token.end() - token.start() >= 5 and token.group()[0].isupper() and token.start() not in covered
    ]
    odd = {
        word
        for word in {fold(token.group()) for token in unknown}
        if not (is_common(word) or word in given_names() or word in listed("not_people") or is_common(word.rstrip("s")))
    }
    if not odd:
        return
    targets: dict[str, list[str]] = {}
    for words in cast.index.spellings:
        if len(words) == 1 and len(words[0]) >= 5 and not is_common(words[0]):
            targets.setdefault(words[0][0], []).append(words[0])
    answers: dict[str, str | None] = {}
    for word in odd:
        near = [target for target in targets.get(word[0], ()) if one_edit_apart(word, target)]
        if near:
            owners = {
                known.owner for target in near for known in cast.index.owners((target,)) if known.type == "person"
            }
            if owners:
                answers[word] = owners.pop() if len(owners) == 1 else None
    for token in unknown:
        word = fold(token.group())
        if word in answers and not cues.inside_word(text, token.start(), token.end()):
            yield Match(token.start(), token.end(), "person", answers[word])


def owner_of_address(text: str, cast: Cast) -> str | None:
    """Whose e-mail address or handle this is, if its local part spells someone's name."""
    local = text.lstrip("@").partition("@")[0]
    words = tuple(word for word in (word.rstrip("0123456789") for word in words_of(local)) if word)
    for spelling in (words, ("".join(words),), words_of(cues.split_camel(local))):
        known = [k for k in cast.index.owners(spelling) if k.type == "person"] if spelling else []
        if len(known) == 1:
            return known[0].owner
    return None
