"""A tentative version of a categorical sentence: same meaning, numbers, names and negation, and room for another view.

The rewriter owns what is said ("as I see it"), weakens the strong word and leaves the rest alone. It adds no claim of
its own, and gives up (``None``) rather than say something crooked; :func:`question` then asks instead. The rules live
in ``data/rewrites.yaml``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from coach.lexicon import cues, fold, listed, load, scope, tentativeness

Choice = TypeVar("Choice")

_MAX_WORDS = 45
_GROWTH = 1.5
_SLACK = 24  # characters that a short sentence may grow beyond the ratio: "This will fail." has no room for a frame


def rewrite(sentence: str, subtype: str | None = None) -> str | None:
    """A tentative version of the sentence, or None when there is no good one (then ask :func:`question`).

    ``subtype`` is one of `coach.schema.CATEGORICAL_SUBTYPES`; without it, that of the first strong word out of scope.
    The result has the same numbers, names and negation, and at most half again the length. Deterministic.
    """
    text = " ".join(sentence.split())
    quoted = re.fullmatch(r"[\"“„](.+)[\"”“]", text)
    if quoted and not re.search(r"[\"“”„]", quoted.group(1)):
        text = quoted.group(1)
    text = _LABEL.sub("", text.replace("’", "'"))
    kind = subtype or _strongest(text)
    if kind is None or kind not in _rules()["rules"] or text.endswith("?") or len(text.split()) > _MAX_WORDS:
        return None
    bare = _capital(_TAIL.sub("", _OPENER.sub("", _ASIDE.sub(" ", text)).rstrip(" .!…")))
    if not _workable(bare):
        return None
    for rule in _rules()["rules"][kind]:
        for changed in (*_versions(rule, bare), *_versions(rule, _drop(bare))):
            finished = _finish(changed)
            if _kept(text, finished) and _softened(text, finished, kind):
                return finished
    return None


def question(sentence: str, subtype: str | None = None) -> str:
    """A question that opens the sentence up, for when it has no good rewrite; always the same one for a sentence."""
    questions = _rules()["questions"]
    return str(_turned(sentence, questions.get(subtype or _strongest(sentence), questions["certainty"]))[0])


@cache
def _rules() -> Mapping[str, Any]:
    return load("rewrites.yaml")


def _strongest(text: str) -> str | None:
    strong = (c.subtype for c in cues(text) if c.kind == "categorical" and scope(text, c) is None)
    return next(strong, None)


# --- what can be rewritten at all --------------------------------------------------------------------------------

_LABEL = re.compile(r"^[\w.]+(?: [\w.]+)?:\s+(?=\w)")
_OPENER = re.compile(
    r"^(?:(?:and|but|so|well|anyway|honestly|frankly) (?=[a-z'])|(?:look|listen|honestly|frankly|well|so|and|"
    r"but|now|right|okay|ok|anyway|folks|sorry|come on|let's be (?:honest|clear|real|serious|realistic)|"
    r"to be (?:clear|honest|frank)|let us be (?:honest|clear|frank)|let me be (?:clear|honest|frank)|"
    r"let's face it|make no mistake|mark my words|i'm sorry|for the record)\s*[,:]\s+)+",
    re.I,
)
_ASIDE = re.compile(
    r",\s*(?:let's be (?:honest|clear|real|serious)|let us be (?:honest|clear|frank)|to be honest|believe me|"
    r"trust me|frankly|you know|mark my words),\s*",
    re.I,
)
_TAIL = re.compile(
    r"(?:,\s*+|(?<!\s)\s++|)(?:[-–—]\s*+)?\b(?:end of (?:story|discussion|debate)|full stop|period|that's (?:just |"
    r"simply )?(?:a |the )?(?:fact|final|that)|no (?:doubt|question) about (?:it|that)|there(?:'s|"
    r" is) (?:simply )?no (?:doubt|question) about (?:it|that)|that is certain|trust me|believe me|"
    r"mark my words|no exceptions|no excuses|and that's (?:that|final)|everybody knows (?:that|it)|"
    r"everyone knows (?:that|it)|no ifs(?: or|,? no) buts|i guarantee (?:it|you)|like it or not|"
    r"whether you like it or not)\b(?=\W*$)",
    re.I,
)
_SPLICE = re.compile(
    r",\s+(?:we|they|it|he|she|you|i|nobody|everyone|everybody|there)(?:'\w+)?\s+\w+|,\s+(?:the|this|that|"
    r"these|those|our|my|your)(?: [\w-]+){0,2}(?: (?:is|are|was|were|will|goes?|has|have|had)\b|'s\b)",
    re.I,
)
_SUBORDINATE = re.compile(
    r"(?:if|when|once|as|after|before|until|by|in|with|without|since|while|unless|on|at|for|from|because|"
    r"although|where|under|to|hearing|seeing)\b",
    re.I,
)
_TRUST = re.compile(r"^(?:trust|believe) me[^,]{0,20},", re.I)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|am|has|have|had|do|does|did|will|would|can|could|may|might|must|shall|should|"
    r"cannot|needs?|wants?|likes?|loves?|hates?|knows?|thinks?|makes?|takes?|works?|gets?|goes|go|comes?|"
    r"costs?|means?|cares?|listens?|reads?|helps?|solves?|fails?|loses?|wins?|runs?|says?|sees?|finds?|keeps?|"
    r"gives?|puts?|wastes?|ends?|brings?|improves?|raises?|breeds?|carry|carries|collaborates?|saves?|hurts?|"
    r"kills?|ruins?|agrees?|supports?|accepts?|learns?|leaves?|complains?|forgets?|stays?|stands?|changes?|"
    r"starts?|uses?|buys?|pays?|pay|write|arrive|arrives|turns?|belongs?|happens?|feels?|ignores?|blames?|"
    r"expects?|always|never|nobody|everyone|everybody|no one|\w{2,}s|left|said|went|came|made|took|got|gave|"
    r"\w+ed)\b|(?:'(?:s|re|ll|ve|d|m)|n't)\b",
    re.I,
)
_REPORTED = re.compile(
    r"\b(?:said|says|stated|remarked|observed|added|wrote|noted|argued|insisted|held|explained|told|claimed|"
    r"recorded|expressed|reported|agreed) (?!as\b)(?:that\b|it\b|the\b|himself|herself|out\b)|"
    r"^(?:the )?(?:chair|chairman|chairwoman|clerk|secretary|head|mayor|president|board)\b|^[A-Z]\w+ (?:said|"
    r"says|stated|added|wrote|read|noted|thought)\b",
    re.I,
)
_UNFIT = re.compile(
    r"\||^[^\w$€£]|https?:|\b(?:uh|um|erm|gonna)\b|[.!?]\s+\w|\bI (?:think|believe|guess|suppose|feel|"
    r"would say)\b|\bI'd (?:expect|say)\b|^(?:what|which|how|why|who)\b|\bit is$",
    re.I,
)
_HARSH = re.compile(
    r"\b(?:get used to|live with (?:it|that|this)|deal with (?:it|that|this)|grow up|calm down|shut up|behave|"
    r"like it or not|pull yourselves?|stop (?:whining|moaning|complaining)|idiots?|lazy|stupid|"
    r"trust the system|trust us|see that through|or you can|, or (?:we|you|they|i|it)|you people|"
    r"there's the door|useless|hopeless|accept the|don't want to (?:hear|discuss)|the way it is|how it is|"
    r"or we drown|needs to be afraid|crazy|insane)\b",
    re.I,
)
"""What no softer wording makes fit to say: the coach asks instead."""


def _workable(bare: str) -> bool:
    """Whether this is one clause (or a clause with its subordinate) in somebody's own words."""
    if _HARSH.search(bare) or _UNFIT.search(bare) or _REPORTED.search(bare) or not _FINITE.search(bare):
        return False
    return len(_SPLICE.findall(_TRUST.sub("", bare))) <= bool(_SUBORDINATE.match(bare))


