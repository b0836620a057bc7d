"""Notes with pseudonyms in place of names, and the way back."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

from coach.anonymise.context import glossary_terms, named_by_context
from coach.anonymise.guard import known_in
from coach.anonymise.model import Readings, names_found
from coach.anonymise.patterns import patterns
from coach.anonymise.people import Cast, cast_of, owner_of_address, people_in
from coach.identities import EntityType, Identities, Register
from coach.identities.index import Match, without_overlaps
from coach.identities.value import SHAPE
from coach.schema import Attendee, Conversation, Utterance, Value


class Replacement(Value):
    """One stretch of the original text, ``start:end``, and what stands in its place."""

    start: int
    end: int
    type: EntityType
    pseudonym: str


class Anonymised(Value):
    """A conversation in pseudonyms, with everything needed to find the way back to the original.

    ``conversation`` has the same utterances in the same order, with offsets into its own text; speakers and attendees
    are named by entity (``Person A``), whatever spelling the text uses at that place. ``identities`` is what it was
    before plus everyone new: keep it, or the names can't be restored.
    """

    original: str
    conversation: Conversation
    identities: Identities
    replaced: tuple[Replacement, ...] = ()

    @property
    def text(self) -> str:
        """The text in pseudonyms."""
        return self.conversation.text

    @cached_property
    def _places(self) -> tuple[_Side, _Side]:
        """Where each replacement starts and ends, in the original and in the pseudonymised text."""
        original, shown, shift = _Side(), _Side(), 0
        for item in self.replaced:
            original.add(item.start, item.end)
            shown.add(item.start + shift, item.start + shift + len(item.pseudonym))
            shift += len(item.pseudonym) - (item.end - item.start)
        return original, shown

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that ``start:end`` of the pseudonymised text stands for, whole names included."""
        original, shown = self._places
        return _translate(start, end, shown, original)

    def to_pseudonymised(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the pseudonymised text in which ``start:end`` of the original appears."""
        original, shown = self._places
        return _translate(start, end, original, shown)

    def preview(self) -> tuple[Preview, ...]:
        """What was replaced, one row for each spelling, most frequent first; for the eyes of the user only."""
        counts = Counter((self.original[r.start : r.end], r.type, r.pseudonym) for r in self.replaced)
        return tuple(
            Preview(original=text, type=type_, pseudonym=pseudonym, count=count)
            for (text, type_, pseudonym), count in counts.most_common()
        )

    def as_json(self, *, with_originals: bool = False) -> dict[str, object]:
        """``coach.anonymised/1``: the text and the stretches replaced; the originals only if asked for."""
        rows = [row.model_dump() for row in self.replaced]
        if with_originals:
            for row, item in zip(rows, self.replaced, strict=True):
                row["original"] = self.original[item.start : item.end]
        return {"schema": "coach.anonymised/1", "text": self.text, "replaced": rows}


class Preview(Value):
    """One spelling of the original and how often it was replaced."""

    original: str
    type: EntityType
    pseudonym: str
    count: int


def anonymise(
    conversation: Conversation,
    identities: Identities,
    *,
    model: bool = True,
    read: Readings | None = None,
) -> Anonymised:
    """The conversation in pseudonyms. ``restore`` gives back the very same text, whatever it holds.

    The same spelling of the same person gets the same pseudonym in every meeting. ``model=False`` leaves the name
    model out: much faster, and enough for texts that mention nobody but people already known. ``read`` is what
    :func:`coach.anonymise.model.read_for_names` said of the text, if the model has read it already.
    """
    text = conversation.text
    register = Register(identities)
    fixed = [*_literals(text, register), *patterns(text), *glossary_terms(text, identities), *named_by_context(text)]
    fixed = without_overlaps(_widened(_kept(fixed, text, identities), text))
    cast = cast_of(conversation, identities)
    if model:
        cast.mention(names_found(text, fixed, cast.index.longest, read))
    found = without_overlaps([*fixed, *_clear(_kept(people_in(text, cast), text, identities), fixed)])
    replaced = _pseudonymised(text, found, register, cast)
    # What the leak check would stop must not be left in: its view of the neighbourhood is that of the finished text.
    for _ in range(3):
        rest = _residue(text, replaced, register.identities())
        if not rest:
            break
        found = without_overlaps([*(Match(r.start, r.end, r.type, None) for r in replaced), *rest])
        replaced = _again(text, found, replaced, register)
    shown = _rewritten(conversation, text, replaced, register, cast)
    return Anonymised(original=text, conversation=shown, identities=register.identities(), replaced=tuple(replaced))


def restore(text: str, identities: Identities) -> str:
    """The text with every pseudonym in use replaced by the exact spelling it stands for; all else stays as it is."""
    originals = identities.originals
    return SHAPE.sub(lambda match: originals.get(match.group(), match.group()), text)


def pseudonymise(text: str, identities: Identities) -> str:
    """A short text, such as a search query or an old passage, in the pseudonyms that exist; nobody new is added.

    Known names become their pseudonyms (in a new spelling, the entity's label); addresses and numbers never met before
    become ``[email]``, ``[phone]`` ... The result passes the leak check, but can't always be restored to the letter.
    """
    given = {form.text: form.pseudonym for e in identities.entities for form in e.forms if not form.retired}
    known = [*known_in(text, identities), *_kept(identities.index.matches(text), text, identities)]
    inside = [
        Match(m.start(), m.end(), "literal", None) for m in SHAPE.finditer(text) if m.group() in identities.owners
    ]
    found = without_overlaps([*inside, *_clear(known, inside)])
    pieces, position = [], 0
    for match in found:
        original = text[match.start : match.end]
        new = original if match.type == "literal" else given.get(original) or match.owner or f"[{match.type}]"
        pieces += [text[position : match.start], new]
        position = match.end
    return "".join([*pieces, text[position:]])


def _literals(text: str, register: Register) -> Iterable[Match]:
    """Text that looks like a pseudonym: reserved if not in use, else replaced itself so that it can be restored."""
    for match in SHAPE.finditer(text):
        if (
            not match.group().startswith(("@",))
            and "example.invalid" not in match.group()
            and not register.reserve(match.group())
        ):
            yield Match(match.start(), match.end(), "literal", None)


def _kept(matches: Iterable[Match], text: str, identities: Identities) -> list[Match]:
    return [match for match in matches if not identities.is_exempt(text[match.start : match.end])]


def _widened(matches: Iterable[Match], text: str) -> Iterator[Match]:
    """The matches up to the ends of the words they touch: a pseudonym has to stand alone to be found again."""
    for match in matches:
        start, end = match.start, match.end
        while start and _touches(text[start - 1]) and _touches(text[start]):
            start -= 1
        while end < len(text) and _touches(text[end]) and _touches(text[end - 1]):
            end += 1
        yield Match(start, end, match.type, match.owner)


def _touches(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _clear(matches: Iterable[Match], fixed: list[Match]) -> list[Match]:
    starts = [match.start for match in fixed]
    kept = []
    for match in matches:
        at = bisect_left(starts, match.end) - 1
        if at < 0 or fixed[at].end <= match.start:
            kept.append(match)
    return kept


def _pseudonymised(text: str, found: list[Match], register: Register, cast: Cast) -> list[Replacement]:
    """Pseudonyms for the matches; of a new person's spellings, the most frequent gets the plain ``Person A``."""
    owners: list[str | None] = []
    for match in found:
        owner = match.owner
        if match.type in ("email", "handle"):
            owner = owner_of_address(text[match.start : match.end], cast)
        elif match.type == "person" and owner is None:
            owner = f"shared:{text[match.start : match.end].casefold()}"
        owners.append(owner)
    labels = _labels(text, found, owners, register, cast)
    counts = Counter(
        (labels[owner], text[m.start : m.end])
        for m, owner in zip(found, owners, strict=True)
        if m.type == "person" and owner in labels
    )
    for (label, form), _ in counts.most_common():
        register.pseudonym(form, "person", label)
    return [
        _replacement(text, match, labels.get(owner) if owner else None, register)
        for match, owner in zip(found, owners, strict=True)
    ]


def _labels(text: str, found: list[Match], owners: list[str | None], register: Register, cast: Cast) -> dict[str, str]:
    """The entity label of each owner; new entities in the order in which they appear in the text."""
    labels = dict(cast.labels)
    for match, owner in zip(found, owners, strict=True):
        if owner is None or owner in labels:
            continue
        if owner.startswith("new:"):
            labels[owner] = register.entity("person")
        elif owner.startswith("shared:"):
            labels[owner] = _shared(text[match.start : match.end], cast.identities) or register.entity("person")
        else:
            labels[owner] = owner
    cast.labels.update(labels)
    return labels


def _shared(text: str, identities: Identities) -> str | None:
    """The entity that stands for a name which several people share, if an earlier meeting made one."""
    folded = text.casefold()
    return next(
        (
            entity.label
            for entity in identities.entities
            if entity.type == "person" and entity.forms and all(f.text.casefold() == folded for f in entity.forms)
        ),
        None,
    )


def _residue(text: str, replaced: list[Replacement], identities: Identities) -> list[Match]:
    """What a leak check of the finished text would still find, and what could not be restored, in the original."""
    finished = _render(text, replaced)
    draft = _draft(text, finished, replaced)
    rest = []
    for match in known_in(finished, identities):
        start, end = draft.to_original(match.start, match.end)
        rest.append(Match(start, end, match.type, match.owner))
    standing = {match.span(): match[0] for match in SHAPE.finditer(finished)}
    ours = {draft.to_pseudonymised(item.start, item.end) for item in replaced}
    for (start, end), shape in standing.items():
        # The text itself holds what became somebody's pseudonym only now.
        if (start, end) not in ours and identities.originals.get(shape, shape) != shape:
            rest.append(Match(*draft.to_original(start, end), "literal", None))
    for item in replaced:
        if draft.to_pseudonymised(item.start, item.end) not in standing:
            start, end = item.start, item.end
            while start and not text[start - 1].isspace():
                start -= 1
            while end < len(text) and not text[end].isspace():
                end += 1
            rest.append(Match(start, end, item.type, None))
    return rest


def _draft(text: str, finished: str, replaced: list[Replacement]) -> Anonymised:
    shown = Conversation(text=finished, format="")
    return Anonymised(original=text, conversation=shown, identities=Identities(), replaced=tuple(replaced))


def _again(text: str, found: list[Match], before: list[Replacement], register: Register) -> list[Replacement]:
    known = {(item.start, item.end): item for item in before}
    return [known.get((match.start, match.end)) or _replacement(text, match, match.owner, register) for match in found]


def _replacement(text: str, match: Match, label: str | None, register: Register) -> Replacement:
    pseudonym = register.pseudonym(text[match.start : match.end], match.type, label)
    return Replacement(start=match.start, end=match.end, type=match.type, pseudonym=pseudonym)


def _render(text: str, replaced: Iterable[Replacement]) -> str:
    pieces, position = [], 0
    for item in replaced:
        pieces += [text[position : item.start], item.pseudonym]
        position = item.end
    return "".join([*pieces, text[position:]])


@dataclass(slots=True)
class _Side:
    """The starts and ends of the replacements in one of the two texts."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, start: int, end: int) -> None:
        self.starts.append(start)
        self.ends.append(end)


def _translate(start: int, end: int, here: _Side, there: _Side) -> tuple[int, int]:
    first = _place(start, here, there, ending=False)
    return first, max(first, _place(end, here, there, ending=True))


def _place(position: int, here: _Side, there: _Side, *, ending: bool) -> int:
    at = bisect_right(here.starts, position) - 1
    if at < 0:
        return position
    if position >= here.ends[at]:
        return there.ends[at] + position - here.ends[at]
    if ending:
        return there.ends[at] if position > here.starts[at] else there.starts[at]
    return there.starts[at]


def _rewritten(
    conversation: Conversation, text: str, replaced: list[Replacement], register: Register, cast: Cast
) -> Conversation:
    finished = _render(text, replaced)
    draft = _draft(text, finished, replaced)

    def named(name: str) -> str:
        owner = cast.owner_of(name)
        if owner is None:
            return _substituted(name, register, cast) if name else name
        if owner not in cast.labels:
            cast.labels[owner] = owner if not owner.startswith("new:") else register.entity("person")
            register.pseudonym(name, "person", cast.labels[owner])
        return cast.labels[owner]

    @cache
    def rewritten(text: str | None) -> str | None:
        # All that is said under one heading carries that heading.
        return _substituted(text, register, cast) if text else text

    return Conversation(
        text=finished,
        format=conversation.format,
        title=rewritten(conversation.title),
        date=conversation.date,
        attendees=tuple(_attendee(a, named, rewritten) for a in conversation.attendees),
        utterances=tuple(_utterance(u, draft, named, rewritten) for u in conversation.utterances),
    )


def _attendee(
    attendee: Attendee, named: Callable[[str], str], rewritten: Callable[[str | None], str | None]
) -> Attendee:
    aliases = tuple(dict.fromkeys(alias for a in attendee.aliases if (alias := rewritten(a)) is not None))
    return Attendee(name=named(attendee.name), present=attendee.present, role=rewritten(attendee.role), aliases=aliases)


def _utterance(
    utterance: Utterance, draft: Anonymised, named: Callable[[str], str], rewritten: Callable[[str | None], str | None]
) -> Utterance:
    start, end = draft.to_pseudonymised(utterance.start, utterance.end)
    said = draft.to_pseudonymised(utterance.said, utterance.said)[0]
    changes = {
        "speaker": named(utterance.speaker) if utterance.speaker else utterance.speaker,
        "start": start,
        "said": min(max(said, start), end),
        "end": end,
        "section": rewritten(utterance.section),
    }
    return utterance.model_copy(update=changes)


def _substituted(text: str, register: Register, cast: Cast) -> str:
    """A short text that stands beside the notes, such as a title, in the same pseudonyms."""
    identities = cast.identities
    fixed = without_overlaps(
        _kept([*patterns(text), *glossary_terms(text, identities), *named_by_context(text)], text, identities)
    )
    found = without_overlaps([*fixed, *_clear(_kept(people_in(text, cast), text, identities), fixed)])
    return _render(text, _pseudonymised(text, found, register, cast))
