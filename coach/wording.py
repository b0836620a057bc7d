"""What the coach says about a passage: why it is worth raising, one question to ask, and a tentative version.

The sentences live in ``data/wording.yaml``; this module finds the names, topics and quotations that fill them. A template
is used only when the record fills all its slots, so the coach says nothing that the notes do not show. Deterministic.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

from coach.lexicon import cues, fold, listed, load, scope
from coach.rewriting import question, rewrite

if TYPE_CHECKING:
    from coach.detectors.base import Candidate
    from coach.schema import Conversation

_SNIPPET = 70


@dataclass(frozen=True)
class Wording:
    """``why`` in one or two sentences, ``ask`` one question, ``rewrite`` a tentative version (categorical phrasing only)."""

    why: str
    ask: str
    rewrite: str | None = None


def explain(candidate: Candidate, conversation: Conversation) -> Wording:
    """Why the passage is worth raising, what to ask next time, and for categorical phrasing a tentative version."""
    slots = _slots(candidate, conversation)
    draft = conversation.format == "draft"
    if candidate.kind == "categorical_phrasing":
        return _categorical(candidate, slots, draft)
    if draft:
        return _draft(candidate, slots)
    if candidate.kind == "unaddressed_need":
        return _need(candidate, slots)
    return _objection(candidate, slots)


def participant_question(stance: str, name: str, said: str | None = None) -> str:
    """The question to put to an attendee; ``stance`` is a heading under ``participant`` in the data."""
    slots = {"name": name} | ({"said": snippet(said)} if said else {})
    seed = name + stance
    return (
        _fill(_texts()["participant"][stance], slots, seed)
        or _fill(_texts()["participant"]["unknown"], slots, seed)
        or ""
    )


# --- the kinds ---------------------------------------------------------------------------------------------------


def _objection(candidate: Candidate, slots: dict[str, str]) -> Wording:
    texts, seed = _texts()["objection"], candidate.quote
    subtype = candidate.subtype or "ignored"
    why = _fill(texts["why"].get(subtype, ()), slots, seed) or _story(candidate, slots)
    ask = _fill(texts["ask"].get(subtype, ()), slots, seed) or _fill(texts["ask_unnamed"].get(subtype, ()), slots, seed)
    return Wording(_sentence(why), _sentence(ask or _fill(texts["ask_unnamed"]["ignored"], slots, seed) or ""))


def _need(candidate: Candidate, slots: dict[str, str]) -> Wording:
    texts, seed = _texts()["need"], candidate.quote
    need = candidate.need or "being_heard"
    why = _story(candidate, slots) + " " + _capital(texts["named"].get(need, texts["named"]["being_heard"])) + "."
    ask = _fill(texts["ask"].get(need, texts["ask"]["being_heard"]), slots, seed)
    return Wording(_sentence(why), _sentence(ask or _unaddressed(texts["ask"].get(need, ()), slots, seed)))


def _categorical(candidate: Candidate, slots: dict[str, str], draft: bool) -> Wording:
    texts, seed = _texts()["categorical"], candidate.quote
    subtype = candidate.subtype or "certainty"
    why = _fill(texts["why"].get(subtype, texts["why"]["certainty"]), slots, seed) or ""
    version = rewrite(candidate.quote, candidate.subtype)
    if draft or "name" not in slots:
        ask = question(candidate.quote, subtype)
    else:
        ask = _fill(texts["ask"].get(subtype, texts["ask"]["certainty"]), slots, seed) or question(
            candidate.quote, subtype
        )
    return Wording(_sentence(why), _sentence(ask), version)


def _draft(candidate: Candidate, slots: dict[str, str]) -> Wording:
    texts, seed = _texts()["draft"], candidate.quote
    short = "need" if candidate.kind == "unaddressed_need" else "objection"
    guess = _texts()["need"]["named"].get(candidate.need or "being_heard", "")
    why = _fill(texts[short], slots | {"guess": guess}, seed)
    return Wording(_sentence(why or ""), _sentence(_fill(texts[f"ask_{short}"], slots, seed) or ""))


def _story(candidate: Candidate, slots: dict[str, str]) -> str:
    """What the record shows, in order: who said it, what came back, how it ended."""
    texts, record, seed = _texts(), candidate.record, candidate.quote
    raised = _fill(texts["raised"] if "name" in slots else texts["raised_unnamed"], slots, seed) or ""
    act = str(record.reply_act)
    received = ""
    if record.reply is not None:
        if record.chair:
            received = _fill(texts["received_chair"].get(act, ()), slots, seed) or ""
        received = received or _fill(texts["received"].get(act, texts["received"]["none"]), slots, seed) or ""
    ending = _ending(candidate, slots)
    if received:
        return f"{raised}; {received}, and {ending}."
    return f"{raised}, and {ending}."


def _ending(candidate: Candidate, slots: dict[str, str]) -> str:
    closing, record, seed = _texts()["closing"], candidate.record, candidate.quote
    act = str(record.reply_act)
    order: list[str] = []
    if act == "parked":
        order.append("parked")
    if act == "partial_answer":
        order.append("partial_answer")
    if record.later_uptake is not None:
        order.append("later")
    if record.end_of_item:
        order += ["next_topic", "end_of_item"]
    order.append("open")
    return next(filter(None, (_fill(closing[name], slots, seed) for name in order)))


# --- filling -----------------------------------------------------------------------------------------------------


@cache
def _texts() -> Mapping[str, Any]:
    return load("wording.yaml")


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _fill(templates: Iterable[str], slots: Mapping[str, str], seed: str) -> str | None:
    """One of the templates that can be filled, preferring those that say most; None when there is none."""
    possible = [t for t in templates if _fields(t) <= slots.keys()]
    if not possible:
        return None
    rich = [
        t
        for t in possible
        if _fields(t) & {"topic", "your_topic", "reply_topic", "plan", "plan_named", "said", "answered", "next"}
    ] or possible
    named = [t for t in rich if "{topic}" in t or "{your_topic}" in t or "{reply_topic}" in t] or rich
    return named[zlib.crc32(fold(seed).encode()) % len(named)].format_map(dict(slots))


def _unaddressed(templates: Iterable[str], slots: Mapping[str, str], seed: str) -> str:
    """A question template without its address, for words whose speaker the notes do not name."""
    bare = [re.sub(r"^\{name\}, ", "", t) for t in templates]
    return _capital(
        _fill([t for t in bare if "{name}" not in t], slots, seed)
        or "What is behind this, and who could say more about it?"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    text = _capital(" ".join(text.split()))
    return text if text.endswith((".", "?", "!", "”")) else text + "."


def _slots(candidate: Candidate, conversation: Conversation) -> dict[str, str]:
    record = candidate.record
    out: dict[str, str] = {"said": snippet(candidate.quote)}
    if candidate.speaker and is_name(candidate.speaker):
        out["name"] = candidate.speaker.strip()
    noun = topic(candidate.quote)
    if noun:
        out["topic"], out["your_topic"] = about(noun), to_you(noun)
    for cue in cues(candidate.quote):
        if cue.kind == "categorical" and cue.subtype == candidate.subtype and scope(candidate.quote, cue) is None:
            out["cue"] = f"“{cue.text.strip()}”"
            break
    out.setdefault("cue", snippet(candidate.quote, 45))
    if record.reply is not None:
        out["answered"] = snippet(record.reply.text)
        if record.reply.speaker and is_name(record.reply.speaker):
            out["reply"] = record.reply.speaker.strip()
        reply_noun = topic(record.reply.text)
        if reply_noun and fold(reply_noun) != fold(noun or ""):
            out["reply_topic"] = about(reply_noun)
    if record.proposal is not None:
        plan = topic(record.proposal.text)
        if plan:
            out["plan"], out["plan_named"] = about(plan), _capital(about(plan))
        else:
            out["plan_named"] = f"The proposal {snippet(record.proposal.text)}"
    if record.later_uptake is not None and record.later_uptake.speaker:
        out["later"], out["later_speaker"] = snippet(record.later_uptake.text), record.later_uptake.speaker
    if record.next_topic:
        out["next"] = f"“{record.next_topic.strip()}”"
    return out


def is_name(speaker: str) -> bool:
    return bool(re.search(r"[^\W\d_]", speaker)) and fold(speaker.strip()) not in listed("not_names")


def snippet(text: str, limit: int = _SNIPPET) -> str:
    """The text, or its first clause or words, in curly quotation marks and on one line; "…" where it is cut."""
    flat = " ".join(text.split()).strip(" -*•|>")
    flat = re.sub(r"[“”\"„]", "’", flat).strip("’ ") if re.search(r"[“”\"„]", flat) else flat
    if len(flat) > limit:
        cut = flat[: limit + 1]
        clause = max((m.start() for m in re.finditer(r"[,;:.!?] ", cut) if m.start() > limit // 3), default=0)
        flat = cut[: clause or cut.rfind(" ") if " " in cut else limit].rstrip(" ,;:") + "…"
    return f"“{flat.rstrip('.')}”"


# --- topics ------------------------------------------------------------------------------------------------------

_DETERMINER = r"(?:the|a|an|my|our|your|their|his|her|its|this|these|that|those|no|any|some|another|each|both|more|enough|two|three|four|five|six|\d+)"
_FEARED = re.compile(
    r"\b(?:worr(?:y|ied|ies) (?:is |me is |about|that)|concern(?:s|ed)? (?:is |about|that)|afraid (?:of|that)|nervous about|uneasy about|problem (?:is|with)|issue (?:is|with)|"
    r"what about|what happens (?:to|with)|happens to|who (?:covers|does|pays for|checks|looks after)|risk (?:of|is)|trouble (?:is|with)|lack of|short of|no room for|without|"
    r"(?:need|needs|needed|wish for|hope for|miss|missing|lacking)|instead of|cost of|because of|against|hate to lose|lose|losing|cover|covers|waiting for|asked for|asking for|"
    r"heard about|told (?:me|us) about|how do we (?:do|handle|cover)|there(?:'s| is| are) no)\s+(?=\w)"
)
_NOUN_PHRASE = re.compile(rf"(?<![\w'])(?:(?P<det>{_DETERMINER})\s+)?(?P<words>[\w'-]+(?:\s+[\w'-]+){{0,3}})")


@dataclass(frozen=True)
class _Phrase:
    determiner: str
    words: tuple[str, ...]
    start: int
    bounded: bool


def topic(text: str) -> str | None:
    """The noun phrase the text is about ("the night shift"), preferring what is feared or asked for; None if none is plain.

    A plain chunker over function words: it takes a phrase only when both of its edges are sure.
    """
    flat = " ".join(text.split())[:1200]
    folded = fold(flat)
    marked = [m.end() for m in _FEARED.finditer(folded)]
    best: tuple[float, str] | None = None
    for phrase in _phrases(flat, folded):
        head = fold(phrase.words[-1])
        score = 0.0
        if head in listed("weak_nouns"):
            score -= 3
        if any(0 <= phrase.start - m <= 12 for m in marked):
            score += 3
        score += {"": -1.0, "no": 0.5}.get(phrase.determiner, 1.0)
        score += 0.5 * (len(phrase.words) > 1) + min(len(head), 9) / 18
        if not phrase.bounded:
            score -= 1.5
        if score > 0.9 and (best is None or score > best[0]):
            best = (score, " ".join((*filter(None, [phrase.determiner]), *phrase.words)))
    return best[1] if best else None


def _phrases(flat: str, folded: str) -> Iterable[_Phrase]:
    tokens = [(m.start(), m.end()) for m in re.finditer(r"[\w'’-]+", flat)]
    position = 0
    while position < len(tokens):
        start, end = tokens[position]
        word = folded[start:end]
        determiner = ""
        first = position
        if (
            re.fullmatch(_DETERMINER, word)
            and position + 1 < len(tokens)
            and flat[end : tokens[position + 1][0]].isspace()
        ):
            determiner = word
            first = position + 1
        taken: list[str] = []
        at = first
        while at < len(tokens) and len(taken) < 4:
            s, e = tokens[at]
            low = folded[s:e]
            if at > first and not flat[tokens[at - 1][1] : s].isspace():
                break
            if (
                low in listed("not_nouns")
                or re.fullmatch(_DETERMINER, low)
                or (low.endswith("ly") and len(low) > 4)
                or "'" in low
                and not low.endswith("'s")
                or (low.isdigit() and not taken)
            ):
                break
            if taken and re.search(r"(?:ed|ing)$", low) and len(low) > 5:
                break
            taken.append(flat[s:e])
            at += 1
        bounded = (
            at >= len(tokens)
            or not flat[tokens[at - 1][1] : tokens[at][0]].isspace()
            or folded[tokens[at][0] : tokens[at][1]] in listed("not_nouns")
        )
        if taken and len(taken) < 4 and (determiner or len(taken) > 1 or fold(taken[0]) == taken[0]):
            yield _Phrase(determiner, tuple(taken), start, bounded)
        position = max(at, position + 1)


def about(noun: str) -> str:
    """The phrase as the coach names it when speaking of its speaker: "my team" becomes "their team"."""
    return _redetermine(
        noun,
        {
            "my": "their",
            "our": "their",
            "your": "the",
            "this": "the",
            "these": "the",
            "that": "the",
            "those": "the",
            "no": "",
            "any": "",
            "his": "the",
            "her": "the",
            "its": "the",
        },
    )


def to_you(noun: str) -> str:
    """The phrase as the coach names it when speaking to its speaker: "my team" becomes "your team"."""
    return _redetermine(
        noun,
        {
            "my": "your",
            "our": "your",
            "your": "the",
            "this": "the",
            "these": "the",
            "that": "the",
            "those": "the",
            "no": "",
            "any": "",
            "his": "the",
            "her": "the",
            "its": "the",
        },
    )


def _redetermine(noun: str, swaps: Mapping[str, str]) -> str:
    first, space, rest = noun.partition(" ")
    low = fold(first)
    if low in swaps and space:
        return f"{swaps[low]} {rest}".strip()
    if re.fullmatch(_DETERMINER, low):
        return low + space + rest
    return noun