# --- making versions ---------------------------------------------------------------------------------------------


def _versions(rule: Mapping[str, Any], text: str) -> Iterator[str]:
    """What a rule makes of a text, the version to prefer first; nothing where it does not apply."""
    if rule.get("turn") == "possibility":
        yield from _as_possibility(text)
    elif rule.get("turn") == "question":
        yield from _as_question(text)
    elif "frame" in rule:
        yield from _framed(_weaken(_drop(text)), rule["frame"])
    elif match := _pattern(rule["when"]).fullmatch(text):
        for template in _turned(text, rule["say"]):
            filled = _filled(template, match)
            if filled is not None:
                yield _soft_know(_weaken(_drop(filled))) if rule.get("and") == "soften" else filled


@cache
def _pattern(when: str) -> re.Pattern[str]:
    rules = _rules()
    return re.compile(when.replace("%who%", rules["who"]).replace("%duty%", rules["duty"]), re.I)


_OBJECT = {"we": "us", "they": "them", "he": "him", "she": "her", "i": "me"}


def _filled(template: str, match: re.Match[str]) -> str | None:
    values: dict[str, str] = {}
    for slot in re.findall(r"\{([a-z:]+)\}", template):
        how, _, name = slot.rpartition(":")
        value = match.group(name) or ""
        small = _small(value.strip())
        if how == "small":
            if small is None:
                return None
            value = small
        elif how == "ing":
            value = gerund(value)
        elif how == "obj":
            value = _OBJECT.get(fold(value), small or value)
        values[slot] = value
    return re.sub(r"\{([a-z:]+)\}", lambda slot: values[slot.group(1)], template)


