"""Cue words and what they do in a sentence: strong words, their harmless uses, hedges, and the words of uptake.

A cue says "look here", nothing more. :func:`scope` says why a strong word is fine where it stands, and
:func:`tentativeness` how much room a text leaves for another view. The words live in ``data/lexicon.yaml``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parent / "data"

_WORD = re.compile(r"\+?\w[\w'%-]*")
_CLAUSE_START = re.compile(
    r"(?:^|[.!?…:;—–-]\s|[\"“(*]|(?:^|,\s)(?:and|but|so|well|oh|ah|look|yes|no|then|right)[,\s]\s*)\W*$"
)
_SENTENCE_END = r"(?=\W*$)"


class Cue(NamedTuple):
    """One cue in a sentence: ``kind`` is a heading of the lexicon (``categorical``, ``reply``, ``assent``, ``tone``),
    ``subtype`` the list under it; ``start``/``end`` are code points into the sentence and ``text`` is that slice."""

    kind: str
    subtype: str
    start: int
    end: int
    text: str


class Scope(StrEnum):
    """Why a strong word is harmless where it stands."""

    NEGATION = "negation"
    HEDGE = "hedge"
    QUESTION = "question"
    REPORTED = "reported"
    OWN_PROMISE = "own_promise"
    FACT = "fact"
    RULE = "rule"
    REQUIREMENT = "requirement"
    IDIOM = "idiom"
    EXPERIENCE = "experience"
    ROUTINE = "routine"  # everyday planning: "we need to decide"


@dataclass(frozen=True)
class _Entry:
    kind: str
    subtype: str
    pattern: re.Pattern[str]
    at_start: bool


def fold(text: str) -> str:
    """The text in lower case with straight apostrophes, of the same length, so that offsets carry over."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters (İ) grow when lowered
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lower.replace("’", "'").replace("‘", "'")


@lru_cache(maxsize=4_000)  # every detector asks for the same sentences
def cues(sentence: str) -> tuple[Cue, ...]:
    """All cues of the sentence in order of appearance; where two of one list overlap, the longer one."""
    folded = fold(sentence)
    index = _index()
    found: dict[tuple[str, str], list[Cue]] = {}
    for word in _WORD.finditer(folded):
        for entry, at in _entries_at(index, word):
            if entry.at_start and not _CLAUSE_START.search(folded, max(0, word.start() - 12), word.start()):
                continue
            match = entry.pattern.match(folded, at)
            if not match:
                continue
            start, end = word.start(), match.end()
            kept = found.setdefault((entry.kind, entry.subtype), [])
            if kept and kept[-1].end > start:
                if kept[-1].start != start or end <= kept[-1].end:
                    continue
                kept.pop()
            kept.append(Cue(entry.kind, entry.subtype, start, end, sentence[start:end]))
    return tuple(
        sorted((c for group in found.values() for c in group), key=lambda c: (c.start, -c.end, c.kind, c.subtype))
    )


def _entries_at(index: dict[str, tuple[_Entry, ...]], word: re.Match[str]) -> Iterator[tuple[_Entry, int]]:
    """Entries that may begin at this word, or at what its contraction stands for, and where."""
    spelled = word.group()
    head, apostrophe, tail = spelled.partition("'")
    yield from ((entry, word.start()) for entry in index.get(spelled, ()))
    if apostrophe:
        yield from ((entry, word.start()) for entry in index.get(head, ()))
        for full in _LONG_FORMS.get(tail, ()):
            yield from ((entry, word.start() + len(head)) for entry in index.get(full, ()))


def has(sentence: str, kind: str, *subtypes: str) -> bool:
    """Whether the sentence holds a cue of that kind (and one of those subtypes, when given)."""
    return any(c.kind == kind and (not subtypes or c.subtype in subtypes) for c in cues(sentence))


