"""The LLM engine: pseudonyms go out, exact quotes of the pasted text come back, and a bad model harms nobody."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from coach import notes
from coach.answers import Rewrites
from coach.engine import Watch
from coach.errors import (
    BudgetError,
    CancelledError,
    LeakError,
    ModelRejectedError,
    ModelShapeError,
    ModelUnreachableError,
)
from coach.identities import Identities
from coach.llm.base import Answer, Request
from coach.llm.scripted import ScriptedChatModel
from coach.llm_engine import LLMEngine, likely_objections, merge_engines, rewrites
from coach.llm_engine import engine as conductor
from coach.llm_engine.asking import Asker
from coach.llm_engine.parts import cut, line_of, lines_of
from coach.prompts import load_prompt
from coach.samples import samples
from coach.schema import Analysis, Conversation, Finding, Participant, Passage, Quote
from coach.settings import Settings, load_settings

MEETING = """# Launch planning

Attendees: Priya Raman, Tom Okafor, Lena Fischer

## Date

Priya Raman: I propose that we launch on the 3rd. Everybody wants this anyway.
Tom Okafor: I\u2019m worried about support, on weekends it is only me.
Priya Raman: Thanks Tom. Lena Fischer, how is the page?
Lena Fischer: Ready. I will send it to priya.raman@fastmail.example tonight.

## Budget