def _framed(text: str, frames: str) -> Iterator[str]:
    """The clause behind first-person frames, or before them when its first word may be a name."""
    if _NO_CLAUSE.match(text):
        return
    small = _small(text)
    for front, tail in (*_turned(text, _rules()["frames"][frames]), ("I think", "I think")):
        if small is not None:
            yield f"{front} {small}"
        elif not re.search(r"[,;:—–]", text):
            yield f"{text}, {tail}"


_NO_CLAUSE = re.compile(
    r"(?:then|because|give|make|let|let's|no|yes|yeah|not|um|uh|okay|ok|haha|nah|having|aside|too|recorded|"
    r"marked|happy|easier|seen|noted|minuted|carried|don't|please|thanks|lovely|good|great|fine|right|"
    r"definitely|to|which|who|what|why|how|i|i've|i'm|i'd|i'll|can|could|should|so|or|and|but)\b",
    re.I,
)
_STATE = (
    r"(?:love|like|want|know|hate|understand|need|thank|be|have|see|wonder|remember|notice|mind|regret|welcome|enjoy|"
    r"prefer|feel|appreciate|believe|agree|care)\b"
)
_WILL = re.compile(
    r"(?:\bwill|'ll|\b(?:is|are) (?:going|bound|certain|sure|guaranteed|destined) to|'(?:s|re) (?:going|bound|"
    r"certain|sure|guaranteed) to|\b(?:is|are) gonna|'(?:s|re) gonna)\b",
    re.I,
)
_WONT = re.compile(
    r"(?:\bwon't|\bwill (?:not|never)|'ll (?:not|never)|\b(?:is|are) (?:not|never) going to|'(?:s|re) (?:not|"
    r"never) (?:going to|gonna)|\b(?:isn't|aren't) going to)(?: ever)?\b",
    re.I,
)


def _as_possibility(text: str) -> Iterator[str]:
    """A forecast as a possibility: "will halve" as "could halve", "won't last" as "may not last", in a frame."""
    out = re.sub(r"\b(?:inevitably|always|certainly|definitely|all|soon)\s+(?=[a-z])", "", _drop(text))
    out, refused = _WONT.subn(" may not", out)
    # "Nobody could miss it" would say something else than "nobody will miss it".
    if re.match(r"(?:if|nobody|no one|no-one)\b", out, re.I) or (refused and _WILL.search(out)):
        return
    if not refused:
        if len(_WILL.findall(out)) != 1 or re.search(_WILL.pattern + r"\s+(?:\w+\s+)?" + _STATE, out, re.I):
            return
        out = _WILL.sub(" could", out)
    yield from _framed(re.sub(r"\s{2,}", " ", out), "possible")


_CLAIM = re.compile(
    r"(?P<s>(?:we|you|they)(?: all| both)?|that|everyone|everybody|(?:the|our|all|your)(?: [\w-]+){1,3}?|"
    r"[A-Z][\w-]+(?: and [A-Z][\w-]+)?)(?P<aux>'re| are|'s| is| were| was| have|'ve| has| stands?| agrees?|"
    r" wants?| supports?| accepts?| likes?| loves?)\b(?P<all> all)?(?P<rest>.*)",
    re.I,
)
_WHOLE = {"'re": "are", "'s": "is", "'ve": "have"}


