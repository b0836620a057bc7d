"""Cue words and what they do in a sentence: strong words, their harmless uses, hedges, and the words of uptake.

A cue says "look here", nothing more. :func:`scope` says why a strong word is fine where it stands, and
:func:`tentativeness` how much room a text leaves for another view. The words live in ``data/lexicon.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"

_WORD = re.compile(r"\+?\w[\w'%-]*")
_CLAUSE_START = re.compile(r"(?:^|[.!?…:;—–-]\s|[\"“(*]|(?:^|,\s)(?:and|but|so|well|oh|ah|look|yes|no|then|right)[,\s]\s*)\W*$")
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


def cues(sentence: str) -> tuple[Cue, ...]:
    """All cues of the sentence in order of appearance; where two of one list overlap, the longer one."""
    folded = fold(sentence)
    index = _index()
    found: dict[tuple[str, str], list[Cue]] = {}
    for word in _WORD.finditer(folded):
        spelled = word.group()
        head = spelled.partition("'")[0]
        for entry in index.get(spelled, ()) + (index.get(head, ()) if head != spelled else ()):
            if entry.at_start and not _CLAUSE_START.search(folded, max(0, word.start() - 12), word.start()):
                continue
            match = entry.pattern.match(folded, word.start())
            if not match:
                continue
            start, end = match.span()
            kept = found.setdefault((entry.kind, entry.subtype), [])
            if kept and kept[-1].end > start:
                if kept[-1].start == start and end > kept[-1].end:
                    kept.pop()
                else:
                    continue
            kept.append(Cue(entry.kind, entry.subtype, start, end, sentence[start:end]))
    return tuple(sorted((c for group in found.values() for c in group), key=lambda c: (c.start, -c.end, c.kind, c.subtype)))


def has(sentence: str, kind: str, *subtypes: str) -> bool:
    """Whether the sentence holds a cue of that kind (and one of those subtypes, when given)."""
    return any(c.kind == kind and (not subtypes or c.subtype in subtypes) for c in cues(sentence))


@cache
def _data() -> dict[str, dict[str, list[object]]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, dict[str, list[object]]] = yaml.load((DATA / "lexicon.yaml").read_bytes(), Loader=loader)  # noqa: S506
    return data


@cache
def _listed(name: str) -> frozenset[str]:
    return frozenset(str(word) for word in _data()["scope"][name])


@cache
def _index() -> dict[str, tuple[_Entry, ...]]:
    """Entries by the first word they can begin with: a sentence is looked up word by word, not pattern by pattern."""
    index: dict[str, list[_Entry]] = {}
    for kind, lists in _data().items():
        if kind == "scope":
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
    short = {_CONTRACTIONS[w] for w in words if w in _CONTRACTIONS and gap}
    return f"(?:{spelled}|'(?:{'|'.join(sorted(short))})\\b)" if short else spelled


# --- scope: why a strong word is fine ---------------------------------------------------------------------------

_CLAUSE_BREAK = re.compile(r"[.!?;:—–(){}\[\]|]|\s-\s|,\s+(?:but|and|so|because|which|although|though|since|then|while)\b")
_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|presumably|apparently|arguably|seems?|seemed|appears?|might|could|may be|almost|nearly|"
    r"hardly|mostly|practically|i (?:think|believe|feel|guess|suppose|suspect|fear|hope|wonder|imagine|reckon)|i'm (?:not sure|afraid)|"
    r"in my (?:view|opinion|experience)|for me|to me|as far as i|sounds like|looks like|feels like|tend(?:s|ed)? to|would (?:say|like)|"
    r"i'd (?:say|like|love|prefer)|ideally|hopefully|unless|whether)\b"
)
_WEAK_HEDGE = re.compile(r"\b(?:maybe|perhaps|possibly|might|could|not sure|whether|unless)\b")
_NEGATOR = re.compile(r"(?:\b(?:not|never|hardly|without|neither|nor|no longer)|n't|\bcannot)(?:\s+[\w'-]+){0,2}\s+$")
_REJECTS = re.compile(
    r"(?:\b(?:not|never|stop|stopped|avoid|avoiding|instead of|rather than|too strong|unfair|disagree|so-called|don't|wouldn't|"
    r"shouldn't|can't|quit|without)\b|n't\b)"
)
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{1,300})[\"”“»]")
_FIRST_PERSON = re.compile(r"\b(?:i|i've|i'd|i'll|i'm|me|my)\b")
_OWN_ACT = re.compile(r"\b(?:i|we)(?:'ll| will| shall| am going to|'m going to| can| promise| would| commit)\b")
_PROMISED = re.compile(r"^\W*(?:send|bring|write|call|ring|check|ask|look|do|be there|come|make sure|keep|tell|let you know|help|join|try|"
                       r"read|review|share|follow|add|put|finish|prepare|update|take|get back|attend|vote|talk|raise|pass)\b")
_PAST = re.compile(
    r"^\W*(?:else\s+)?(?:(?:of|in|on|from|at)\s+(?:[\w'-]+\s+){1,3}?)?(?:has|have|had|was|were|did|'s been|replied|said|came|told|asked|went|knew|"
    r"signed|turned|joined|raised|spoke|objected|answered|wrote|saw|noticed|called|left|showed|\w{3,}ed)\b"
)
_TIMED = re.compile(
    r"\d|\b(?:yesterday|last|today|tonight|tomorrow|this (?:morning|week|month|year)|until|by law|every (?:day|week|month|year)|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|april|june|july|august|september|october|november|december)\b"
)
_ROUTINE = re.compile(
    r"^\W*(?:to\s+)?(?:also |still |then |maybe |first |really |probably )?(?:think|figure|decide|discuss|talk|find|check|clarify|know|ask|look|see|agree|"
    r"understand|consider|make sure|be careful|be clear|plan|work out|review|wait|remember|say|pick|choose|revisit|define|settle|"
    r"come back|follow up|get|take care|read|vote|keep|wrap|start|move on|finish|go|leave|sort|learn|set|update|schedule|add|write|"
    r"do that anyway|do anyway|confirm|prepare|report|be able|tell|send|collect|pay attention|balance|address|help|mention|stop here)\b"
)
_MANNER = re.compile(r"\b(?:speak|write|written|marked|labell?ed|stated?|defined?|visible|see|explain(?:ed)?|mark|show|say|said|communicate[ds]?|"
                     r"think|document(?:ed)?|separate[d]?|describe[d]?|put|set out|spell(?:ed)? out|express(?:ed)?)\s+(?:it |that |this |them |things )?(?:very |more |so )?$")
_FIXED = re.compile(
    r"never mind|never heard|of course,? (?:go|please|you (?:may|can)|take|help|come|ask)|(?:hello|hi|thanks|thank you|welcome|morning|evening|afternoon|"
    r"sorry|happy \w+),? (?:to )?(?:everyone|everybody|all|anyone)|everyone else|anyone else|nobody else|nothing (?:else|more|new|to add|further|for me|from me|"
    r"much|major|on)\b|for everyone's sake|better than nothing|next to nothing|nothing but|nothing to do with|always (?:good|nice|welcome|great|happy|a pleasure)|as always|"
    r"(?:completely|totally|absolutely|entirely|fully|definitely|wholly) (?:agree|agreed|understand|understandable|right|fine|fair|true|reasonable|happy|new|different|"
    r"separate|free|empty|possible|welcome|unrelated|sure|makes sense|worth|open)|absolutely[.!]?$|definitely[.!]?$|clearly[.!]?$|exactly|if (?:everyone|everybody|nobody|anyone|nothing|all)|(?:does|is|has|can|did|would|will|could) "
    r"(?:everyone|everybody|anyone|anybody|nobody)|(?:tell|send|ask|invite|remind|thank|let|make|give|email|poll|copy|inform|to|for|with|by|from|than|of) (?:everyone|everybody|anyone|anybody)|"
    r"made (?:it )?(?:very |quite )?clear|clear(?:ly)? enough|to be clear|not clear|once and for all|all always"
)
_LITERAL_PEOPLE = re.compile(r"\b(?:present|in the room|on the (?:call|list|team|rota|shift)|at the (?:table|meeting))\b")


def scope(sentence: str, cue: Cue) -> Scope | None:
    """Why the strong word is fine here, or None when nothing in the sentence excuses it.

    Errs towards excusing: a wrong accusation costs more than a missed one. Follows "not this kind" in the definitions of
    categorical phrasing; cues of other kinds are excused only by negation, question and rejected quotation.
    """
    text = fold(sentence)
    start, end = _clause(text, cue.start, cue.end)
    before, after, clause = text[start : cue.start], text[cue.end : end], text[start:end]
    if _asked(text, cue.end):
        return Scope.QUESTION
    if _rejected(text, cue):
        return Scope.REPORTED
    if cue.subtype not in _NEGATED_INSIDE and _NEGATOR.search(before):
        return Scope.NEGATION
    if cue.kind != "categorical":
        return None
    for excuse in _EXCUSES:
        found = excuse(cue, before, after, clause, text)
        if found:
            return found
    return None


_NEGATED_INSIDE = frozenset({"either_or", "silence", "lukewarm", "resistant"})


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    left = start
    for match in _CLAUSE_BREAK.finditer(text, max(0, start - 400), start):
        left = match.end()
    else:
        left = left if left != start or (start and _CLAUSE_BREAK.search(text, max(0, start - 400), start)) else max(0, start - 400)
    match = _CLAUSE_BREAK.search(text, end)
    return min(left, start), match.start() if match else len(text)


def _asked(text: str, end: int) -> bool:
    match = re.search(r"[.!?]", text[end : end + 400])
    return bool(match and match.group() == "?")


def _rejected(text: str, cue: Cue) -> bool:
    for quoted in _QUOTED.finditer(text):
        if quoted.start() <= cue.start and cue.end <= quoted.end():
            around = text[max(0, quoted.start() - 80) : quoted.start()] + " " + text[quoted.end() : quoted.end() + 60]
            return bool(_REJECTS.search(around))
    return False


def _idiom(cue: Cue, before: str, after: str, clause: str, text: str) -> Scope | None:
    near = (before[-24:] + text[cue.start : cue.end] + after[:24]).strip()
    for match in _FIXED.finditer(near):
        at = len(before[-24:].lstrip()) if before[-24:].strip() else 0
        if match.start() <= at + (cue.end - cue.start) and match.end() >= at:
            return Scope.IDIOM
    if cue.subtype == "certainty" and _MANNER.search(before):
        return Scope.IDIOM
    return None


def _hedged(cue: Cue, before: str, after: str, clause: str, text: str) -> Scope | None:
    if cue.subtype in ("presumed_consent", "savior", "certainty"):
        return Scope.HEDGE if _WEAK_HEDGE.search(before) else None
    if _HEDGE.search(before) or _WEAK_HEDGE.search(after[:30]):
        return Scope.HEDGE
    return None


def _own(cue: Cue, before: str, after: str, clause: str, text: str) -> Scope | None:
    if cue.subtype in ("absolute", "certainty", "prediction", "directive"):
        if _OWN_ACT.search(before[-40:]) or (_OWN_ACT.search(clause) and _PROMISED.match(after)):
            return Scope.OWN_PROMISE
        said = text[cue.start : cue.end]
        if cue.subtype == "directive" and re.match(r"i\b", said):
            return Scope.OWN_PROMISE
        if cue.subtype == "absolute" and re.search(r"\b(?:i|i've|i'd|i'm)\s+(?:[\w']+\s+){0,2}$", before):
            return Scope.EXPERIENCE
        if cue.subtype == "absolute" and re.search(r"\bwe(?:'ve| had|'d)?\s+$", before) and _TIMED.search(clause):
            return Scope.EXPERIENCE
    return None


def _literal(cue: Cue, before: str, after: str, clause: str, text: str) -> Scope | None:
    words = set(re.findall(r"[\w'-]+", clause))
    said = text[cue.start : cue.end]
    if cue.subtype in ("absolute", "directive", "certainty") and words & _listed("rules"):
        return Scope.RULE
    if cue.subtype == "absolute":
        subject = re.findall(r"[\w'-]+", before)[-4:]
        if said in ("nobody", "no one", "no-one", "nothing", "none", "everyone", "everybody", "anyone", "anybody") and _PAST.match(after):
            return Scope.FACT
        if said in ("always", "never", "nothing", "none", "every time"):
            if not before.strip() and re.match(r"\s*[a-z]+\b", after):
                return Scope.RULE
            human = any(w in _listed("people") or w in ("we", "us") for w in subject)
            verb = re.match(r"\W*([\w']+)", after)
            if not human and (set(subject) & _listed("things") or (verb and verb.group(1) in _listed("technical_verbs"))):
                return Scope.FACT
    if cue.subtype == "directive":
        subject = re.findall(r"[\w'-]+", before)[-5:]
        if re.match(r"(?:must|needs?|has|have)\b", said) and not (set(subject) & (_listed("people") | {"we", "i"})):
            return Scope.REQUIREMENT
        if re.match(r"(?:it|this|that)\b", said):
            return Scope.REQUIREMENT
        if re.match(r"(?:we|i|you)\b.*(?:have|has|need|needs|had|got)\b", said) and _ROUTINE.match(after):
            return Scope.ROUTINE
        if re.search(r"can't|cannot|can not", said) and not re.search(r"\byou\b", said):
            return Scope.FACT
    return None


_EXCUSES = (_idiom, _hedged, _own, _literal)
