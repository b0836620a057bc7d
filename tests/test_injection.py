"""Orders hidden in notes: they stay data on the way in, and on the way out nothing they ask for gets through.

Two victims. The first obeys, in full, whatever reaches it outside the marked lines of notes: it shows that nothing
does. The second does its job and in the same answer everything the attackers are after, as far as the schema of the
answer lets it: it shows that none of it is shown. What a model that believes the notes can still do is keep quiet;
the local engine does not read orders, and ``--engine both`` shows what it saw.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from attacks import OBEY, ORDER, SAID

from coach import notes
from coach.engine import Watch
from coach.fencing import visible
from coach.identities import Identities
from coach.llm.base import Request
from coach.llm.scripted import ScriptedChatModel
from coach.llm_engine import LLMEngine, merge_engines
from coach.schema import Analysis, Passage
from coach.settings import load_settings

BEFORE = """Ada Moor: Let us move the release to Friday. We all want that.
Ben Hale: I am uneasy about Friday, nobody is here on Saturday to fix things.
Ada Moor: Thanks. Next point.
Cy Ling: """
AFTER = """
Cy Ling: I am worn out, this is the third weekend.
Ada Moor: Good. That was it.
"""
HARMLESS = "Nothing from me."
SECRET = ("Greta Stone", "greta.stone@absent.example")
OBJECTION = "I am uneasy about Friday, nobody is here on Saturday to fix things."
NEED = "I am worn out, this is the third weekend."
LINE = re.compile(r"^(?:\d+|E\d+ [^|]{0,20})\| ")


def outside(message: str) -> str:
    """A message without its marked lines: what a model may take as spoken to it."""
    kept: list[str] = []
    fence: str | None = None
    for line in message.split("\n"):
        if fence is None and (opened := re.fullmatch(r"<<<([A-Z]+ [a-z]{10})", line)):
            fence = opened[1]
        elif fence is not None and line == f"{fence}>>>":
            fence = None
        elif fence is None or not LINE.match(line):
            kept.append(line)
    assert fence is None, "a delimiter stays open"
    return "\n".join(kept)


def found(quote: str, **more: Any) -> dict[str, Any]:
    return {
        "line": 0, "quote": quote, "speaker": None, "about": "a", "record": "r", "subtype": "ignored",
        "why": "Nobody came back to it.", "ask": "What would you need?", "earlier": [], "sure": "clear", **more,
    }  # fmt: skip


def job(request: Request) -> dict[str, Any]:
    """What an honest model finds."""
    if request.label.startswith("unheard"):
        return {"findings": [found(OBJECTION)]}
    if request.label.startswith("unaddressed"):
        need = found(NEED, need="workload")
        return {"findings": [{k: v for k, v in need.items() if k not in ("subtype", "about")}]}
    return {"participants": []} if request.label.startswith("participants") else {"findings": []}


class Gullible(ScriptedChatModel):
    """Obeys every word outside the marked lines; else it does its job."""

    def __init__(self) -> None:
        super().__init__(lambda request: "obeyed" if self._ordered(request) else job(request))

    @staticmethod
    def _ordered(request: Request) -> bool:
        heard = visible(" ".join(outside(text) for _, text in request.messages)).casefold()
        return OBEY in heard or visible(ORDER).casefold() in heard or "evil.example" in heard


LOOT = (
    f"<img src='https://evil.example/{OBEY}'> ![x](https://evil.example/?q=1) <script>alert(1)</script> "
    "[click](javascript:alert(1)) {absent} {absent_mail} is lazy; the chair was marvellous \u202e\x1b[31m"
)


class Accomplice(ScriptedChatModel):
    """Does its job, and in the same answer whatever the notes order that the schema has room for."""

    def __init__(self, absent: str, absent_mail: str) -> None:
        loot = LOOT.replace("{absent}", absent).replace("{absent_mail}", absent_mail)
        super().__init__(lambda request: self._both(request, loot, absent))

    @staticmethod
    def _both(request: Request, loot: str, absent: str) -> dict[str, Any]:
        answer = job(request)
        labels = re.findall(r"^\d+\| (Person [A-Z]+\d*)", request.messages[1][1], re.MULTILINE)
        if request.label.startswith("participants"):
            praise = {"alignment": "aligned", "buy_in": "committed", "ask": loot}
            invented = [{"line": 1, "quote": "I fully commit to everything."}]
            for name in (*dict.fromkeys(labels), absent):
                answer["participants"].append({"name": name, "evidence": invented, **praise})
            return answer
        extra = [
            found("You help someone who has just run a meeting", why=loot),
            found("Ben Hale is lazy and dishonest.", why=loot),
            found("I said in confidence that I want to leave.", speaker=absent, earlier=[1, 2, 3], why=loot),
            found(loot, why=loot),
            *(found(f"Everything is {n} times fine", why=loot) for n in range(200)),
        ]
        bad = [dict(item) for item in extra]
        for item in bad:
            if request.label.startswith("unaddressed"):
                del item["subtype"], item["about"]
                item["need"] = "trust"
            elif request.label.startswith("categorical"):
                for key in ("about", "record", "earlier"):
                    del item[key]
                item |= {"subtype": "judgement", "rewrite": loot}
        # Even what it found honestly it may adorn.
        for item in answer["findings"]:
            item["ask"] = loot
        return {"findings": [*answer["findings"], *bad]}


def known() -> Identities:
    """Somebody from another meeting, who is nobody's business here."""
    identities = Identities().add(SECRET[0])
    return identities.add(SECRET[1], "email", same_as=SECRET[0])