def _as_question(text: str) -> Iterator[str]:
    """A claim of agreement turned into the question whether it is so."""
    match = _CLAIM.fullmatch(re.sub(r",? then$", "", _drop(text)))
    if not match:
        return
    subject, verb = _small(match["s"]) or match["s"], match["aux"].strip()
    rest = (match["all"] or "") + match["rest"]
    if re.search(r", (?:and|but|so|as|which)\b|[;:*(]|\band (?:i|we|they|it)\b", rest, re.I):
        return
    verb = _WHOLE.get(verb, verb)
    if verb in ("are", "is", "were", "was", "have", "has"):
        yield f"{verb} {subject}{rest}?"
        return
    base = re.sub(r"(?<!s)s$", "", verb)
    yield f"{'does' if base != verb or subject in ('everyone', 'everybody') else 'do'} {subject} {base}{rest}?"


# --- words -------------------------------------------------------------------------------------------------------

_DROPPED = (
    r"obviously|clearly|certainly|definitely|undoubtedly|unquestionably|undeniably|evidently|surely|plainly|simply|"
    r"of course|without (?:a )?doubt|without (?:any )?question|absolutely|totally|utterly|literally|really|"
    r"wholeheartedly|fully"
)
_SMALLER = tuple(
    (re.compile(pattern, re.I), soft)
    for pattern, soft in (
        (r"\bwill never(?: ever)?\b", "may not"),
        (r"'ll never(?: ever)?\b", " may not"),
        (r"\bnever (?:once|ever)\b", "rarely"),
        (r"\bnever\b", "rarely"),
        (r"\b(have|has|had|'ve|'s) always\b", r"\1 mostly"),
        (r"\balways\b", "often"),
        (r"\b(?:completely|totally|utterly) different\b", "quite different"),
        (r"\b(?:nobody|no one|no-one)\b", "hardly anyone"),
        (r"(?<!nearly )\bevery single\b(?= [a-z])", "nearly every"),
        (r"(?<!nearly )\bevery(?= (?!thing|one|body)[a-z])", "nearly every"),
        (r"(?<!nearly )(?<!for )\b(everyone|everybody)\b(?! else)", r"nearly \1"),
        (r"\bnothing\b", "very little"),
        (r"\b(?:completely|totally|utterly|entirely|wholly)\b", "largely"),
    )
)
_NOUN_SHAPE = re.compile(
    r"(?:(?:tion|sion|ness|ment|ity|ency|ance|ence|ing|ship|age|phone)s?|ers|ors|ents|ants|ies|ists|ees|als|"
    r"ows|ons|oms|ams|ads|ids|ubs|ays|acks|ines|ches|shes|ses|ths|cks|nts|rds|rts|lls|ces|ges)$"
)
_KEEP_E = re.compile(r"(?:ee|oe|ye)$")
_DOUBLE = re.compile(
    r"^(?:[^aeiou]*[aeiou][bdgmnprt]|.*(?:begin|commit|admit|permit|submit|refer|prefer|occur|forget|control|"
    r"cancel|plan|stop|drop|transfer))$"
)


