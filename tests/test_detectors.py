"""What the offline engine finds, and what it lets pass, on passages written for these tests."""

from __future__ import annotations

import re

import pytest

from coach import acts, notes
from coach.detectors import DETECTORS
from coach.detectors.decision import once, quieten
from coach.schema import Finding


def found(text: str, kind: str | None = None, tier: str | None = None) -> list[Finding]:
    conversation = notes.parse(text)
    reading = acts.read(conversation)
    all_ = [f for name, d in DETECTORS.items() if kind in (None, name) for f in d.detect(conversation, reading)]
    return [
        f
        for f in quieten(once(sorted(all_, key=lambda f: -f.confidence)), len(reading.sentences))
        if tier in (None, f.tier)
    ]


UNHEARD = """# Weekly, laundry and linen

Greta: I want to move all pick-ups to five in the morning, starting next month.
Hamid: At five there is no bus. Half of my team can't get here, and I'd lose Rosa for good.
Greta: Okay. The second thing is the new detergent, it came in cheaper than we thought.
Lotte: It smells better too.
Greta: Perfect. So five o'clock it is, everyone agrees. See you on Thursday.
"""

HEARD = """# Weekly, laundry and linen

Greta: I want to move all pick-ups to five in the morning, starting next month.
Hamid: At five there is no bus. Half of my team can't get here, and I'd lose Rosa for good.
Greta: I hadn't thought of the bus. When does the first one arrive?
Hamid: Twenty to six.
Greta: Then we start at six, and I'll tell the hospital today. Would that work for Rosa?
Hamid: Yes, six is fine. Thank you.
Lotte: Good, six it is.
"""

QUIET = """# Garden committee

Ida: The seed order went out on Monday. It should be here by the twelfth.
Per: I can collect it from the depot.
Ida: Thank you, Per. The pump was serviced and works again.
Solveig: Shall we water on Tuesdays and Fridays, as last year?
Per: Fine by me.
Ida: Tuesdays and Fridays, then. Solveig puts it on the board.
"""


def test_every_quote_is_the_exact_slice_and_every_finding_is_complete() -> None:
    conversation = notes.parse(UNHEARD)
    for f in found(UNHEARD):
        assert conversation.text[f.start : f.end] == f.quote
        assert f.why and f.ask.rstrip().endswith("?")
        assert 0 <= f.confidence <= 1
        assert f.source.startswith("local:")


def test_an_objection_that_nobody_takes_up_is_raised() -> None:
    quotes = [f.quote for f in found(UNHEARD, "unheard_objection")]
    assert any("bus" in q or "Rosa" in q for q in quotes)


def test_the_same_objection_taken_up_scores_lower() -> None:
    def confidence(text: str) -> float:
        return max(
            (f.confidence for f in found(text, "unheard_objection") if "bus" in f.quote or "Rosa" in f.quote),
            default=0.0,
        )

    assert confidence(HEARD) < confidence(UNHEARD)


def test_an_objection_that_led_to_a_change_is_no_finding() -> None:
    assert not found(HEARD, "unheard_objection", "finding")


def test_a_meeting_with_nothing_to_raise_is_quiet() -> None:
    assert found(QUIET, tier="finding") == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Obviously nobody with any sense would keep the old supplier.",
        "We have no choice, either you sign today or the project is dead.",
        "They are simply too lazy to learn the new till.",
        "Trust me, this will solve every problem we have with the shifts.",
    ],
)
def test_words_that_leave_no_room_are_found(sentence: str) -> None:
    text = f"Vera: The offer is on the table.\nNils: {sentence}\nVera: Hm.\nOskar: Next item, the keys.\n"
    assert [f for f in found(text, "categorical_phrasing") if f.quote in sentence or sentence in f.quote]


@pytest.mark.parametrize(
    "sentence",
    [
        "The parser always returns a list, also for one row.",
        "I will definitely bring the keys tomorrow.",
        "Should we never say never?",
        "Of course, go ahead.",
        "The law says that nobody under sixteen may work after ten.",
    ],
)
def test_strong_words_that_are_fine_are_no_findings(sentence: str) -> None:
    text = f"Vera: Good morning.\nNils: {sentence}\nVera: Thank you, that helps.\nOskar: Next item, the keys.\n"
    assert not found(text, "categorical_phrasing", "finding")


