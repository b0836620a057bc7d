"""A tentative version of a categorical sentence: same meaning, numbers, names and negation, and room for another view.

The rewriter owns what is said ("as I see it"), weakens the strong word and leaves the rest alone. It never labels, adds
no claim of its own, and gives up (``None``) rather than say something crooked; :func:`question` then asks instead.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from coach.lexicon import cues, fold, scope

_MAX_WORDS = 45
_GROWTH = 1.5
_SLACK = 24  # characters that a short sentence may grow beyond the ratio: "Trust me." has no room for a full clause

# First words that are written small inside a sentence; any other capitalised first word may be a name.
_COMMON_START = frozenset(
    "a an the this that these those it it's its it'll that's there there's there'll here we we're we've we'll we'd you you're you've you'll "
    "you'd they they're they've they'll he he's she she's my our your their his her in on at by for from with without within until after before as "
    "when while where once if because since every everyone everybody everything each all both nobody nothing none no any anyone anybody anything "
    "some many most few several such another other others one two three four five six seven eight nine ten only not never always more less "
    "people what who whoever how why which so then and but or either neither to of into just under over".split()
)
_NOUN_SHAPE = re.compile(r"(?:tion|sion|ness|ment|ity|ency|ance|ence|ing|ers|ors|ents|ants|ies|ists|ations|ments|ees|phones|als|ings)$")
_OPENER = re.compile(
    r"^(?:(?:look|listen|honestly|frankly|well|so|and|but|now|right|okay|ok|anyway|folks|sorry|come on|let's be (?:honest|clear|real|serious|realistic)|"
    r"to be (?:clear|honest|frank)|let us be (?:honest|clear|frank)|let me be (?:clear|honest|frank)|make no mistake|mark my words|believe me|i'm sorry|for the record)\s*[,:]\s+)+",
    re.I,
)
_DROPPED = (
    r"obviously|clearly|certainly|definitely|undoubtedly|unquestionably|undeniably|evidently|surely|plainly|simply|of course|without (?:a )?doubt|"
    r"without (?:any )?question|absolutely|totally|utterly|literally|really|wholeheartedly|fully"
)
_REPORTED = re.compile(r"\b(?:said|stated|remarked|observed|added|wrote|noted|argued|insisted|held|explained|told|claimed) that\b", re.I)
_TAIL = re.compile(
    r",?\s*(?:[-–—]\s*)?\b(?:end of (?:story|discussion|debate)|full stop|period|that's (?:just |simply )?(?:a |the )?(?:fact|final|that)|no (?:doubt|question) about (?:it|that)|"
    r"there(?:'s| is) (?:simply )?no (?:doubt|question) about (?:it|that)|that is certain|trust me|believe me|mark my words|no exceptions|no excuses|and that's (?:that|final)|"
    r"everybody knows (?:that|it)|everyone knows (?:that|it)|no ifs(?: or|,? no) buts|i guarantee (?:it|you)|like it or not|whether you like it or not)\b(?=\W*$)",
    re.I,
)


def rewrite(sentence: str, subtype: str | None = None) -> str | None:
    """A tentative version of the sentence, or None when there is no good one (then ask :func:`question`).

    ``subtype`` is one of `coach.schema.CATEGORICAL_SUBTYPES`; without it, that of the first strong word out of scope.
    The result has the same numbers, names and negation, and at most half again the length. Deterministic.
    """
    text = " ".join(sentence.strip().split())
    quoted = re.fullmatch(r"[\"“„](.+)[\"”“]", text)
    if quoted and not re.search(r"[\"“”„]", quoted.group(1)):
        text = quoted.group(1)
    if not text or text.endswith("?") or len(text.split()) > _MAX_WORDS or re.search(r"[.!?]\s+[A-Z]", text):
        return None
    kind = subtype or _strongest(text)
    if kind is None or kind not in _REWRITERS or _REPORTED.search(text):
        return None
    bare = _TAIL.sub("", _OPENER.sub("", text.replace("’", "'")).rstrip(" .!…"))
    bare = bare[:1].upper() + bare[1:]
    for attempt in _REWRITERS[kind]:
        changed = attempt(bare)
        if changed and (finished := _finish(changed)) and _sound(text, finished):
            return finished
    return None


def _strongest(text: str) -> str | None:
    for cue in cues(text):
        if cue.kind == "categorical" and scope(text, cue) is None:
            return cue.subtype
    return None


# --- pieces ------------------------------------------------------------------------------------------------------


def _pick(text: str, *choices: str) -> str:
    return choices[zlib.crc32(fold(text).encode()) % len(choices)]


def _small(text: str) -> str | None:
    """The text with a small first letter, or None when the first word may be a name."""
    first = re.split(r"[\s,]", text, maxsplit=1)[0]
    if first in ("I", "I'm", "I've", "I'll", "I'd") or not first[:1].isupper():
        return text
    low = fold(first)
    if low in _COMMON_START or _NOUN_SHAPE.search(low):
        return text[:1].lower() + text[1:]
    if re.match(r"[A-Z][a-z]+s (?:are|will|do|don't|won't|have|can|need|want|like|love|make|must)\b", text):
        return text[:1].lower() + text[1:]
    return None


def _framed(text: str, front: str, tail: str) -> str:
    small = _small(text)
    return f"{front} {small}" if small is not None else f"{text}, {tail}"


def _drop(text: str) -> str:
    """Without adverbs of certainty; quotations are left alone."""
    out = re.sub(rf"(?:^|(?<=\s))(?:{_DROPPED}),?\s+", "", text, flags=re.I)
    out = re.sub(rf",?\s+(?:{_DROPPED})(?=[,.;:]|$)", "", out, flags=re.I)
    return out[:1].upper() + out[1:]


def _weaken(text: str) -> str:
    """Absolute words one size smaller, keeping number and negation."""
    for pattern, soft in _SMALLER:
        text = pattern.sub(lambda m, soft=soft: _same_case(m.group(), m.expand(soft)), text)  # type: ignore[misc]
    return text


_SMALLER = tuple(
    (re.compile(pattern, re.I), soft)
    for pattern, soft in (
        (r"\b(will|can|would|could|is|are|'s|'re) never\b", r"\1 rarely"),
        (r"\bnever once\b", "rarely"),
        (r"\bnever ever\b", "rarely"),
        (r"\bnever\b", "rarely"),
        (r"\balways\b", "often"),
        (r"\bevery single time\b", "nearly every time"),
        (r"\b(?:nobody|no one|no-one)\b", "hardly anyone"),
        (r"(?<!nearly )\b(every single|every)(?= (?!thing|one|body)[a-z])", "nearly every"),
        (r"(?<!nearly )(?<!for )\b(everyone|everybody)\b(?! else)", r"nearly \1"),
        (r"\bnothing\b", "very little"),
        (r"\b(?:completely|totally|utterly|entirely|wholly)\b", "largely"),
        (r"\ball (?=the time\b)", "much of "),
    )
)


def _same_case(old: str, new: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _finish(text: str) -> str:
    text = re.sub(r"\s+([,.;:?!])", r"\1", re.sub(r"\s{2,}", " ", text)).strip(" ,;")
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in ".?!" else text + "."


_NEGATIVE = re.compile(r"\b(?:not|no|never|nobody|nothing|none|nor|neither|without|cannot|rarely|hardly|little|avoid)\b|n't\b", re.I)
_CROOKED = re.compile(
    r"\b(\w+) \1\b(?<!\bthat that)|\b(?:will|may|could|can) (?:will|may|could|can|is|are|has|have to must)\b|\ba (?:[aeio]\w+)\b(?<!\ba one)|\bnearly nearly\b|"
    r"\b(?:rarely|hardly) (?:not|ever never)\b|\bthat\W*$|\b(?:nearly every(?:one|body)|hardly anyone) (?:are|were|have)\b|'s rarely (?:\w+s)\b",
    re.I,
)


def _sound(before: str, after: str) -> bool:
    """Whether numbers, names and negation survived, the length is fair and nothing reads crooked."""
    numbers = re.compile(r"\d+(?:[.,:]\d+)*")
    if sorted(numbers.findall(before)) != sorted(numbers.findall(after)):
        return False
    old_names = {w for w in re.findall(r"(?<=[a-z,;'] )[A-Z][\w-]+", before)}
    if not all(re.search(rf"\b{re.escape(n)}\b", after) for n in old_names if n not in ("I", "I'm", "I'll", "I've", "I'd")):
        return False
    if _CROOKED.search(after) and not _CROOKED.search(before):
        return False
    return len(after) <= max(_GROWTH * len(before), len(before) + _SLACK) and after.rstrip(".?!") != before.rstrip(".?!")


# --- by subtype --------------------------------------------------------------------------------------------------

Attempt = Callable[[str], str | None]


def _rule(pattern: str, *templates: str, polish: Callable[[str], str] | None = None) -> Attempt:
    """An attempt that fills one of the templates with the groups of a full match.

    In a template ``{small:x}`` is group x with a small first letter, ``{ing:x}`` its first verb as a gerund,
    ``{obj:x}`` a subject pronoun as object, ``{me:x}`` the text with you/I left as they are.
    """
    compiled = re.compile(pattern, re.I)

    def attempt(text: str) -> str | None:
        match = compiled.fullmatch(text)
        if not match:
            return None
        template = _pick(text, *templates)
        failed = False

        def fill(slot: re.Match[str]) -> str:
            nonlocal failed
            how, _, name = slot.group(1).rpartition(":")
            value = (match.group(name) or "").strip()
            if how == "small":
                small = _small(value)
                failed = failed or small is None
                value = small or ""
            elif how == "ing":
                value = gerund(value)
            elif how == "obj":
                value = _OBJECT.get(fold(value), value[:1].lower() + value[1:] if _small(value) else value)
            return value

        out = re.sub(r"\{([a-z:]+)\}", fill, template)
        return None if failed else (polish(out) if polish else out)

    return attempt


_OBJECT = {"we": "us", "they": "them", "he": "him", "she": "her", "i": "me"}
_KEEP_E = re.compile(r"(?:ee|oe|ye)$")
_DOUBLE = re.compile(r"^(?:[^aeiou]*[aeiou][bdgmnprt]|.*(?:begin|commit|admit|permit|submit|refer|prefer|occur|forget|control|cancel|plan|stop|drop|transfer))$")


def gerund(phrase: str) -> str:
    """The verb phrase with its first verb as a gerund: "move to squads" -> "moving to squads"."""
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


def _owned(*pairs: tuple[str, str]) -> Attempt:
    """Drop certainty, weaken absolutes and put a first-person frame around it."""

    def attempt(text: str) -> str | None:
        front, tail = pairs[zlib.crc32(fold(text).encode()) % len(pairs)]
        if re.match(r"(?:it|that|this) (?:seems|looks|sounds)|i (?:think|believe)|in my", text, re.I):
            return _weaken(_drop(text))
        return _framed(_weaken(_drop(text)), front, tail)

    return attempt


_SEEN = (("As I see it,", "as I see it"), ("It seems to me that", "it seems to me"), ("From where I stand,", "from where I stand"))
_KNOWN = (("As far as I know,", "as far as I know"), ("It seems to me that", "it seems to me"), ("My impression is that", "that's my impression"))
_GUESSED = (("My guess is that", "that's my guess"), ("I could be wrong, but I expect that", "though I could be wrong"), ("My hope is that", "that's my hope"))

_SUBJECT = r"(?P<who>we|you|they|he|she|everyone|everybody|people|staff|all of (?:us|you|them)|(?:the|our|your|my|all|these|those)(?: [\w-]+){1,3}?)"
_DUTY = r"(?:(?:simply|just|really|absolutely|definitely|now|all|will)\s+)*(?:must|have to|has to|need to|needs to|have got to|'ve got to|has got to|'ve simply got to|'ll have to|gotta)(?:\s+(?:simply|just|really|now|all))*"

_DIRECTIVE: tuple[Attempt, ...] = (
    _rule(rf"we {_DUTY} not (?P<do>.+)", "I'd suggest that we do not {do}", "I'd prefer that we do not {do}"),
    _rule(r"we (?:must not|mustn't) (?P<do>.+)", "I'd suggest that we do not {do}", "I'd prefer that we do not {do}"),
    _rule(rf"{_SUBJECT} {_DUTY} (?:understand|realise|realize|accept) (?P<do>that .+)", "I'd like {obj:who} to know {do}"),
    _rule(rf"we {_DUTY} be (?P<do>.+)", "I'd like us to be {do}", "I think it would help to be {do}"),
    _rule(rf"we{_DUTY[:0]}(?:\s+|(?=')){_DUTY} (?P<do>.+)", "Could we try {ing:do}?", "I'd suggest that we {do}", "I'd like us to {do}", "What if we {do}?"),
    _rule(rf"you(?:\s+|(?=')){_DUTY} (?P<do>.+)", "Could you {do}?", "I'd like to ask you to {do}", "Would you be willing to {do}?"),
    _rule(r"you (?:can't|cannot|can not) (?P<do>.+)", "I'd ask you not to {do}", "I'd prefer it if you did not {do}"),
    _rule(r"we (?:can't|cannot|can not) (?P<do>.+)", "I don't see yet how we could {do}"),
    _rule(rf"{_SUBJECT} {_DUTY} (?P<do>.+)", "I'd like {obj:who} to {do}"),
    _rule(r"(?:we|i|you|they) (?:have|had|'ve) (?:simply |really )?no (?:other )?(?:choice|alternative|option)(?: but)? to (?P<do>.+)", "The best option I see so far is to {do}"),
    _rule(r"we (?:have|'ve) (?:simply |really )?no (?:other )?choice(?P<rest>, \w+| here| now)?", "I don't see another choice{rest} yet"),
    _rule(r"there(?:'s| is) (?:simply |just )?no way around (?P<it>.+)", "I don't see a way around {it} yet"),
    _rule(r"(?P<it>.+?) (?:is|are) not (?:up for (?:discussion|debate)|negotiable)", "I'd like to keep {small:it} as it is"),
    _rule(r"(?P<it>.+?) (?:is|are) non-negotiable", "I'd like to keep {small:it} as it is"),
    _rule(r"(?P<it>.+?) (?:has|have|needs|need) to (?P<do>stop|change|happen|go|start|be .+|stop .+|happen .+|go .+|start .+|change .+)", "I'd like {small:it} to {do}"),
    _rule(r"(?P<it>.+?) must (?P<do>.+)", "I'd like {obj:it} to {do}"),
    _rule(r"don't (?P<do>.+)", "I'd ask you not to {do}"),
)
_CERTAINTY: tuple[Attempt, ...] = (
    _rule(r"there(?:'s| is| can be) (?:simply |just )?no (?:doubt|question) that (?P<it>.+)", "It seems to me that {it}", "I'm fairly confident that {it}"),
    _rule(r"there(?:'s| is) (?:simply |just )?no (?:sensible |other |real )?(?P<what>alternative|option|way)(?P<rest>.*)", "I don't see another {what}{rest} yet"),
    _rule(r"(?:it's|it is|that's) (?:simply |just )?(?:a |the )?(?:plain |simple )?(?:fact|truth|obvious|clear|certain|evident) that (?P<it>.+)", "It looks to me as if {it}", "As I see it, {it}"),
    _rule(r"(?:the (?:fact|truth) (?:is|of the matter is)) that (?P<it>.+)", "As I see it, {it}"),
    _rule(r"it's (?:obvious|clear|perfectly clear|quite clear) (?P<it>(?:what|why|how) .+)", "I think I can see {it}"),
    _rule(r"(?:everyone|everybody|we all|any fool) knows? (?:that )?(?P<it>.+)", "As I see it, {small:it}", "It seems to me that {small:it}"),
    _rule(r"it goes without saying that (?P<it>.+)", "It seems to me that {it}"),
    _rule(r"i(?:'m| am) (?:absolutely |quite |completely |100% )?(?:certain|positive|convinced|sure) (?:that )?(?P<it>.+)", "I expect that {it}", "My guess is that {it}"),
    _rule(r"i (?:guarantee|promise)(?: you)?(?: that)? (?P<it>.+)", "I expect that {it}"),
    _rule(r"the only (?P<what>way|option|solution|answer|thing|path|choice)(?P<rest>.*?) is (?P<it>.+)", "The best {what}{rest} I see so far is {it}"),
    _rule(r"(?P<it>.+?) (?:is|was) the only (?P<what>way|option|solution|answer|path|choice)(?P<rest>.*)", "{it} is the best {what} I see so far{rest}"),
    _rule(r"(?P<it>.+?) (?:is|are) (?:simply |obviously |clearly )?(?:a )?no-brainer", "{it} looks like an easy choice to me"),
    _rule(r"the (?P<what>choice|answer|solution) is (?:simple|clear|obvious)(?P<rest>.*)", "The {what} looks clear to me{rest}"),
    _owned(*_SEEN),
)
_ABSOLUTE: tuple[Attempt, ...] = (
    _rule(r"not once (?:has|have) (?P<it>.+)", "I can't remember a time when {it}"),
    _rule(r"(?P<who>you|they|he|she) (?:only|only ever) (?P<do>.+)", "It seems to me that {who} mostly {do}"),
    _owned(*_KNOWN),
)


def _maybe(text: str) -> str | None:
    """ "will" as "could", and "will never" as "may not", in a first-person frame."""
    out = _drop(text)
    out = re.sub(r"\b(?:will|'ll|is going to|are going to|'s going to|'re going to|is gonna|are gonna) never (?:ever )?", " may not ", out, flags=re.I)
    out = re.sub(r"\bwon't\b|\bwill not\b|\b(?:is|are) not going to\b|(?:'s|'re) not (?:going to|gonna)\b", " may not", out, flags=re.I)
    out = re.sub(r"'ll\b|\bwill\b|\b(?:is|are) (?:going to|gonna|bound to|certain to|sure to|guaranteed to|destined to)\b|'(?:s|re) (?:going to|gonna|bound to)\b", " could", out, flags=re.I)
    out = re.sub(r"\s{2,}", " ", re.sub(r"\b(?:inevitably|always|certainly)\s+", "", out, flags=re.I))
    if out == text:
        return None
    if " could" not in out and " may not" not in out:
        return None
    return _framed(out, _pick(text, "I think", "My sense is that", "It seems to me that"), _pick(text, "I think", "as I see it", "I believe"))


_PREDICTION: tuple[Attempt, ...] = (
    _rule(r"(?:it'll|that'll|it will|that will|you'll|they'll|you will|they will) be fine(?P<rest>.*)", "I hope it goes well{rest}"),
    _rule(r"i(?:'m| am) (?:absolutely )?(?:certain|convinced|sure|positive) (?:that )?(?P<it>.+)", "I hope that {it}"),
    _maybe,
    _rule(r"(?P<it>.+ (?:will|'ll|won't) .+)", "My guess is that {small:it}"),
    _owned(*_GUESSED),
)


def _as_question(text: str) -> str | None:
    """A claim of agreement turned into the question whether it is so."""
    out = _drop(text)
    match = re.fullmatch(
        r"(?P<s>(?:we|you|they)(?: all| both)?|everyone|everybody|nobody|no one|(?:the|our|all|your)(?: [\w-]+){1,3}?|[A-Z][\w-]+(?: and [A-Z][\w-]+)?)"
        r"(?P<aux>'re| are|'s| is| were| was| have|'ve| has| stands?| agrees?| wants?| supports?| accepts?| likes?| loves?| knows?| objects?| minds?)\b(?P<all> all)?(?P<rest>.*)",
        out,
        re.I,
    )
    if not match:
        return None
    subject, aux, rest = match["s"], match["aux"].strip(), (match["all"] or "") + match["rest"]
    if re.search(r", (?:and|but|so) |;|:", rest) and len(rest.split()) > 14:
        return None
    positive = re.sub(r"^(?:nobody|no one)$", "anybody", subject, flags=re.I)
    small = _small(positive) or positive
    if aux in ("'re", "are", "'s", "is", "were", "was", "'ve", "have", "has"):
        full = {"'re": "are", "'s": "is", "'ve": "have"}.get(aux, aux)
        return f"{full.capitalize()} {small}{rest}?"
    base = re.sub(r"(?<!s)s$", "", aux)
    verb = "Does" if base != aux or re.match(r"(?:everyone|everybody|anybody)$", small) else "Do"
    return f"{verb} {small} {base}{rest}?"


_PRESUMED: tuple[Attempt, ...] = (
    _rule(r"(?:so |then )?i(?:'ll| will)? (?:take|count|record|mark) (?P<it>.+? as .+)", "Can I take {it}?"),
    _rule(r"i(?:'m| am) (?:taking|assuming)(?: it)? (?:that )?(?P<it>.+)", "Can I check whether {it}?"),
    _rule(r"i (?:take it|assume|presume|trust)(?: that)? (?P<it>.+)", "Can I check whether {it}?"),
    _rule(r"as we(?: all)? (?:decided|agreed|said|discussed),? (?P<it>.+)", "As I understood us, {small:it}"),
    _rule(r"(?P<it>.+?),? as we(?: all)? (?:decided|agreed|said|discussed)(?P<rest>.*)", "{it}, as I understood us{rest}"),
    _rule(r"(?:so |then |good, )?(?:that's|that is) (?P<it>agreed|settled|decided|carried)(?:,? then)?", "Is that {it} for everyone?"),
    _as_question,
    _rule(r"(?:there is|there's) (?:a )?(?:full|broad|unanimous|complete|general) (?P<what>support|agreement|consensus|backing) (?P<rest>.+)", "My impression is that there is {what} {rest}"),
    _rule(r"(?:hearing|seeing) (?:no objections?|none|nothing),? (?P<it>.+)", "I have heard no objection yet: is it right that {it}?"),
    _owned(("My impression is that", "that's my impression"), ("As far as I can tell,", "as far as I can tell")),
)
_EITHER: tuple[Attempt, ...] = (
    _rule(r"either (?P<it>.+ or .+)", "I see two options so far: {it}", "The two options I see so far: {it}"),
    _rule(r"(?:it's|it is) either (?P<it>.+ or .+)", "The two options I see so far are {it}"),
    _rule(r"(?:it's|it is) (?P<a>that|this|now|us|them|me|\$?[\w$€£ ]+?) or (?P<b>.+)", "The options I see so far are {a} or {b}"),
    _rule(r"there(?:'s| is|'re| are) only (?P<it>two (?:options|choices|ways).*)", "So far I see {it}"),
    _rule(r"(?:there(?:'s| is)(?:n't| not| no)) (?:a |any )?(?P<what>third|other|middle) (?P<way>way|option|ground)(?P<rest>.*)", "I don't see a {what} {way} yet{rest}"),
    _rule(r"(?P<it>.+?),? (?:otherwise|or else) (?P<then>.+)", "{it}; my worry is that otherwise {then}"),
    _rule(r"(?P<it>if .+)", "My worry is that {small:it}"),
)
_JUDGEMENT: tuple[Attempt, ...] = (
    _rule(r"(?:that's|that is|this is) (?:just |simply |complete |utter |absolute |total )?(?:nonsense|rubbish|ridiculous|absurd|wrong|idiotic|stupid)", "I see that differently"),
    _rule(r"(?P<it>that's|that is|this is|it's) (?P<what>unfair|a mess)", "It feels like {what} to me", polish=lambda s: s.replace("like unfair", "unfair")),
    _rule(r"(?P<it>(?:the|this|our|that) [\w -]+?) (?:is|are) (?:just |simply |completely |totally |an? absolute )?(?P<what>an? (?:mess|shambles|disaster|joke|farce)|useless|hopeless)", "I am not happy with {small:it} as it stands"),
    _rule(r"let's not be (?:negative|difficult|dramatic|silly|childish)(?P<rest>.*)", "I'd like us to look for what could work{rest}"),
)
_SAVIOR: tuple[Attempt, ...] = (
    _rule(r"(?:trust|believe) me(?: on (?:this|that)(?: one)?)?[,:;.]? (?P<it>.+)", "In my experience, {small:it}", polish=lambda s: _soft_know(_weaken(_drop(s)))),
    _rule(r"(?:trust|believe) me(?: on (?:this|that)(?: one)?)?", "I'd like to tell you why I believe this"),
    _rule(r"(?P<pre>.+?)[,;] trust me.*", "In my experience, {small:pre}", polish=lambda s: _soft_know(_weaken(_drop(s)))),
    _rule(r"i (?:have|'ve got|know|'ve found) the (?:right |only |perfect )?(?P<what>answer|solution|plan|recipe)(?P<rest>.*)", "I have one possible {what}{rest}"),
    _rule(r"(?:just )?leave (?P<it>it|that|this|everything|all (?:of )?(?:that|this)|the [\w ]+?) to me", "I could take {it}, if that helps", "I'd be glad to take {it}, if you agree"),
    _rule(r"i(?:'ll| will| can) (?P<do>fix|save|sort|handle) (?P<it>.+)", "I'd like to help {do} {it}"),
    _rule(r"let me (?P<do>handle|fix|sort|take) (?P<it>.+)", "I could {do} {it}, if that helps"),
    _rule(r"(?P<pre>.*?)\bi know (?:exactly |precisely |just )?(?P<it>(?:how|what|who|which|why) .+)", "{pre}I have a sense of {it}"),
)


def _soft_know(text: str) -> str:
    return re.sub(r"\bI know (?:exactly |precisely )?(?=how|what|who|why)", "I have a sense of ", text)


_REWRITERS: dict[str, tuple[Attempt, ...]] = {
    "absolute": _ABSOLUTE,
    "certainty": _CERTAINTY,
    "directive": _DIRECTIVE,
    "presumed_consent": _PRESUMED,
    "prediction": _PREDICTION,
    "either_or": _EITHER,
    "judgement": _JUDGEMENT,
    "savior": _SAVIOR,
}

_QUESTIONS = {
    "absolute": ("Which times or people come to mind, and which ones were different?", "When was it otherwise, and what was different then?"),
    "certainty": ("What makes this look settled to you, and what would change your mind?", "What would somebody point to who sees it another way?"),
    "directive": ("What is this meant to achieve, and who sees another way to get there?", "What would make this hard to do for the people concerned?"),
    "presumed_consent": ("Who has said yes in their own words, and who has not been asked yet?", "How would it show if somebody still had doubts?"),
    "prediction": ("What makes you expect this, and how could it be tried on a small scale first?", "What would be an early sign that it goes another way?"),
    "either_or": ("Which third option has nobody looked at yet?", "What lies between these two, and who might know?"),
    "judgement": ("What did you see or hear, and what might be the need behind it?", "What happened, in words that a camera could have recorded?"),
    "savior": ("Who else in the room has seen something like this, and what did they learn?", "What would you like to hear from the others before you start?"),
}


def question(sentence: str, subtype: str | None = None) -> str:
    """A question that opens the sentence up, for when it has no good rewrite; one of a few per subtype, always the same one."""
    choices = _QUESTIONS.get(subtype or _strongest(sentence) or "certainty", _QUESTIONS["certainty"])
    return _pick(sentence, *choices)
