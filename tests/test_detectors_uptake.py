"""What counts as being taken up: who speaks next, what they do, and where the agenda item ends."""

from __future__ import annotations

import numpy as np
import pytest

from coach import acts, notes
from coach.detectors import ReplyAct
from coach.detectors.unheard_objections import seeds
from coach.detectors.uptake import UPTAKE_FEATURES, Record, reply_act, uptake_features, uptake_record


def record_of(text: str, **likely: set[int]) -> Record:
    """A record whose encoder is sure of the given acts at the given sentences, and of nothing else."""
    conversation = notes.parse(text)
    said = notes.sentences(conversation)
    logits = np.full((len(said), sum(len(names) for _, names in acts.HEADS)), -6.0, np.float32)
    for act, places in likely.items():
        logits[sorted(places), acts.columns()[act]] = 6.0
    vectors = np.zeros((len(said), len(acts.LINKS), acts.LINK_SIZE), np.float32)
    query, key = vectors.copy(), vectors.copy()
    query[..., 0], key[..., 0] = 8.0, -4.0  # no links
    return Record(conversation, acts.Reading(tuple(said), logits, query, key))


def linked(record: Record, later: int, link: str) -> Record:
    """The same, with one later sentence that takes up (or brushes off) everything before it."""
    key = record.reading.key.copy()
    key[later, acts.LINKS.index(link), 0] = 6.0
    r = record.reading
    return Record(record.conversation, acts.Reading(r.sentences, r.logits, r.query, key))


MEETING = """# Stock take

Ruth: From June we count the freezer on Sundays.
Paul: Sundays are the only day the lift is switched off. I don't see how we get the pallets up.
Ruth: {reply}

# Uniforms

Ruth: The new aprons are here.
"""


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("OK.", ReplyAct.BARE_OK),
        ("Thanks, noted.", ReplyAct.BARE_OK),
        ("Good point.", ReplyAct.BARE_OK),
        ("The aprons came on Friday.", ReplyAct.SUBJECT_CHANGE),
    ],
)
def test_a_bare_answer_is_told_from_a_change_of_subject(reply: str, expected: ReplyAct) -> None:
    record = record_of(MEETING.format(reply=reply), proposal={0}, objection={2})
    assert reply_act(record, 2, record.reply(2)) is expected


def test_a_reply_that_the_encoder_hears_as_brushing_off_is_a_dismissal() -> None:
    record = record_of(MEETING.format(reply="It worked in Leeds."), proposal={0}, objection={2}, dismissal={3})
    assert reply_act(record, 2, record.reply(2)) is ReplyAct.DISMISSAL


def test_a_parked_topic_is_parked() -> None:
    record = record_of(MEETING.format(reply="Let's take that offline."), proposal={0}, objection={2}, parking={3})
    assert reply_act(record, 2, record.reply(2)) is ReplyAct.PARKED


def test_an_agenda_item_ends_at_the_next_heading() -> None:
    record = record_of(MEETING.format(reply="OK."))
    assert [s.text for s in record.sentences[record.item_end(2) :]] == ["The new aprons are here."]
    assert record.others_after(2) == (3,)


def test_nothing_after_it_in_the_item_is_no_reply() -> None:
    text = (
        "# Lift\n\nRuth: We count on Sundays.\nPaul: The lift is off on Sundays.\n\n# Aprons\n\nRuth: They are here.\n"
    )
    record = record_of(text, proposal={0}, objection={1})
    found = uptake_record(record, (1,))
    assert found.reply is None and found.end_of_item and found.reply_act is ReplyAct.NONE
    assert found.next_topic is not None and "Aprons" in found.next_topic


def test_the_record_names_proposal_reply_and_later_uptake() -> None:
    record = record_of(MEETING.format(reply="OK. I'll have the lift switched on for you."), proposal={0}, objection={2})
    found = uptake_record(linked(record, 4, "takes_up"), (1, 2))
    assert found.proposal is not None and found.proposal.text.startswith("From June")
    assert found.reply is not None and found.reply.text == "OK."
    assert found.later_uptake is not None and "lift" in found.later_uptake.text


@pytest.mark.parametrize(
    ("later", "echoed"),
    [("We should talk about Sundays and the lift.", True), ("The new aprons are here.", False)],
)
def test_words_that_come_back_later_in_the_item_are_an_echo(later: str, echoed: bool) -> None:
    text = f"# Lift\n\nRuth: We count now.\nPaul: The lift is off on Sundays.\nRuth: Fine.\nMara: {later}\n"
    assert uptake_record(record_of(text, proposal={0}, objection={1}), (1,)).echoed is echoed


def test_the_chair_is_known_from_the_list_of_roles() -> None:
    text = "Chair: Ruth\nPresent: Ruth, Paul\n\n" + MEETING.format(reply="OK.")
    record = record_of(text)
    index = next(i for i, s in enumerate(record.sentences) if s.text.startswith("I don't see"))
    assert uptake_record(record, (index,)).chair


def test_uptake_features_are_finite_and_named() -> None:
    record = record_of(MEETING.format(reply="OK."))
    for index in range(len(record.sentences)):
        values = uptake_features(record, index)
        assert len(values) == len(UPTAKE_FEATURES)
        assert np.isfinite(values).all()


def test_words_that_come_back_and_owners_are_seen() -> None:
    answered = record_of(MEETING.format(reply="I'll ask the porter to switch the lift on."))
    brushed = record_of(MEETING.format(reply="Right, anything else?"))
    at = UPTAKE_FEATURES.index
    one, other = uptake_features(answered, 2), uptake_features(brushed, 2)
    assert one[at("overlap best")] > other[at("overlap best")]
    assert one[at("words own")] > other[at("words own")]
    assert other[at("reply asks")] > one[at("reply asks")]


def test_of_objections_taken_for_heard_the_unanswered_one_is_looked_at_first() -> None:
    text = (
        "# Lift\n\nPaul: The lift is off on Sundays.\nRuth: I'll have it switched on.\n\n"
        "# Aprons\n\nPaul: The aprons tear at the neck.\nRuth: Next, the rota.\n"
    )
    record = linked(record_of(text, objection={0, 2}), 1, "takes_up")
    assert (record.probabilities["unheard"][[0, 2]] < 0.1).all()
    assert [passage.seed for passage in seeds(record)][:2] == [2, 0]
