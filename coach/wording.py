"""What the coach says about a passage: why it is worth raising, one question to ask, and a tentative version.

The sentences live in ``data/wording.yaml``; this module finds the names, topics and quotations that fill them. A
template is used only when the record fills all its slots, so the coach says nothing that the notes do not show.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

from coach.acts import LINK
from coach.lexicon import cues, fold, listed, load, scope
from coach.rewriting import question, rewrite
from coach.topics import about, head, to_you, topic

if TYPE_CHECKING:
    from coach.detectors.base import Candidate
    from coach.schema import Conversation

_SNIPPET = 70


@dataclass(frozen=True)
class Wording:
    """``why`` in two sentences, ``ask`` one question; ``rewrite``, for categorical phrasing, a tentative version."""

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


def participant_question(stance: str, name: str, words: str | None = None) -> str:
    """The question for an attendee; ``stance`` is a heading under ``participant`` in the data, ``words`` theirs."""
    texts = _texts()["participant"]
    told = _TOLD.match(words) if words else None
    slots = {"name": name} | ({"said": snippet(words[told.end() :] if told else words)} if words else {})
    return _fill(texts[stance], slots, name + stance) or _fill(texts["unknown"], slots, name + stance) or ""


_CROWD = re.compile(r"\b(?:everybody|everyone|nobody|no[ -]one)\b", re.I)
"""Words for all people or none: asked is who, where other strong words ask when."""

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
    why = _sentence(_story(candidate, slots))
    if candidate.need:
        why += " " + _capital(texts["named"].get(need, texts["named"]["being_heard"]))
    ask = _fill(texts["ask"].get(need, texts["ask"]["being_heard"]), slots, seed)
    return Wording(_sentence(why), _sentence(ask or _unaddressed(texts["ask"].get(need, ()), slots, seed)))


def _categorical(candidate: Candidate, slots: dict[str, str], draft: bool) -> Wording:
    texts, seed = _texts()["categorical"], candidate.quote
    subtype = candidate.subtype or "certainty"
    told = texts["why" if "cue" in slots else "why_whole"]
    why = _fill(told.get(subtype, told["certainty"]), slots, seed) or ""
    version = rewrite(candidate.quote, candidate.subtype)
    if draft or "name" not in slots:
        ask = question(candidate.quote, subtype)
    else:
        about = "everybody" if subtype == "absolute" and _CROWD.search(slots.get("cue", "")) else subtype
        ask = _fill(texts["ask"].get(about, texts["ask"]["certainty"]), slots, seed) or question(
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
    order.append("echoed" if record.echoed else "open")
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
    named = [t for t in rich if _fields(t) & {"topic", "your_topic", "reply_topic", "plan"}] or rich
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
    """Everything the record can say about the passage, by the name that templates use for it."""
    record = candidate.record
    name, words = _who_said(candidate)
    elsewhere = conversation.text[: candidate.start] + " " + conversation.text[candidate.end :]
    out = {"said": snippet(words)}
    if strong := _cue(candidate):
        out["cue"] = strong
    if name:
        out["name"] = name
    noun = topic(words, elsewhere)
    if noun:
        out["topic"], out["your_topic"] = about(noun), to_you(noun)
    if record.reply is not None and re.match(r"\W*[^\W\d_]", record.reply.text):
        out["answered"] = snippet(record.reply.text)
        told = _TOLD.match(record.reply.text) or re.match(r"The [A-Z]\w+ \w+", record.reply.text)
        if record.reply.speaker and is_name(record.reply.speaker) and not told:
            out["reply"] = plain_name(record.reply.speaker)
        answer = topic(record.reply.text, elsewhere.replace(record.reply.text, " "))
        same = bool(answer and noun and head(answer) == head(noun))
        if answer and answer.startswith("the ") and len(answer.split()) > 2 and not same:
            out["reply_topic"] = answer
    if record.proposal is not None:
        out["plan"] = snippet(record.proposal.text)
    if (
        record.later_uptake is not None
        and record.later_uptake.speaker
        and noun
        and head(noun) in fold(record.later_uptake.text)
    ):
        out["later"], out["later_speaker"] = snippet(record.later_uptake.text), record.later_uptake.speaker
    if record.next_topic:
        out["next"] = f"“{record.next_topic.strip()}”"
    return out


_TOLD = re.compile(
    r"(?:(?P<name>(?:(?:Mr|Mrs|Ms|Dr|Prof|Cllr)\.? )?"
    r"(?!I\b|We\b|It\b|This\b|That\b|Everyone\b|Nobody\b)[A-Z][\w'’.-]+(?: [A-Z][\w'’-]+){0,2})|[Hh]e|[Ss]he|[Tt]hey) "
    r"(?:(?:had|has|also|was) )?(?:said|says|stated|noted|added|thought|felt|wrote|written|explained|remarked|objected|"
    r"warned|reported|asked|wondered|concerned|worried)"
    r"(?: that|,|:)? "
)


def _who_said(candidate: Candidate) -> tuple[str | None, str]:
    """Whose words the passage holds, and the words without "Ana said that"."""
    told = _TOLD.match(candidate.quote)
    words = candidate.quote[told.end() :] if told else candidate.quote
    if candidate.speaker and is_name(candidate.speaker):
        return plain_name(candidate.speaker), words
    return (told["name"] if told else None), words


def _cue(candidate: Candidate) -> str | None:
    """The strong words that make the passage what it is called, quoted; None when no single word does."""
    for cue in cues(candidate.quote):
        if cue.kind == "categorical" and cue.subtype == candidate.subtype and scope(candidate.quote, cue) is None:
            return f"“{cue.text.strip()}”"
    return None


def plain_name(speaker: str) -> str:
    """The name without what stands in brackets behind it: "Jamil (residents)" is Jamil."""
    return re.split(r"[(\[]", speaker, maxsplit=1)[0].strip() or speaker.strip()


def is_name(speaker: str) -> bool:
    """Whether a speaker label names somebody, rather than "Notes" or "Unknown"."""
    return bool(re.search(r"[^\W\d_]", speaker)) and fold(speaker.strip()) not in listed("not_names")


def snippet(text: str, limit: int = _SNIPPET) -> str:
    """The text, or its first clause or words, in curly quotation marks and on one line; "…" where it is cut."""
    flat = " ".join(re.sub(r"\n[^\S\n]*>+", " ", LINK.sub(r"\1", text)).split()).strip(" -*•|>")
    flat = flat.strip("() ") if flat.count("(") != flat.count(")") or flat.startswith("(") else flat
    flat = re.sub(r"[\"“„]([^\"“”„]*)[\"”“]", r"‘\1’", flat)
    flat = re.sub(r"^‘([^‘’]*)’$", r"\1", re.sub(r"[\"“”„]", "", flat))
    if len(flat) > limit:
        cut = flat[: limit + 1]
        clause = max((m.start() for m in re.finditer(r"[,;:.!?] ", cut) if m.start() > limit // 2), default=0)
        flat = cut[: clause or cut.rfind(" ") if " " in cut else limit].rstrip(" ,;:") + "…"
    return f"“{flat.rstrip('. ')}”"