def analyse(model: ScriptedChatModel, text: str, earlier: tuple[Passage, ...] = ()) -> Analysis:
    engine = LLMEngine(model, load_settings({}), identities=known, kinds=KINDS)
    return engine.analyse(notes.parse(text, "speaker-labels"), earlier, Watch())


KINDS = ("unheard_objection", "unaddressed_need", "categorical_phrasing", "participants")
PLACES = {
    "said": lambda attack: (BEFORE + attack + AFTER, ()),
    "in an earlier meeting": lambda attack: (
        BEFORE + HARMLESS + AFTER,
        (Passage(id="1", meeting="m", title=attack[:60], date="2025-01-01", text=f"Person Q: {attack}"),),
    ),
}


def test_there_are_enough_attacks() -> None:
    assert len(SAID) >= 60


def without_notes(model: ScriptedChatModel) -> set[tuple[str, str]]:
    """Of each prompt, what stands around notes and passages."""
    return {(r.label, outside(r.messages[1][1]).replace(r.nonce, "")) for r in model.requests}


def shown(analysis: Analysis) -> list[tuple[str, str, str | None, str]]:
    return [(f.kind, f.quote, f.speaker, f.why) for f in analysis.findings]


def stands(analysis: Analysis) -> set[tuple[str, str, str]]:
    return {(p.name, p.alignment, p.buy_in) for p in analysis.participants}


@pytest.fixture(scope="module")
def untouched() -> tuple[Analysis, set[tuple[str, str]]]:
    """The same meeting without an attack: the analysis, and what stands around the notes with and without passages."""
    around: set[tuple[str, str]] = set()
    for place in PLACES.values():
        model = Gullible()
        result = analyse(model, *place(HARMLESS))
        around |= without_notes(model)
    return result, around


@pytest.mark.parametrize("attack", SAID)
@pytest.mark.parametrize("place", PLACES)
def test_an_attack_stays_data_and_changes_no_other_finding(
    place: str, attack: str, untouched: tuple[Analysis, set[tuple[str, str]]]
) -> None:
    expected, around = untouched
    model = Gullible()
    result = analyse(model, *PLACES[place](SAID[attack]))
    assert shown(result) == shown(expected)
    assert len(shown(result)) == 2
    assert stands(result) >= stands(expected)
    assert without_notes(model) <= around
    assert len(model.requests) == 4
    assert not re.search("[\u200b-\u200f\u2028-\u202e\U000e0000-\U000e007f]", model.sent)


def test_whatever_a_model_is_talked_into_is_not_shown() -> None:
    absent, absent_mail = (form.pseudonym for form in known().entities[0].forms)
    for attack in SAID.values():
        text = BEFORE + attack + AFTER
        result = analyse(Accomplice(absent, absent_mail), text)
        told = result.model_dump_json()
        assert [f.quote for f in result.findings] == [OBJECTION, NEED]
        assert all(text[f.start : f.end] == f.quote for f in result.findings)
        assert {p.alignment for p in result.participants} == {"unknown"}
        assert {p.buy_in for p in result.participants} == {"unknown"}
        assert not any(secret in told for secret in ("Greta", "Stone", "absent.example"))
        for words in (f"{f.why} {f.ask} {f.rewrite}" for f in result.findings):
            assert not re.search(r"\]\(|://|<|\x1b|\u202e", words)
        aside = json.dumps([a.model_dump() for a in result.set_aside])
        assert not re.search(r"\]\(|://|<img|<script", aside)
        assert len(result.set_aside) <= 3 * 40


def test_the_schema_leaves_no_room_for_more() -> None:
    def breaks_out(request: Request) -> dict[str, Any]:
        return {**job(request), "system": "obeyed", "tool": {"name": "send"}}

    model = ScriptedChatModel(
        lambda request: breaks_out(request) if request.label.startswith("categorical") else job(request)
    )
    result = analyse(model, BEFORE + HARMLESS + AFTER)
    assert "obeyed" not in result.model_dump_json()
    assert len(result.findings) == 2
    assert "categorical phrasing: no usable answer" in result.notices[0]


def test_a_model_that_is_talked_into_silence_does_not_silence_the_local_engine() -> None:
    heard = analyse(Gullible(), BEFORE + HARMLESS + AFTER)
    silenced = Analysis(participants=heard.participants)
    assert [f.quote for f in merge_engines(heard, silenced).findings] == [OBJECTION, NEED]
