"""Strong words are heard, and let pass where they are harmless."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.lexicon import Scope, cues, fold, has, scope, tentativeness
from coach.schema import CATEGORICAL_SUBTYPES

TOO_STRONG = [
    ("absolute", "Nobody in this company wants another tool."),
    ("absolute", "You never listen to the night crew."),
    ("absolute", "Every serious laboratory works like that."),
    ("absolute", "They always find a reason to be late."),
    ("absolute", "The old approach is completely useless."),
    ("absolute", "The entire industry has moved on."),
    ("certainty", "Obviously the second design is the better one."),
    ("certainty", "There is no doubt that the tenants will be pleased."),
    ("certainty", "It's simply a fact that open offices breed noise."),
    ("certainty", "Outsourcing is the only way to keep the plant alive."),
    ("certainty", "Longer shifts mean fewer handovers, end of story."),
    ("certainty", "This one is a no-brainer."),
    ("certainty", "Everybody knows that paper forms get lost."),
    ("directive", "You have to hand in your phones at the door."),
    ("directive", "We have no choice but to merge the two choirs."),
    ("directive", "They'll just have to live with it and get used to it."),
    ("directive", "The opening hours are not up for discussion."),
    ("directive", "You must work the bank holiday."),
    ("presumed_consent", "We all agree on the new logo."),
    ("presumed_consent", "The whole ward is on board with the move."),
    ("presumed_consent", "I take it that everyone is happy with this."),
    ("presumed_consent", "I'll put the silence down as a yes."),
    ("presumed_consent", "Recorded as unanimous."),
    ("prediction", "The residents will love the new square."),
    ("prediction", "This will solve our staffing problem."),
    ("prediction", "The strike is bound to fail."),
    ("prediction", "It'll be fine once the children get used to it."),
    ("prediction", "They won't notice the difference."),
    ("either_or", "Either we raise the fee or we shut the pool."),
    ("either_or", "It's now or never for this merger."),
    ("either_or", "There is no middle way here."),
    ("judgement", "The people on the second floor are just lazy."),
    ("judgement", "They can't be bothered to read the manual."),
    ("judgement", "That's nonsense and you know it."),
    ("judgement", "Anyone who still doubts this is living in a dream."),
    ("savior", "Trust me, I have turned three bakeries around."),
    ("savior", "Leave it to me."),
    ("savior", "I know exactly what this orchestra needs."),
    ("savior", "I have the answer to our waiting list."),
    ("absolute", "We're losing every customer under thirty."),
]

FINE = [
    (Scope.IDIOM, "Never mind the coffee."),
    (Scope.IDIOM, "Of course, go ahead."),
    (Scope.IDIOM, "Thanks everyone for coming in so early."),
    (Scope.IDIOM, "Always happy to help."),
    (Scope.IDIOM, "Please write the address clearly on the label."),
    (Scope.FACT, "The parser always returns a list."),
    (Scope.FACT, "The pump never starts below four degrees."),
    (Scope.FACT, "Nobody replied to the second letter."),
    (Scope.FACT, "Everyone signed the sheet at the door."),
    (Scope.RULE, "By law you have to keep the invoices for ten years."),
    (Scope.RULE, "Under the contract we must give four weeks' notice."),
    (Scope.RULE, "Always switch the mains off first."),
    (Scope.REQUIREMENT, "It has to stay dry in the shed."),
    (Scope.OWN_PROMISE, "I will definitely send you the drawings tonight."),
    (Scope.OWN_PROMISE, "I will definitely be there at four."),
    (Scope.ROUTINE, "We have to decide who orders the paint."),
    (Scope.ROUTINE, "We have to find a date before the holidays."),
    (Scope.EXPERIENCE, "I never got the hang of that machine."),
    (Scope.HEDGE, "I think we always end up with the same three people."),
    (Scope.HEDGE, "Maybe nobody reads the newsletter."),
    (Scope.HEDGE, "It seems that the tenants will love it."),
    (Scope.NEGATION, "That is not obviously better."),
    (Scope.NEGATION, "It does not always work."),
    (Scope.QUESTION, "Do you always lock the shed?"),
    (Scope.QUESTION, "Does everyone agree?"),
    (Scope.REPORTED, 'We should stop saying "they never listen".'),
    (Scope.REPORTED, 'I would not write "everybody is on board" in the letter.'),
    (Scope.OWN_PROMISE, "We're moving every team to the new rota by June."),
    (Scope.OWN_PROMISE, "I am also calling every parent this week."),
]

REPLIES = [
    ("reply", "bare_ok", "Okay, noted."),
    ("reply", "bare_ok", "Thanks, good point."),
    ("reply", "parked", "Let's take that offline."),
    ("reply", "parked", "We'll come back to the boiler another time."),
    ("reply", "moving_on", "Moving on, item four."),
    ("reply", "dismissed", "Don't worry, it'll be fine."),
    ("reply", "paraphrase", "So you're worried that the ramp is too steep?"),
    ("reply", "ask", "What would you need from us?"),
    ("reply", "own", "I'll ask the landlord by Friday."),
    ("reply", "change", "Then let's move the start to May."),
    ("assent", "lukewarm", "Fine, whatever you decide."),
    ("assent", "lukewarm", "I won't stand in the way."),
    ("assent", "committed", "Count me in."),
    ("assent", "committed", "I'm in."),
    ("assent", "resistant", "I can't support that."),
    ("assent", "disagreed", "I see that differently."),
    ("assent", "disagreed", "I don't agree."),
    ("assent", "disagreed", "Sorry, I do not really agree."),
    ("assent", "disagreed", "I don't think this is realistic."),
    ("assent", "disagreed", "I do not believe the shop will notice."),
    ("assent", "collective", "All agreed."),
    ("assent", "silence", "Hearing no objections, we go ahead."),
    ("assent", "silence", "The room went quiet."),
]


def strong(sentence: str) -> list[str]:
    return [c.subtype for c in cues(sentence) if c.kind == "categorical" and scope(sentence, c) is None]


@pytest.mark.parametrize(("subtype", "sentence"), TOO_STRONG)
def test_a_strong_word_is_heard(subtype: str, sentence: str) -> None:
    assert subtype in strong(sentence)


@pytest.mark.parametrize(("reason", "sentence"), FINE)
def test_a_harmless_use_is_let_pass_for_the_right_reason(reason: Scope, sentence: str) -> None:
    assert strong(sentence) == []
    assert reason in {scope(sentence, c) for c in cues(sentence) if c.kind == "categorical"}


@pytest.mark.parametrize("sentence", ["I do agree.", "I do think it is right.", "We do see it that way."])
def test_agreeing_is_not_heard_as_disagreeing(sentence: str) -> None:
    assert not has(sentence, "assent", "disagreed")


@pytest.mark.parametrize(("kind", "subtype", "sentence"), REPLIES)
def test_words_of_uptake_and_assent_are_heard(kind: str, subtype: str, sentence: str) -> None:
    assert has(sentence, kind, subtype)


def test_there_are_words_for_every_subtype() -> None:
    assert {s for s, _ in TOO_STRONG} == set(CATEGORICAL_SUBTYPES)


def test_curly_apostrophes_and_capitals_change_nothing() -> None:
    plain = [(c.subtype, c.start, c.end) for c in cues("It'll never work, and they're all agreed.")]
    assert plain == [(c.subtype, c.start, c.end) for c in cues("IT’LL NEVER WORK, AND THEY’RE ALL AGREED.")]


def test_a_contraction_stands_for_its_long_form() -> None:
    assert strong("It'll be fine once they've tried it.") == strong("It will be fine once they have tried it.")


@pytest.mark.parametrize(
    ("softer", "harder"),
    [
        ("Perhaps we could try the smaller van first.", "We must take the smaller van."),
        ("It looks to me as if the tenants might prefer the garden.", "The tenants want the garden, obviously."),
        ("I see your point, and I wonder whether two weeks may be enough.", "No, you are wrong, two weeks is enough."),
        ("So far I think it tends to work.", "It always works."),
    ],
)
def test_hedged_and_acknowledging_words_are_more_tentative(softer: str, harder: str) -> None:
    assert tentativeness(softer) > tentativeness(harder) + 0.2


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_cues_are_slices_of_any_text_and_tentativeness_is_a_share(text: str) -> None:
    assert len(fold(text)) == len(text)
    for cue in cues(text):
        assert text[cue.start : cue.end] == cue.text
        scope(text, cue)
    assert 0 <= tentativeness(text) <= 1


def test_one_very_long_line_stays_cheap() -> None:
    line = "and then everyone said they always agree, obviously, " * 2000
    found = cues(line)
    assert len(found) > 4000
    assert all(scope(line, c) is not Scope.QUESTION for c in found[:50])