def test_who_is_called_what_changes_no_finding() -> None:
    other = UNHEARD
    for old, new in {"Greta": "Wojtek", "Hamid": "Ann-Sofie", "Lotte": "Tunde"}.items():
        other = re.sub(rf"\b{old}\b", new, other)
    shape = [(f.kind, f.subtype, f.tier, round(f.confidence, 2)) for f in found(UNHEARD)]
    assert [(f.kind, f.subtype, f.tier, round(f.confidence, 2)) for f in found(other)] == shape


def test_one_passage_is_not_both_an_objection_and_a_need_unless_both_are_sure() -> None:
    shown = found(UNHEARD)
    for o in (f for f in shown if f.kind == "unheard_objection"):
        for n in (f for f in shown if f.kind == "unaddressed_need"):
            assert n.end <= o.start or o.end <= n.start or min(n.confidence, o.confidence) >= 0.6


def test_detectors_say_which_kind_and_version_made_a_finding() -> None:
    assert [d.source for _, d in DETECTORS.items()] == [f"local:{kind}@1" for kind in DETECTORS]


def test_whoever_asks_for_objections_makes_none() -> None:
    text = UNHEARD.replace("Greta: Perfect.", "Greta: So, does anyone object to five?\nGreta: Perfect.")
    assert not [f for f in found(text) if "anyone object" in f.quote]


def test_half_a_yes_is_at_least_worth_a_look() -> None:
    text = UNHEARD.replace("Lotte: It smells better too.", "Lotte: Fine, if that's what is decided.")
    assert [f.quote for f in found(text) if f.subtype == "lukewarm"] == ["Fine, if that's what is decided."]


def test_one_passage_is_not_raised_twice() -> None:
    spans = [(f.start, f.end) for f in found(UNHEARD) if f.kind != "categorical_phrasing"]
    assert all(a[1] <= b[0] or b[1] <= a[0] for a in spans for b in spans if a != b)


@pytest.mark.parametrize(
    "closing", ["Hearing none.", "Nobody raised any other points.", "Any changes to them? Hearing none, they stand."]
)
def test_a_step_of_procedure_that_nobody_comments_on_is_no_silence(closing: str) -> None:
    notes = f"""\
# Parish council

## Minutes of April
Clerk: The minutes went out on Monday.
Chair: {closing}

## Roof
Clerk: The roof is dry again.
"""
    assert found(notes, kind="unheard_objection") == []


@pytest.mark.parametrize("hush", ["No comments.", "Nobody spoke.", "No one said anything against it."])
def test_silence_after_a_proposal_is_still_heard(hush: str) -> None:
    notes = f"""\
# Staff meeting

Chair proposed to close the Leeds office in June and move everyone to York.
{hush}
Chair: Then it is decided.
"""
    assert "silence" in [f.subtype for f in found(notes, tier="finding")]


CHAT = """\
[10:02] Noor: so starting next sprint we do code freeze on wednesdays
[10:03] Tariq: wednesday is when the clinic sends the weekly fixes though
[10:03] Noor: we always find a way
[10:04] Lena: could we do thursday instead? then the fixes are in
[10:05] Noor: good idea, let's do thursday noon. Tariq does that work for you?
[10:05] Tariq: {answer}
[10:06] Sam: 👍
"""


@pytest.mark.parametrize(("answer", "raised"), [("yes that works, thanks", False), ("hm, still not sure", True)])
def test_whoever_says_that_it_works_for_them_now_is_not_told_to_be_unheard(answer: str, raised: bool) -> None:
    quotes = [f.quote for f in found(CHAT.format(answer=answer), kind="unheard_objection")]
    assert any("weekly fixes" in quote or "not sure" in quote for quote in quotes) is raised
    assert "👍" not in quotes


def test_one_scene_in_brackets_is_told_once() -> None:
    notes = """\
Helena: We have to buy the yearly plan, there is no other option.
(Nobody said anything for a while. Jonas looked at the wall.)
Helena: Good, then we all agree.
"""
    assert [f.quote for f in found(notes, kind="unheard_objection", tier="finding")] == [
        "(Nobody said anything for a while."
    ]
