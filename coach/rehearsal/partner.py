"""The simulated attendee: what they say next, given where each objection stands.

The ladder decides what has been earned; a voice only words it. :class:`LocalVoice` builds the words from the person's
own earlier quotes and a grammar (``data/partner.yaml``); :class:`~coach.rehearsal.model_voice.ModelVoice` asks a model
and takes this one's words when the model leaves its role. Nothing here labels the user, and only what this person said
themselves is ever quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any, Literal, Protocol

from coach.lexicon import has, load
from coach.rehearsal.brief import guess_need
from coach.rehearsal.ladder import Status, Temperament
from coach.rehearsal.moves import Move
from coach.rehearsal.opening import words as coach_words
from coach.rehearsal.values import Point
from coach.topics import topic
from coach.wording import snippet

OWN = ("ledger", "library")
"""Origins of what a person really said; all else is a guess, and never put as a quote."""

Event = Literal[
    "raise", "raise_next", "rose", "again", "asked", "off_topic", "nothing", "softened", "hardened", "finished"
]
"""What a turn of the user did to the objection spoken of. *Rose*: one rung or more up. *Again*: something kind that
lifts nothing at this rung; *asked*: a question where being understood comes first. *Softened*: a dismissal was made
good. *Finished*: everything is integrated."""


@dataclass(frozen=True)
class Scene:
    """All a voice may know: whose turn it is to be worded, what just happened, and what has been earned.

    ``said`` is the conversation so far as (speaker, text); ``used`` the lines of the grammar already spoken.
    """

    attendee: str
    temperament: Temperament
    point: Point
    status: Status
    event: Event
    move: Move | None = None
    following: Point | None = None
    said: tuple[tuple[str, str], ...] = ()
    used: tuple[str, ...] = ()

    @property
    def need(self) -> str:
        """The need behind the objection, as far as its words tell."""
        return self.point.need or guess_need(self.point.quote)


@dataclass(frozen=True)
class Reply:
    """What the attendee says, and the lines of the grammar it was made of."""

    text: str
    lines: tuple[str, ...] = ()
    source: str = "local"


class Voice(Protocol):
    """Words what the ladder allows."""

    def reply(self, scene: Scene) -> Reply: ...


class LocalVoice:
    """The grammar: the same scene always gives the same reply, and nobody's name changes it."""

    def reply(self, scene: Scene) -> Reply:
        """The reply of the simulated attendee; no line twice in a practice while another one is left."""
        lines = tuple(self._lines(scene))
        return Reply(" ".join(text for _, text in lines), tuple(template for template, _ in lines))

    def _lines(self, scene: Scene) -> Iterator[tuple[str, str]]:
        slots = _slots(scene.point, scene.need)
        yield _choose(_pools(scene), slots, scene.used)
        if scene.following is not None:
            theirs = _slots(scene.following, "")
            pools = _raising("raise_next", scene.following, scene.temperament)
            yield _choose(pools, theirs, scene.used)


def streamed(text: str) -> Iterator[str]:
    """The text in ever longer parts, a word at a time, for a face that shows it as it is spoken."""
    for match in re.finditer(r"\S+\s*", text):
        yield text[: match.end()].rstrip()


@cache
def forbidden(kind: str) -> re.Pattern[str]:
    """What a reply may not hold: ``never``, ``before_`` a rung, or ``after_dismissal``."""
    return re.compile(rf"\b(?:{'|'.join(_texts()['role'][kind])})", re.I)


@cache
def _texts() -> dict[str, Any]:
    return load("partner.yaml")


def _pools(scene: Scene) -> list[list[str]]:
    """Lists of lines that fit the scene, the one to take from first in front."""
    texts, temper = _texts(), scene.temperament
    if scene.event == "raise":
        return _raising("raise" if scene.point.origin in OWN else "raise_guess", scene.point, temper)
    if scene.event == "hardened":
        own = texts["hardened"].get(scene.move.value if scene.move else "", [])
        return [own, _by_temperament(texts["hardened"], temper)]
    if scene.event == "rose":
        return [_by_temperament(texts[scene.status.value], temper), texts["again"][scene.status.value]]
    if scene.event == "asked":
        return [_by_temperament(texts["asked"], temper), texts["again"][scene.status.value]]
    if scene.event == "again":
        return [texts["again"][scene.status.value], _by_temperament(texts["nothing"], temper)]
    return [_by_temperament(texts[scene.event], temper), _by_temperament(texts["nothing"], temper)]


def _raising(key: str, point: Point, temperament: Temperament) -> list[list[str]]:
    """The lists that put a concern on the table; a half yes is told as one."""
    half = point.origin in OWN and (has(point.quote, "assent", "lukewarm") or bool(_HALF.match(point.quote)))
    return [_by_temperament(_texts()[name], temperament) for name in (*(["raise_lukewarm"] * half), key)]


def _by_temperament(group: dict[str, list[str]], temperament: Temperament) -> list[str]:
    return [*group.get(temperament.value, []), *group["any"]]


def _choose(pools: Sequence[Sequence[str]], slots: dict[str, str], used: Sequence[str]) -> tuple[str, str]:
    """A line not used yet from the first list that has one; else the one that was used longest ago."""
    fitting = [[line for line in pool if _fields(line) <= slots.keys()] for pool in pools]
    for pool in fitting:
        fresh = [line for line in pool if line not in used]
        if fresh:
            # Quoting oneself again and again wears thin: lines without a quote come first once one was used.
            quoted = sum("{quote}" in line or "{reported}" in line for line in used)
            fresh.sort(key=lambda line: quoted > 0 and ("{quote}" in line or "{reported}" in line))
            line = fresh[0] if quoted else fresh[len(used) % len(fresh)]
            return line, line.format_map(slots)
    every = list(dict.fromkeys(line for pool in fitting for line in pool))
    line = min(every, key=lambda one: max((n for n, old in enumerate(used) if old == one), default=-1))
    return line, line.format_map(slots)


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


_HALF = re.compile(
    r"\W*(?:fine|okay|ok|well|all right|if (?:you|that)|whatever|i guess|i suppose|as you)\b[^.?!]{0,60}[.!]?$", re.I
)
_FIRST_PERSON = re.compile(r"\b(?:i|we|my|our|me|us|i'm|i've|i'd|we're|we've)\b", re.I)
_TOLD = re.compile(
    r"\b(?:said|says|asked|was concerned|were concerned|had written|reported|felt|noted|pointed out|would rather|"
    r"stated|wondered|objected|warned|thought)\b"
)


def _slots(point: Point, need: str) -> dict[str, str]:
    """What the lines may say of the concern; quotes and wants in the person's own words only."""
    flat = " ".join(point.quote.split())
    told = bool(_TOLD.search(flat)) and not _FIRST_PERSON.search(flat)
    slots: dict[str, str] = {}
    if point.origin in OWN:
        slots["reported" if told else "quote"] = _ended(snippet(flat, 120))
    else:
        slots["plain"] = flat if _closed(flat) else f"{flat}."
    noun = topic(flat)
    if noun:
        slots["topic"] = noun
    if need:
        slots["need"] = coach_words()["need_words"][need]
        slots["need_capital"] = slots["need"][:1].upper() + slots["need"][1:]
    return slots


def _ended(quoted: str) -> str:
    return quoted if re.search(r"[.!?…]”$", quoted) else quoted[:-1] + ".”"


def _closed(text: str) -> bool:
    return text.endswith((".", "!", "?", "…", "”"))