def load(name: str) -> dict[str, Any]:
    """The YAML file of that name from the package's data."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load((DATA / name).read_bytes(), Loader=loader)
    return data


@cache
def _data() -> dict[str, Any]:
    return load("lexicon.yaml")


@cache
def listed(name: str) -> frozenset[str]:
    """The words of a list under ``lists`` in the data."""
    return frozenset(str(word) for word in _data()["lists"][name])


@cache
def _index() -> dict[str, tuple[_Entry, ...]]:
    """Entries by the first word they can begin with: a sentence is looked up word by word, not pattern by pattern."""
    index: dict[str, list[_Entry]] = {}
    for kind, lists in _data().items():
        if kind == "lists":
            continue
        for subtype, phrases in lists.items():
            for phrase in phrases:
                tokens = str(phrase).split()
                at_start = tokens[0] == "^"
                tokens = tokens[at_start:]
                entry = _Entry(kind, subtype, _compile(tokens), at_start)
                for first in tokens[0].split("|"):
                    index.setdefault(first, []).append(entry)
    return {word: tuple(entries) for word, entries in index.items()}


_CONTRACTIONS = {"will": "ll", "have": "ve", "has": "s", "are": "re", "is": "s", "am": "m", "would": "d", "had": "d"}
_LONG_FORMS: dict[str, tuple[str, ...]] = {
    short: tuple(full for full, s in _CONTRACTIONS.items() if s == short) for short in _CONTRACTIONS.values()
}


def _compile(tokens: list[str]) -> re.Pattern[str]:
    out = ""
    for position, token in enumerate(tokens):
        gap = r",?\s+" if position else ""
        if token == "$":
            out += _SENTENCE_END
        elif token == "..":
            out += r"(?:,?\s+[\w'-]+){0,3}?"
        elif token == "*":
            out += gap + r"[\w'-]+"
        elif token.endswith("?") and position:
            out += f"(?:{_words(token[:-1], gap)})?"
        else:
            out += _words(token, gap)
    return re.compile(out)


def _words(token: str, gap: str) -> str:
    words = token.split("|")
    spelled = gap + "(?:" + "|".join(map(re.escape, words)) + r")(?!\w|'t\b)"
    short = {_CONTRACTIONS[w] for w in words if w in _CONTRACTIONS}
    return f"(?:{spelled}|'(?:{'|'.join(sorted(short))})\\b)" if short else spelled


# --- scope: why a strong word is fine ---------------------------------------------------------------------------

_CLAUSE_BREAK = re.compile(
    r"[.!?;:—–(){}\[\]|]|\s-\s|,\s+(?:but|and|so|because|which|although|though|since|then|while)\b"
)
_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|presumably|apparently|arguably|seems?|seemed|appears?|might|could|may be|"
    r"almost|nearly|hardly|mostly|practically|i (?:think|believe|feel|guess|suppose|suspect|fear|hope|wonder|imagine|"
    r"reckon)|i'm (?:not sure|afraid)|in my (?:view|opinion|experience)|for me|to me|sounds like|"
    r"looks like|feels like|my (?:guess|sense|impression|hope|worry|hunch) is|as i (?:see|understand|understood)|"
    r"as far as i|from where i stand|i expect|i see|so far|tend(?:s|ed)? to|would (?:say|like)|i'd (?:say|like|"
    r"love|prefer)|ideally|hopefully|unless|"
    r"whether)\b"
)
_WEAK_HEDGE = re.compile(r"\b(?:maybe|perhaps|possibly|might|could|not sure|whether|unless)\b")
_NEGATOR = re.compile(r"(?:\b(?:not|never|hardly|without|neither|nor|no longer)|n't|\bcannot)(?:\s+[\w'-]+){0,2}\s+$")
_REJECTS = re.compile(
    r"\b(?:not|never|stop|stopped|avoid|avoiding|instead of|rather than|too strong|unfair|disagree|so-called|quit|"
    r"without|cannot)\b|n't\b"
)
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{1,300})[\"”“»]")
_OWN_ACT = re.compile(r"\b(?:i|we)(?:'ll| will| shall| am going to|'m going to| can| promise| would| commit)\b")
_OWN_PLAN = re.compile(
    r"\b(?:i|we)(?:'re|'m| are| am)(?: (?:now|also|still|just))? (?:adding|asking|bringing|buying|calling|changing|"
    r"checking|closing|copying|counting|cutting|doing|fixing|giving|going through|handing|hiring|inviting|keeping|"
    r"making|measuring|merging|migrating|moving|opening|painting|paying|planning|printing|putting|reading|rebuilding|"
    r"renaming|repeating|replacing|reviewing|rolling|running|selling|sending|setting|shipping|stopping|switching|"
    r"taking|teaching|telling|testing|training|trying|turning|updating|using|visiting|writing)\b"
)
"""Work that somebody says they are doing: "we're moving every team" counts teams. Outcomes ("we're losing everyone")
and habits of others do not belong here."""
_PROMISED = re.compile(
    r"^\W*(?:send|bring|write|call|ring|check|ask|look|do|be there|come|make sure|keep|tell|let you know|help|join|try|"
    r"read|review|share|follow|add|put|finish|prepare|update|take|get back|attend|vote|talk|raise|pass)\b"
)
_PAST = re.compile(
    r"^\W*(?:else\s+)?(?:(?:of|in|on|from|at)\s+(?:[\w'-]+\s+){1,3}?)?(?:has|have|had|was|were|did|'s been|replied|"
    r"said|came|told|asked|went|knew|signed|turned|joined|raised|spoke|objected|answered|wrote|saw|noticed|called|left|"
    r"showed|\w{3,}ed)\b"
)
_TIMED = re.compile(
    r"\d|\b(?:yesterday|last|today|tonight|tomorrow|this (?:morning|week|month|year)|until|by law|"
    r"every (?:day|week|month|year)|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|april|"
    r"june|july|august|september|october|november|december)\b"
)
_ROUTINE = re.compile(
    r"^\W*(?:to\s+)?(?:also |still |then |maybe |first |really |probably )?(?:think|figure|decide|discuss|talk|find|"
    r"check|clarify|know|ask|look|see|agree|understand|consider|make sure|be careful|be clear|plan|work out|review|"
    r"wait|remember|say|pick|choose|revisit|define|settle|come back|follow up|get|take care|read|vote|keep|wrap|start|"
    r"move on|finish|go|leave|sort|learn|set|update|schedule|add|write|do that anyway|do anyway|confirm|prepare|report|"
    r"be able|tell|send|collect|pay attention|balance|address|help|mention|stop here)\b"
)
_MANNER = re.compile(
    r"\b(?:speak|write|written|marked|labell?ed|stated?|defined?|visible|see|explain(?:ed)?|mark|show|say|said|"
    r"communicate[ds]?|think|document(?:ed)?|separate[d]?|describe[d]?|put|set out|spell(?:ed)? out|express(?:ed)?)\s+"
    r"(?:[\w'-]+ ){0,3}$"
)
_FIXED = re.compile(
    r"never mind|never heard|of course,? (?:go|please|you (?:may|can)|take|help|come|ask)|(?:hello|hi|thanks|thank you|"
    r"welcome|morning|evening|afternoon|sorry|happy \w+),? (?:to )?(?:everyone|everybody|all|anyone)|"
    r"(?:everyone|anyone|nobody) else|nothing (?:else|more|new|to add|further|for me|from me|much|major|on)\b|"
    r"for everyone's sake|better than nothing|next to nothing|nothing but|nothing to do with|"
    r"always (?:good|nice|welcome|great|happy|a pleasure)|as always|(?:completely|totally|absolutely|entirely|fully|"
    r"definitely|wholly) (?:agree|agreed|understand|understandable|right|fine|fair|true|reasonable|happy|new|separate|"
    r"free|empty|possible|welcome|unrelated|sure|makes sense|worth|open)|absolutely[.!]?$|definitely[.!]?$|"
    r"clearly[.!]?$|if (?:everyone|everybody|nobody|anyone|nothing|all)|(?:does|is|has|can|did|would|will|could) "
    r"(?:everyone|everybody|anyone|anybody|nobody)|(?:tell|send|ask|invite|remind|thank|let|make|give|email|poll|copy|"
    r"inform|to|for|with|by|from|than|of) (?:everyone|everybody|anyone|anybody)|made (?:it )?(?:very |quite )?clear|"
    r"clear(?:ly)? enough|definitely want to|to be clear|not clear|once and for all"
)
_COURSE = re.compile(r",? (?:it|this|that|they|he|she|the|we|people|everyone|nobody|our) ")
_SUBJECT_NEXT = re.compile(r",? (?:it|this|that|they|he|she|the|people|everyone|nobody|our|there|you) ")
_CROWD = ("nobody", "no one", "no-one", "nothing", "everyone", "everybody")
_FREQUENCY = ("always", "never", "nothing", "every time")
_OPEN_SUBJECTS = frozenset(
    ("we", "us", "i", "it", "this", "that", "these", "those", "such", "things", "somebody", "someone", "one", "of")
)
_NEGATED_INSIDE = frozenset({"either_or", "silence", "lukewarm", "resistant", "disagreed"})
_NEAR = 400  # characters around a cue that are looked at; keeps a sentence of any length cheap


class _Place(NamedTuple):
    """A cue in its clause; ``said``, ``before``, ``after`` and ``clause`` are folded."""

    cue: Cue
    said: str
    before: str
    after: str
    clause: str

    def subject(self, words: int) -> list[str]:
        """The last words before the cue."""
        return re.findall(r"[\w'-]+", self.before)[-words:]


def scope(sentence: str, cue: Cue) -> Scope | None:
    """Why the strong word is fine here, or None when nothing in the sentence excuses it.

    Errs towards excusing: a wrong accusation costs more than a missed one. Follows "not this kind" in the definition of
    categorical phrasing; cues of other kinds are excused only by negation, question and rejected quotation.
    """
    text = fold(sentence)
    ending = re.search(r"[.!?]", text[cue.end : cue.end + _NEAR])
    if ending and ending.group() == "?":
        return Scope.QUESTION
    if _rejected(text, cue):
        return Scope.REPORTED
    place = _place(text, cue)
    if cue.subtype not in _NEGATED_INSIDE and _NEGATOR.search(place.before):
        return Scope.NEGATION
    if cue.kind != "categorical":
        return None
    return next(filter(None, (excuse(place) for excuse in (_idiom, _hedged, _own, _rule, _literal, _planned))), None)


def _place(text: str, cue: Cue) -> _Place:
    start = max(0, cue.start - _NEAR)
    for match in _CLAUSE_BREAK.finditer(text, start, cue.start):
        start = match.end()
    close = _CLAUSE_BREAK.search(text, cue.end, cue.end + _NEAR)
    end = close.start() if close else min(len(text), cue.end + _NEAR)
    return _Place(cue, text[cue.start : cue.end], text[start : cue.start], text[cue.end : end], text[start:end])


def _rejected(text: str, cue: Cue) -> bool:
    """Whether the cue is quoted by somebody who turns it down: 'let us stop saying "nobody cares"'."""
    left, right = max(0, cue.start - _NEAR), cue.end + _NEAR
    for quoted in _QUOTED.finditer(text, left, right):
        if quoted.start() <= cue.start and cue.end <= quoted.end():
            around = text[max(0, quoted.start() - 80) : quoted.start()] + " " + text[quoted.end() : quoted.end() + 60]
            return bool(_REJECTS.search(around))
    return False


def _idiom(place: _Place) -> Scope | None:
    lead = place.before[-24:].lstrip()
    near = lead + place.said + place.after[:24]
    if any(m.start() <= len(lead) + len(place.said) and m.end() >= len(lead) for m in _FIXED.finditer(near)):
        return Scope.IDIOM
    certain = place.cue.subtype == "certainty"
    if certain and (_MANNER.search(place.before) or (place.said == "of course" and not _COURSE.match(place.after))):
        return Scope.IDIOM
    if place.said in ("certainly", "definitely", "surely") and not place.before.strip(" ,"):
        return None if _SUBJECT_NEXT.match(place.after) else Scope.IDIOM
    if place.said == "either":
        # Looked for in two steps: from each "or" to the end would take the square of a long text.
        other = re.search(r"\bor\b", place.after)
        if not other or not re.search(
            r"\b(?:we|i|you|they|he|she|it|there|the|can|is|will)\b", place.after[other.end() :]
        ):
            return Scope.IDIOM
    return None


def _hedged(place: _Place) -> Scope | None:
    if place.cue.subtype in ("presumed_consent", "savior", "certainty"):  # "I think we all agree" still speaks for all
        return Scope.HEDGE if _WEAK_HEDGE.search(place.before) else None
    hedged = _HEDGE.search(place.before) or _WEAK_HEDGE.search(place.after[:30])
    return Scope.HEDGE if hedged else None


def _own(place: _Place) -> Scope | None:
    if place.cue.subtype not in ("absolute", "certainty", "prediction", "directive"):
        return None
    if _OWN_ACT.search(place.before[-40:]) or (_OWN_ACT.search(place.clause) and _PROMISED.match(place.after)):
        return Scope.OWN_PROMISE
    if place.cue.subtype in ("directive", "prediction") and re.match(r"i\b", place.said):
        return Scope.OWN_PROMISE
    if place.cue.subtype == "absolute":
        if place.said.startswith("every ") and _OWN_PLAN.search(place.before[-60:]):
            return Scope.OWN_PROMISE
        if re.search(r"\b(?:i|i've|i'd|i'm)\s+(?:[\w']+\s+){0,2}$", place.before):
            return Scope.EXPERIENCE
        if re.search(r"\bwe(?:'ve| had|'d)?\s+$", place.before) and _TIMED.search(place.clause):
            return Scope.EXPERIENCE
    return None


def _rule(place: _Place) -> Scope | None:
    if place.cue.subtype not in ("absolute", "directive", "certainty"):
        return None
    if not listed("rules").isdisjoint(re.findall(r"[\w'-]+", place.clause)):
        return Scope.RULE
    if place.said in _FREQUENCY and not place.before.strip() and re.match(r"\s*[a-z]+\b", place.after):
        return Scope.RULE  # an instruction: "Never open both valves"
    return None


def _literal(place: _Place) -> Scope | None:
    """What did or did not happen, and how a thing works."""
    if place.cue.subtype != "absolute":
        return None
    if place.said in _CROWD and (
        _PAST.match(place.after) or _TIMED.search(place.clause) or re.match(r"(?:'s| has| have)? got\b", place.after)
    ):
        return Scope.FACT
    if place.said not in _FREQUENCY:
        return None
    subject = place.subject(4)
    human = any(word in listed("people") or word in _OPEN_SUBJECTS for word in subject)
    verb = re.match(r"\W*([\w']+)", place.after)
    technical = not listed("things").isdisjoint(subject) or (verb and verb.group(1) in listed("technical_verbs"))
    return (
        Scope.FACT if subject and not human and (technical or not any(w.endswith("s") for w in subject[-2:])) else None
    )


def _planned(place: _Place) -> Scope | None:
    """Requirements on things, and a group planning its own next step."""
    if place.cue.subtype != "directive":
        return None
    if re.match(r"(?:must|needs?|has|have)\b", place.said):
        people = listed("people") | {"we", "i"}
        return Scope.REQUIREMENT if people.isdisjoint(place.subject(5)) else None
    if re.match(r"it\b", place.said):
        return Scope.REQUIREMENT
    if re.match(r"(?:we|i|you)\b.*(?:have|has|need|needs|had|got)\b", place.said) and _ROUTINE.match(place.after):
        return Scope.ROUTINE
    if re.search(r"can't|cannot", place.said) and not re.search(r"\byou\b", place.said):
        return Scope.FACT
    return None


# --- tentativeness ----------------------------------------------------------------------------------------------

MARKERS = ("hedge", "acknowledge", "booster", "contradict", "categorical", "question")
"""What tentativeness is made of, in the order of the weights in ``data/tentativeness.json``."""

_TYPICAL = 12  # words: a rate is per this many, and shorter texts are not made extreme by it
_MOST = 3.0


def markers(text: str) -> tuple[float, ...]:
    """Rates of the :data:`MARKERS` per twelve words, each at most three; ``categorical``: strong words out of scope."""
    found = cues(text)
    length = max(len(re.findall(r"\w+", text)), _TYPICAL) / _TYPICAL
    counts = [float(sum(c.kind == "tone" and c.subtype == name for c in found)) for name in MARKERS[:4]]
    counts.append(float(sum(c.kind == "categorical" and scope(text, c) is None for c in found)))
    counts.append(float(text.count("?")))
    return tuple(min(count / length, _MOST) for count in counts)


def tentativeness(text: str) -> float:
    """How much room the words leave for another view, 0 (none) to 1 (a lot); 0.5 is about the average sentence.

    A logistic of weighted marker rates: hedges and boosters (Hyland 2005, "Metadiscourse"), and acknowledging without
    contradicting, which others find receptive (Yeomans et al. 2020, "Conversational receptiveness"). The
    weights were fitted on certainty ratings of sentences (Pei & Jurgens 2021) and on receptiveness ratings of
    replies; ``training/tentativeness.py`` fits them and prints the rank correlations in docs/design/wording.md.
    """
    weights, offset = _tone_weights()
    score = offset + sum(w * rate for w, rate in zip(weights, markers(text), strict=True))
    return 1 / (1 + math.exp(-score))


@cache
def _tone_weights() -> tuple[tuple[float, ...], float]:
    import json

    fitted = json.loads((DATA / "tentativeness.json").read_text(encoding="utf-8"))
    return tuple(float(fitted["weights"][name]) for name in MARKERS), float(fitted["offset"])