Priya Raman: The budget stays as it is.
Lena Fischer: Fine, if we have to.
Priya Raman: Great, all agreed.
"""
WORRY = "I\u2019m worried about support, on weekends it is only me."


def said(line: int, quote: str, speaker: str | None, **more: Any) -> dict[str, Any]:
    return {
        "line": line, "quote": quote, "speaker": speaker, "about": "the date", "record": "11: thanks",
        "subtype": "ignored", "why": "It looks as if nobody came back to it.", "ask": "What would you need?",
        "earlier": [], "sure": "clear", **more,
    }  # fmt: skip


def conversation(text: str = MEETING) -> Conversation:
    return notes.parse(text)


def number(record: Conversation, words: str) -> int:
    """The line number under which a prompt shows these words."""
    return next(n for n, u in enumerate(record.utterances, 1) if words in record.words(u))


def label(model: ScriptedChatModel, words: str) -> str:
    """The pseudonym before these words in what the model was shown."""
    line = next(line for line in model.sent.splitlines() if words in line)
    return line.partition("| ")[2].partition(":")[0]


def engine(script: Any, settings: Settings | None = None, **more: Any) -> LLMEngine:
    model = script if isinstance(script, ScriptedChatModel) else ScriptedChatModel(script)
    return LLMEngine(model, settings or load_settings({}), **more)


def analyse(script: Any, text: str = MEETING, **more: Any) -> Analysis:
    return engine(script, **more).analyse(conversation(text), (), Watch())


def answers(**by_prompt: Any) -> Mapping[str, Any]:
    return {name: {"findings": value} for name, value in by_prompt.items()}


def shown_label(who: str) -> str:
    """The pseudonym that these notes give to a speaker; the same in every run."""
    model = ScriptedChatModel()
    engine(model).analyse(conversation(), (), Watch())
    return label(model, {"Priya Raman": "I propose", "Tom Okafor": "worried", "Lena Fischer": "Ready."}[who])


def test_no_name_leaves_and_every_prompt_is_asked_once() -> None:
    model = ScriptedChatModel()
    engine(model).analyse(conversation(), (), Watch())
    assert [request.label for request in model.requests] and len(model.requests) == 4
    assert {r.label for r in model.requests} == {
        load_prompt(name).label
        for name in ("unheard_objections", "unaddressed_needs", "categorical_phrasing", "participants")
    }  # fmt: skip
    for word in ("Priya", "Raman", "Tom", "Okafor", "Lena", "Fischer", "fastmail"):
        assert word not in model.sent


def test_a_finding_comes_back_in_real_names_with_its_exact_place() -> None:
    record = conversation()
    tom = shown_label("Tom Okafor")
    quote = "I'm worried about support, on weekends it is only me."
    found = said(number(record, "worried"), quote, tom, why=f"{tom} was thanked.", sure="likely")
    result = analyse(answers(unheard_objections=[found]))
    (finding,) = result.findings
    assert finding.quote == WORRY == MEETING[finding.start : finding.end]
    assert (finding.speaker, finding.why) == ("Tom Okafor", "Tom Okafor was thanked.")
    assert (finding.kind, finding.subtype, finding.tier) == ("unheard_objection", "ignored", "finding")
    assert finding.source == f"{load_prompt('unheard_objections').label} scripted"
    assert 0 < finding.confidence < 1
    assert result.set_aside == ()


def test_a_quote_that_holds_names_is_the_text_as_pasted() -> None:
    model = ScriptedChatModel()
    engine(model).analyse(conversation(), (), Watch())
    shown = next(line for line in model.sent.splitlines() if "how is the page?" in line).partition(": ")[2]
    (finding,) = analyse(answers(unheard_objections=[said(1, shown, None)])).findings
    assert finding.quote == "Thanks Tom. Lena Fischer, how is the page?"
    assert MEETING[finding.start : finding.end] == finding.quote
    assert finding.speaker == "Priya Raman"


INVENTED = {
    "never said": ("We must never do this.", "Tom Okafor", "letter for letter"),
    "one word changed": ("I'm worried about money, on weekends it is only me.", "Tom Okafor", "letter for letter"),
    "words left out": ("I'm worried about support ... it is only me.", "Tom Okafor", "letter for letter"),
    "somebody else's words": ("I'm worried about support", "Lena Fischer", "do not give these words to Lena Fischer"),
    "a heading": ("Launch planning", None, "not part of what one person said"),
    "empty": ("", None, "letter for letter"),
}


@pytest.mark.parametrize("case", INVENTED)
def test_what_the_notes_do_not_hold_is_set_aside_with_the_reason(case: str) -> None:
    quote, who, reason = INVENTED[case]
    speaker = shown_label(who) if who else None
    result = analyse(answers(unheard_objections=[said(9, quote, speaker)]))
    assert result.findings == ()
    assert reason in result.set_aside[0].reason


def test_all_kinds_come_back_surest_first_and_each_passage_once() -> None:
    need = {
        "line": 0, "quote": "on weekends it is only me", "speaker": None, "record": "r", "need": "support", "why": "w",
        "ask": "a?", "earlier": [], "sure": "likely",
    }  # fmt: skip
    strong = {
        "line": 0, "quote": "Everybody wants this anyway.", "speaker": None, "subtype": "absolute", "why": "w",
        "rewrite": "I hear much interest; who sees it otherwise?", "ask": "a?", "sure": "doubtful",
    }  # fmt: skip
    twice = [said(0, WORRY, None), said(0, "I'm worried about support", None, sure="likely")]
    script = answers(unheard_objections=twice, unaddressed_needs=[need], categorical_phrasing=[strong])
    findings = analyse(script).findings
    assert [f.kind for f in findings] == ["unheard_objection", "unaddressed_need", "categorical_phrasing"]
    assert findings[1].need == "support"
    assert findings[2].rewrite
    assert findings[2].tier == "look"


def test_people_stand_where_their_own_words_put_them_and_nowhere_else() -> None:
    stands = [
        {"name": shown_label("Lena Fischer"), "evidence": [{"line": 0, "quote": "Fine, if we have to."}],
         "alignment": "unknown", "buy_in": "lukewarm", "ask": "What would make it easier?"},
        {"name": shown_label("Tom Okafor"), "evidence": [{"line": 0, "quote": "Great, all agreed."}],
         "alignment": "aligned", "buy_in": "committed", "ask": "?"},
        {"name": "Person ZZ", "evidence": [], "alignment": "aligned", "buy_in": "committed", "ask": "?"},
    ]  # fmt: skip
    people = {p.name: p for p in analyse({"participants": {"participants": stands}}).participants}
    assert set(people) == {"Priya Raman", "Tom Okafor", "Lena Fischer"}
    assert people["Lena Fischer"].buy_in == "lukewarm"
    assert people["Lena Fischer"].evidence[0].quote == "Fine, if we have to."
    assert (people["Tom Okafor"].alignment, people["Tom Okafor"].buy_in) == ("unknown", "unknown")
    assert all(p.spoke for p in people.values())
    assert people["Priya Raman"].ask


def test_a_known_identity_in_a_prompt_stops_the_call() -> None:
    model = ScriptedChatModel()
    asker = Asker(model, Identities().add("Oskar Brandt"))
    with pytest.raises(LeakError) as raised:
        asker.ask("rewrite", Rewrites, {"words": ["1| Oskar Brandt has to go"]})
    assert "Oskar" not in str(raised.value)
    assert model.requests == []


def test_an_earlier_passage_with_a_name_learnt_since_stays_at_home() -> None:
    leak = Passage(id="1", meeting="m", date="2025-01-01", text="Person Q: Tom Okafor said no")
    fine = Passage(id="2", meeting="m", date="2025-01-02", text="Person Q: the date is early")
    model = ScriptedChatModel()
    engine(model).analyse(conversation(), [leak, fine], Watch())
    assert "Okafor" not in model.sent
    assert "E1 2025-01-02| Person Q: the date is early" in model.sent


def test_earlier_passages_are_marked_and_become_evidence_of_the_same_person() -> None:
    known = Identities().add("Tom Okafor")
    tom = known.entities[0].label
    earlier = Passage(
        id="1", meeting="m1", title="Kick-off", date="2025-01-09", speakers=(tom,), text=f"{tom}: Weekends are thin."
    )
    model = ScriptedChatModel(answers(unheard_objections=[said(0, WORRY, tom, earlier=[1, 7])]))
    result = engine(model, identities=lambda: known).analyse(conversation(), [earlier], Watch())
    assert f"E1 2025-01-09| {tom}: Weekends are thin." in model.sent
    (evidence,) = result.findings[0].evidence
    assert (evidence.quote, evidence.date, evidence.speaker) == ("Weekends are thin.", "2025-01-09", "Tom Okafor")


def test_a_pseudonym_of_somebody_else_is_never_turned_into_a_name() -> None:
    known = Identities().add("Greta Stone")
    absent = known.entities[0].label
    found = said(0, WORRY, None, why=f"{absent} objected too.")
    result = analyse(answers(unheard_objections=[found]), identities=lambda: known)
    assert "Greta" not in result.model_dump_json()
    assert absent in result.findings[0].why


def long_meeting(topics: int = 12, turns: int = 10) -> str:
    parts = [
        f"## Topic {t}\n\n"
        + "\n".join(f"{'Ada' if n % 2 else 'Ben'}: Point {n} of topic {t} is about the plan." for n in range(turns))
        for t in range(topics)
    ]
    return "\n\n".join(parts) + "\n"


def test_parts_cover_every_line_once_overlap_and_fit() -> None:
    record = notes.parse(long_meeting())
    lines = lines_of(record)
    for budget in (400, 900, 2_000):
        parts = cut(lines, budget)
        assert [at for part in parts for at in part.core] == list(range(len(lines)))
        assert all(sum(lines[at].tokens for at in part.shown) <= budget for part in parts)
        assert all(part.shown.start <= part.core.start and part.shown.stop >= part.core.stop for part in parts)
        assert any(part.shown.stop > part.core.stop for part in parts[:-1])
    assert len(cut(lines, 10**6)) == 1
    starts = {part.core.start for part in cut(lines, 900)}
    assert all(lines[at].text.endswith(tuple(f"Topic {t}" for t in range(12))) for at in starts)


def test_a_turn_longer_than_a_part_is_cut_at_its_sentences() -> None:
    record = notes.parse("Ada: " + "This is one more sentence about it. " * 400 + "\nBen: Fine.\n")
    lines = lines_of(record)
    assert len(lines) > 10
    assert all(line.text.startswith("1| Ada: This") for line in lines[:-1])
    assert all(sum(lines[at].tokens for at in part.shown) <= 900 for part in cut(lines, 900))
    assert line_of(lines, record.text.index("Ben: ") + 5) == len(lines) - 1


def test_a_long_meeting_is_read_in_parts_and_nothing_is_found_twice() -> None:
    text = long_meeting(30)
    record = notes.parse(text)
    quotes = [record.words(u) for u in record.utterances if u.role == "speech"][::3]

    def everything(request: Request) -> Any:
        if not request.label.startswith("unheard"):
            return {"findings": []} if not request.label.startswith("part") else {"participants": []}
        shown = request.messages[1][1]
        return {"findings": [said(number(record, q), q, None) for q in quotes if q in shown]}

    model = ScriptedChatModel(everything)
    settings = load_settings({}, context_tokens=7_000)
    result = engine(model, settings, small=False).analyse(record, (), Watch())
    objections = [r for r in model.requests if r.label.startswith("unheard")]
    assert len(objections) > 2
    assert any("part 2 of" in r.messages[1][1] for r in objections)
    starts = [f.start for f in result.findings]
    assert len(starts) == len(set(starts))
    assert len(starts) == len(quotes)
    assert all(text[f.start : f.end] == f.quote for f in result.findings)


def test_small_models_get_the_short_prompts_one_topic_at_a_time() -> None:
    model = ScriptedChatModel()
    engine(model, load_settings({}, context_tokens=3_000)).analyse(notes.parse(long_meeting(4)), (), Watch())
    objections = [r for r in model.requests if r.label.startswith("unheard")]
    assert len(objections) == 4
    assert all(len(r.messages[0][1]) < 2_500 for r in objections)


@pytest.mark.parametrize(
    "bad",
    [
        Answer("", finish="refusal"),
        Answer("{", finish="length"),
        "no JSON at all",
        {"findings": [{"line": 1}]},
        {"findings": [said(0, WORRY, None, subtype="grumbling")]},
        {"findings": [said(0, WORRY, None, motive="laziness")]},
    ],
)
def test_one_unusable_answer_costs_one_kind_and_is_said(bad: Any) -> None:
    good = {"findings": [said(0, WORRY, None)]}
    result = analyse({"unheard_objections": good, "unaddressed_needs": bad})
    assert len(result.findings) == 1
    assert "unaddressed needs: no usable answer" in result.notices[0]


def test_no_usable_answer_at_all_is_an_error() -> None:
    with pytest.raises(ModelShapeError):
        analyse({"*": "nothing"})


@pytest.mark.parametrize("error", [ModelUnreachableError, ModelRejectedError])
def test_a_dead_endpoint_is_an_error_at_once(error: type[Exception]) -> None:
    model = ScriptedChatModel({"unaddressed_needs": error("down")})
    with pytest.raises(error):
        engine(model).analyse(conversation(), (), Watch())


def test_usage_is_counted_priced_and_capped() -> None:
    priced = {"price": lambda model, asked, answered: 0.001}
    usage = analyse({}, **priced).usage
    assert usage is not None
    assert (usage.calls, usage.usd, usage.model) == (4, pytest.approx(0.004), "scripted")
    assert usage.input_tokens > 1_000
    unknown = analyse({}).usage
    assert unknown is not None
    assert unknown.usd is None
    with pytest.raises(BudgetError):
        analyse({}, settings=load_settings({}, max_usd=0.002, concurrency=1), **priced)


def test_progress_only_grows_and_the_user_can_stop() -> None:
    told: list[float] = []
    engine({}).analyse(conversation(), (), Watch(progress=lambda share, what: told.append(share)))
    assert told == sorted(told)
    stop = threading.Event()
    model = ScriptedChatModel(lambda request: stop.set() or {"findings": []})
    with pytest.raises(CancelledError):
        engine(model, load_settings({}, concurrency=1)).analyse(conversation(), (), Watch(stopped=stop.is_set))
    assert len(model.requests) < 4


def test_hints_are_line_numbers_and_only_when_asked_for() -> None:
    record = conversation()
    start = MEETING.index(WORRY)
    hint = Finding(
        kind="unheard_objection", quote=WORRY, start=start, end=start + len(WORRY), why="w", ask="a", confidence=0.5,
        source="local",
    )  # fmt: skip
    for wanted in (False, True):
        model = ScriptedChatModel()
        settings = load_settings({}, hints=wanted)
        engine(model, settings, hints=lambda c: [hint]).analyse(record, (), Watch())
        assert (f"judge for yourself.\n{number(record, 'worried')}\n" in model.sent) is wanted


class Reading:
    """A local reading that links one sentence to one later sentence, as strongly as it is told."""

    def __init__(self, record: Conversation, passage: str, reply: str, strength: float) -> None:
        self.sentences = notes.sentences(record)
        self._from = next(n for n, s in enumerate(self.sentences) if passage in s.text)
        self._to = next(n for n, s in enumerate(self.sentences) if reply in s.text)
        self._strength = strength

    def links(self, earlier: int, later: Any) -> Any:
        import numpy as np

        hit = [self._strength if earlier == self._from and n == self._to else 0.01 for n in later]
        return np.array([hit, hit])

    def probability(self, head: str) -> Any:
        """Sure of nothing else."""
        import numpy as np

        return np.zeros(len(self.sentences), np.float32)


ANSWERED = """Greta: I want to move all pick-ups to five in the morning, starting next month.
Hamid: I'm worried about five, there is no bus. Half of my team can't get here.
Greta: I hadn't thought of the bus. When does the first one arrive?
Hamid: Twenty to six.
Greta: Then we start at six, and I'll tell the hospital today. Would that work for you?
Hamid: Yes, that works for me.
"""


def test_what_was_heard_is_said_by_the_local_engine_unless_the_model_sees_it_unheard() -> None:
    from coach import acts

    (one,) = analyse({}, ANSWERED, read=acts.read).heard
    assert (one.speaker, one.source) == ("Hamid", "local:heard@1")
    assert analyse({}, ANSWERED).heard == (), "without a local reading nobody can tell"
    model = ScriptedChatModel()
    engine(model).analyse(conversation(ANSWERED), (), Watch())
    raised = said(2, one.quote, label(model, "worried about five"))
    there = analyse(answers(unheard_objections=[raised], second_look=[]), ANSWERED, read=acts.read)
    assert [f.kind for f in there.findings] == ["unheard_objection"] and there.heard == ()


SECOND: dict[str, tuple[float, Any, int, int]] = {
    "no uptake seen": (0.4, AssertionError, 0, 1),
    "taken up": (0.95, {"number": 1, "quote": "Lena Fischer", "taken_up": True, "reason": "r"}, 1, 0),
    "not taken up": (0.95, {"number": 1, "quote": None, "taken_up": False, "reason": "r"}, 1, 1),
    "words that are not there": (0.95, {"number": 1, "quote": "I fixed it", "taken_up": True, "reason": "r"}, 1, 1),
    "words said before": (0.95, {"number": 1, "quote": "I propose", "taken_up": True, "reason": "r"}, 1, 1),
    "another number": (0.95, {"number": 9, "quote": "Thanks", "taken_up": True, "reason": "r"}, 1, 1),
    "unusable": (0.95, "no", 2, 1),
}


@pytest.mark.parametrize("case", SECOND)
def test_what_seems_answered_gets_one_second_look(case: str) -> None:
    strength, verdict, asked, kept = SECOND[case]
    record = conversation()
    if isinstance(verdict, dict) and verdict["quote"] == "Lena Fischer":
        verdict = {**verdict, "quote": "how is the page?"}
    second = {"verdicts": [verdict]} if isinstance(verdict, dict) else verdict
    model = ScriptedChatModel({**answers(unheard_objections=[said(0, WORRY, None)]), "second_look": second})
    reading = Reading(record, "worried about support", "how is the page", strength)
    result = engine(model, read=lambda c: reading).analyse(record, (), Watch())
    assert sum(r.label.startswith("second_look") for r in model.requests) == asked
    assert len(result.findings) == kept
    assert len(result.set_aside) == 1 - kept
    if not kept:
        assert "how is the page?" in result.set_aside[0].reason


def finding(start: int, end: int, confidence: float, source: str, tier: Any = "finding") -> Finding:
    return Finding(
        kind="unheard_objection", quote="q" * (end - start), start=start, end=end, why="w", ask="a",
        confidence=confidence, source=source, tier=tier,
    )  # fmt: skip


def test_both_engines_on_one_page_say_what_they_agree_on() -> None:
    local = Analysis(
        findings=(finding(0, 10, 0.5, "local:a@1", "look"), finding(50, 60, 0.4, "local:a@1")),
        participants=(Participant(name="Ada", buy_in="lukewarm"), Participant(name="Ben")),
    )
    known = Participant(name="Ben", alignment="aligned", evidence=(Quote(quote="q", start=0, end=1),))
    llm = Analysis(
        findings=(finding(2, 9, 0.6, "a@1 m"), finding(80, 90, 0.9, "a@1 m")),
        participants=(Participant(name="Ada"), known),
        notices=("n",),
    )
    merged = merge_engines(local, llm)
    assert [f.start for f in merged.findings] == [80, 2, 50]
    agreed = merged.findings[1]
    assert (agreed.source, agreed.tier) == ("a@1 m + local:a@1", "finding")
    assert agreed.confidence == pytest.approx(0.8)
    assert merged.notices[0] == ("Both engines raise 1 of these passages; the model alone 1, the local engine alone 1.")
    assert merged.participants == (Participant(name="Ada", buy_in="lukewarm"), known)


def test_other_words_come_back_in_real_names_and_go_out_in_pseudonyms() -> None:
    known = Identities().add("Tom Okafor")
    tom = known.entities[0].label
    model = ScriptedChatModel([{"rewrites": [{"text": f"Could {tom} and I try? [x](http://e.example)", "opens": "o"}]}])
    (version,) = rewrites("Tom Okafor has to do it.", model, known, purpose="a plan for Tom Okafor")
    assert version.text == "Could Tom Okafor and I try? [x] (http: //e.example)"
    assert "Okafor" not in model.sent


def test_likely_objections_are_of_those_who_come() -> None:
    item = {
        "attendee": "", "earlier": [1, 5], "objection": "o", "need": None, "because": "b", "ask": "a?", "sure": "likely"
    }  # fmt: skip
    known = Identities().add("Tom Okafor")
    tom = known.entities[0].label
    script = [
        {"objections": [{**item, "attendee": tom}, {**item, "attendee": "Person QQ"}, {**item, "attendee": "anyone"}]}
    ]
    model = ScriptedChatModel(script)
    passage = Passage(id="1", meeting="m", text=f"{tom}: hm")
    found = likely_objections("Move Tom Okafor to the new team.", ["Tom Okafor"], [passage], model, known)
    assert [(o.attendee, o.earlier) for o in found] == [("Tom Okafor", [1]), ("anyone", [1])]
    assert "Okafor" not in model.sent


def test_the_digest_of_a_request_does_not_depend_on_its_delimiters() -> None:
    first, second = ScriptedChatModel(), ScriptedChatModel()
    for model in (first, second):
        engine(model, load_settings({}, concurrency=1)).analyse(conversation(), (), Watch())
    assert {r.digest("m") for r in first.requests} == {r.digest("m") for r in second.requests}
    assert len({r.digest("m") for r in first.requests}) == 4
    assert first.sent != second.sent
    assert json.dumps(first.requests[0].schema or {})
    assert conductor.STANDING == "participants"


def echo(request: Request) -> Any:
    """Quotes every line it is shown, as far as an answer is looked at."""
    if not request.label.startswith("unheard"):
        return {"participants": []} if request.label.startswith("part") else {"findings": []}
    shown = [line for line in request.messages[1][1].splitlines() if re.match(r"\d+\| ", line)]
    found = []
    for line in shown:
        mark, _, words = line.partition("| ")
        speaker, colon, rest = words.partition(": ")
        found += [said(int(mark), rest if colon else words, speaker if colon else None)]
        found += [said(int(mark), words, None)]
    return {"findings": found}


@pytest.mark.parametrize("name", [sample.name for sample in samples()])
def test_every_line_shown_leads_back_to_the_exact_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coach.llm_engine.sifting.MOST", 10_000)
    text = next(sample.text for sample in samples() if sample.name == name)
    record = conversation(text)
    result = engine(echo, kinds=("unheard_objection",)).analyse(record, (), Watch())
    assert all(text[f.start : f.end] == f.quote for f in result.findings)
    spoken = [
        u for u in record.utterances if u.role in ("speech", "narration") and any(map(str.isalnum, record.words(u)))
    ]
    reached = [u for u in spoken if any(u.said <= f.start and f.end <= u.end for f in result.findings)]
    assert len(reached) == len(spoken)


@settings_of(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 50), st.integers(0, len(MEETING)), st.integers(0, 60)), max_size=6))
def test_whatever_a_model_quotes_what_is_shown_is_exact(picks: list[tuple[int, int, int]]) -> None:
    found = [said(line, MEETING[start : start + length], None) for line, start, length in picks]
    result = analyse(answers(unheard_objections=found), kinds=("unheard_objection",))
    assert all(MEETING[f.start : f.end] == f.quote for f in result.findings)
    assert len(result.findings) + len(result.set_aside) <= len(picks)