def _turned(text: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """The choices, beginning with the one that this text always gets."""
    start = zlib.crc32(fold(text).encode(errors="surrogatepass")) % len(choices)
    return (*choices[start:], *choices[:start])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str | None:
    """The text with a small first letter, or None when the first word may be a name."""
    first = re.split(r"[\s,]", text, maxsplit=1)[0]
    if first in ("I", "I'm", "I've", "I'll", "I'd") or not first[:1].isupper():
        return text
    low = fold(first)
    plural = low not in listed("names_in_s") and (
        _NOUN_SHAPE.search(low) or re.match(r"[A-Z][a-z]+s (?:are|do|don't|have|need|want|like|love|make)\b", text)
    )
    return text[:1].lower() + text[1:] if plural or low in listed("starters") else None


def _drop(text: str) -> str:
    """Without adverbs of certainty."""
    out = re.sub(rf"(?:^|(?<=\s))(?:{_DROPPED}),?\s+", "", text, flags=re.I)
    return _capital(re.sub(rf",?\s+(?:{_DROPPED})(?=[,.;:]|$)", "", out, flags=re.I))


def _weaken(text: str) -> str:
    """Absolute words one size smaller, keeping number and negation."""
    for pattern, soft in _SMALLER:
        text = pattern.sub(lambda m, soft=soft: _like(m.group(), m.expand(soft)), text)  # type: ignore[misc]
    return re.sub(r"\s{2,}", " ", text)


def _like(old: str, new: str) -> str:
    return _capital(new.lower()) if old[:1].isupper() else new


def _soft_know(text: str) -> str:
    return re.sub(r"\bI know (?:exactly |precisely )?(?=how|what|who|why)", "I have a sense of ", text)


def gerund(phrase: str) -> str:
    """The verb phrase with its first verb as a gerund: "move to squads" becomes "moving to squads"."""
    verb, space, rest = phrase.partition(" ")
    low = verb.lower()
    if low.endswith("ie"):
        low = low[:-2] + "ying"
    elif low.endswith("e") and len(low) > 2 and not _KEEP_E.search(low):
        low = low[:-1] + "ing"
    elif _DOUBLE.match(low) and len(low) > 2:
        low = low + low[-1] + "ing"
    else:
        low += "ing"
    return low + space + rest


def _finish(text: str) -> str:
    text = _capital(re.sub(r"\s+([,.;:?!])", r"\1", re.sub(r"\s{2,}", " ", text)).strip(" ,;"))
    return text if text[-1:] in ".?!" else text + "."


# --- what must hold of a version ---------------------------------------------------------------------------------

_NEGATIVE = re.compile(
    r"\b(?:not|no|never|nobody|nothing|none|nor|neither|without|cannot|rarely|hardly|little)\b|n't\b",
    re.I,
)
_EMPTY_NEGATIVE = re.compile(
    r"\b(?:no (?:doubt|question|(?:other |real )?(?:choice|alternative|option) but)|goes without saying|"
    r"without (?:a |any )?(?:doubt|question)|no-brainer|not up for|no ifs|never once|whatsoever|never ever)\b",
    re.I,
)
"""Negative words that only strengthen: "no doubt that" does not negate what follows."""
_CROOKED = re.compile(
    r"\b(\w+) \1\b(?<!\bthat that)|\brarely going\b|\bthat (?:and|but|so|because|if we are|look)\b|\b(?:will|"
    r"may|could|can) (?:will|may|could|can|is|are|has|have to must)\b|\ba (?:[aeio]\w+)\b(?<!\ba one)|"
    r"\bnearly nearly\b|\b(?:rarely|hardly) (?:not|ever never)\b|\bthat\W*$|\b(?:nearly every(?:one|body)|"
    r"hardly anyone) (?:are|were|have)\b|, so [^?]{0,300}\?$|'s rarely (?:\w+s)\b",
    re.I,
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def _kept(before: str, after: str) -> bool:
    """Whether numbers, names and negation survived, the length is fair and nothing reads crooked."""
    if sorted(_NUMBER.findall(before)) != sorted(_NUMBER.findall(after)):
        return False
    if len(_NEGATIVE.findall(_EMPTY_NEGATIVE.sub("", before))) != len(_NEGATIVE.findall(after)):
        return False
    names = set(re.findall(r"(?<=[a-z,;'] )[A-Z][\w-]+", before)) - {"I"}
    if not all(re.search(rf"\b{re.escape(name)}\b", after) for name in names):
        return False
    if _CROOKED.search(after) and not _CROOKED.search(before):
        return False
    return len(after) <= max(_GROWTH * len(before), len(before) + _SLACK) and after.strip(".?!") != before.strip(".?!")


def _softened(before: str, after: str, kind: str) -> bool:
    """Whether no strong word of that kind is left outside a hedge, and the whole leaves more room than before."""
    left = any(c.kind == "categorical" and c.subtype == kind and scope(after, c) is None for c in cues(after))
    if left and kind not in ("either_or", "savior"):  # two options named as "so far", and experience, may stay
        return False
    return after.endswith("?") or tentativeness(after) > tentativeness(before) + 0.03
