"""Pseudonyms: what is replaced, what is left alone, and that every text comes back to the letter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coach.anonymise import anonymise, leak_check, leaks_in, pseudonymise, restore
from coach.errors import LeakError
from coach.identities import Identities
from coach.identities.value import SHAPE
from coach.schema import Attendee, Conversation, Utterance


def notes(text: str, *attendees: str, utterances: tuple[Utterance, ...] = ()) -> Conversation:
    return Conversation(
        text=text, format="plain", attendees=tuple(Attendee(name=name) for name in attendees), utterances=utterances
    )


def replaced(text: str, *attendees: str, model: bool = False, identities: Identities | None = None) -> dict[str, str]:
    done = anonymise(notes(text, *attendees), identities or Identities(), model=model)
    assert restore(done.text, done.identities) == text
    leak_check(done.text, done.identities, "a test")
    return {text[item.start : item.end]: item.type for item in done.replaced}


@pytest.mark.parametrize(
    ("attendee", "text", "form"),
    [
        ("Robert Quill", "We asked Bob about it.", "Bob"),
        ("Katarzyna Lis", "Kate has doubts.", "Kate"),
        ("Bob", "Robert was late.", "Robert"),
        ("Ulla Brandvik", "So ulla left early.", "ulla"),
        ("Ulla Brandvik", "That was Ulla's point.", "Ulla"),
        ("Ulla Brandvik", "ulla brandvik's plan", "ulla brandvik"),
        ("Ulla Brandvik", "U. Brandvik signed.", "U. Brandvik"),
        ("Ulla Brandvik", "Ulla B. agreed", "Ulla B"),
        ("Ulla Brandvik", "ask ubrandvik for access", "ubrandvik"),
        ("Ulla Brandvik", "Brandwik disagreed", "Brandwik"),
        ("Ulla Brandvik", "ULLA: no.", "ULLA"),
        ("Ulla Brandvik", "_Ulla_ objects", "Ulla"),
        ("Dr. Ulla Brandvik", "Brandvik objects", "Brandvik"),
        ("Brandvik, Ulla", "Ulla objects", "Ulla"),
        ("Ulla Brandvik (chair)", "Ulla objects", "Ulla"),
        ("José Núñez", "Jose objects and so does nunez.", "nunez"),
        ("Siobhán O'Hara", "O'Hara objects", "O'Hara"),
        ("Jean-Luc Marrow", "Jean-Luc objects", "Jean-Luc"),
        ("TK", "TK: not yet. tk is a toolkit.", "TK"),
        ("山田太郎", "昨日山田太郎さんが反対した。", "山田太郎"),
    ],
)
def test_every_form_of_an_attendee_is_replaced(attendee: str, text: str, form: str) -> None:
    assert replaced(text, attendee).get(form) == "person"


@pytest.mark.parametrize(
    ("attendee", "text"),
    [
        ("Will Tarn", "I will do it. Will we manage? Free will matters."),
        ("May Olsen", "We ship in May, or by 3 May, or May 12."),
        ("Mark", "Mark the tickets, then mark them done."),
        ("Rose Abara", "Costs rose again and the rose died."),
        ("Grace Poll", "There is a grace period. Do a poll."),
        ("Hope Winter", "I hope so; this winter, hope is all we have."),
        ("Josh Stone", "It is set in stone."),
        ("Bill Marsh", "Who pays the bill for the marsh?"),
        ("Art Case", "In that case, art is long."),
        ("TK", "tk is a toolkit"),
    ],
)
def test_ordinary_words_that_are_also_names_stay(attendee: str, text: str) -> None:
    assert replaced(text, attendee) == {}


@pytest.mark.parametrize(
    ("attendee", "text", "form"),
    [
        ("Will Tarn", "We told Will that it will be late.", "Will"),
        ("Will Tarn", "Will: I doubt it.", "Will"),
        ("May Olsen", "That was May's idea.", "May"),
        ("Mark", "Mark said no.", "Mark"),
        ("mark", "mark: that won't work", "mark"),
        ("Rose Abara", "Thanks to Rose we know.", "Rose"),
        ("Grace Poll", "I agree with Grace.", "Grace"),
    ],
)
def test_the_same_words_are_replaced_where_they_name_someone(attendee: str, text: str, form: str) -> None:
    assert replaced(text, attendee).get(form) == "person"


@pytest.mark.parametrize(
    ("text", "form", "kind"),
    [
        ("write to jo.ferro@mill.example today", "jo.ferro@mill.example", "email"),
        ("ping @night-owl now", "@night-owl", "handle"),
        ("see https://wiki.mill.example/x?y=1.", "https://wiki.mill.example/x?y=1", "url"),
        ("host 10.20.30.40 is down", "10.20.30.40", "ip"),
        ("host fe80::1ff:fe23:4567:890a is down", "fe80::1ff:fe23:4567:890a", "ip"),
        ("call +44 20 7946 0958 today", "+44 20 7946 0958", "phone"),
        ("call (212) 555-0142 today", "(212) 555-0142", "phone"),
        ("my mobile: 0151 23456789", "0151 23456789", "phone"),
        ("paid with 4111 1111 1111 1111", "4111 1111 1111 1111", "card"),
        ("to DE89 3704 0044 0532 0130 00 by Friday", "DE89 3704 0044 0532 0130 00", "iban"),
        ("to GB82WEST12345698765432.", "GB82WEST12345698765432", "iban"),
        ("born on 4 May 1971 in a village", "4 May 1971", "birth_date"),
        ("DOB: 1971-05-04", "1971-05-04", "birth_date"),
        ("send it to 12 Long Acre Road", "12 Long Acre Road", "address"),
        ("Sie wohnt Lindenstraße 5", "Lindenstraße 5", "address"),
        ("we told Brightwater Ltd about it", "Brightwater Ltd", "company"),
        ("the office in Grindleford moves", "Grindleford", "place"),
        ("Project Falkenrath slips", "Falkenrath", "project"),
    ],
)
def test_things_are_recognised_by_form_and_context(text: str, form: str, kind: str) -> None:
    assert replaced(text).get(form) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Version 1.2.3.4 of 2024-05-06 cost 1,234,567 in 2023-2024.",
        "4111 1111 1111 1112 fails the check; so does DE89 3704 0044 0532 0130 02.",
        "Ticket 20240506, room 1204, 10:30-11:45, 3 x 400 units, invoice 88112233.",
        "A decorator like x@y is no address.",
        "NPM, RGN and CNCF have no vowel: NPM says nothing about who RGN is.",
    ],
)
def test_numbers_that_only_look_personal_stay(text: str) -> None:
    assert replaced(text) == {}


def test_the_glossary_names_companies_customers_projects_and_places() -> None:
    known = Identities().with_glossary((("Oak & Sons", "customer"), ("Falcon", "project")))
    assert replaced("oak & sons wants Falcon, not a falcon.", identities=known) == {
        "oak & sons": "customer",
        "Falcon": "project",
    }


def test_people_nobody_listed_are_found_by_the_model() -> None:
    text = "Later Henrietta Vasquez-Lindh said that Okonkwo had doubts about the roof.\n"
    assert {"Henrietta Vasquez-Lindh", "Okonkwo"} <= set(replaced(text, model=True))


@pytest.mark.parametrize(
    ("text", "hidden", "left"),
    [
        ("In the round Ines Calderwood from traffic said no.", {"Ines Calderwood"}, "traffic"),
        ("Notes of a talk: Kerstin / Davor, 11 June.", {"Kerstin", "Davor"}, "June"),
        ("I did the same thing at Brenner, twelve depots, and Ines saw it.", {"Ines"}, "Brenner"),
        ("The ramp at Varnholt Road takes nothing. Ines will ask.", {"Ines"}, "Varnholt"),
    ],
)
def test_surnames_of_people_mentioned_go_and_places_stay(text: str, hidden: set[str], left: str) -> None:
    found = replaced(text, model=True)
    assert hidden <= set(found)
    assert not any(left in form for form in found)


def test_a_name_that_is_also_a_word_is_heard_among_the_attendees() -> None:
    text = "Present: Denise (chair), Col, Abena\n\nCol: They've sent figures.\nDenise: Cheers, Col.\n"
    assert "Col" in replaced(text, "Denise", "Col", "Abena")


def test_forms_of_one_person_share_the_letters_and_differ_in_the_number() -> None:
    done = anonymise(notes("Robert: yes. Bob, Bob and Robert Quill.", "Robert Quill"), Identities(), model=False)
    assert done.text == "Person A2: yes. Person A, Person A and Person A3."
    assert done.identities.canonical(done.text) == "Person A: yes. Person A, Person A and Person A."


def test_pseudonyms_stay_the_same_in_later_meetings() -> None:
    first = anonymise(notes("Ulla: hm. Ben: no.", "Ulla Brandvik", "Ben"), Identities(), model=False)
    later = anonymise(notes("Ben and Ulla met Zoltan Rhee.", "Ulla Brandvik", "Ben"), first.identities, model=False)
    assert later.text.startswith("Person B and Person A met ")
    assert restore(first.text, later.identities) == "Ulla: hm. Ben: no."


def test_text_that_looks_like_a_pseudonym_is_never_mistaken_for_one() -> None:
    first = anonymise(notes("Person A met Ulla.", "Ulla"), Identities(), model=False)
    assert first.text == "Person A met Person B."
    later = anonymise(notes("Person B met Ulla.", "Ulla"), first.identities, model=False)
    assert "Person B met" not in later.text
    assert restore(later.text, later.identities) == "Person B met Ulla."


def test_the_conversation_is_rewritten_with_its_own_offsets() -> None:
    text = "Ulla Brandvik: I doubt it.\nBob: why, Ulla?\n"
    turns = (
        Utterance(speaker="Ulla Brandvik", start=0, said=15, end=26),
        Utterance(speaker="Bob", start=27, said=32, end=42, section="Ulla's worry"),
    )
    done = anonymise(notes(text, "Ulla Brandvik", "Robert", utterances=turns), Identities(), model=False)
    shown = done.conversation
    assert [shown.words(turn) for turn in shown.utterances] == ["I doubt it.", "why, Person A2?"]
    assert shown.speakers == ("Person A", "Person B")
    assert [attendee.name for attendee in shown.attendees] == ["Person A", "Person B"]
    assert shown.utterances[1].section == "Person A2's worry"
    at = done.text.index("I doubt")
    assert text[slice(*done.to_original(at, at + 11))] == "I doubt it."
    at = done.text.index("Person A2?")
    assert text[slice(*done.to_original(at + 3, at + 5))] == "Ulla"
    assert done.text[slice(*done.to_pseudonymised(37, 41))] == "Person A2"


def test_exempt_spellings_are_left_and_never_stop_anything() -> None:
    known = Identities().add("Jenkins").exempted("jenkins")
    assert replaced("Jenkins builds it", identities=known) == {}


def test_the_preview_shows_each_spelling_once() -> None:
    done = anonymise(notes("Ulla, Ulla, @night-owl", "Ulla"), Identities(), model=False)
    assert [(row.original, row.count) for row in done.preview()] == [("Ulla", 2), ("@night-owl", 1)]
    assert "original" not in str(done.as_json()["replaced"])
    assert done.as_json(with_originals=True)["replaced"][0]["original"] == "Ulla"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ask Ulla", "person"),
        ("ask Brandvik", "person"),
        ("ask ulla brandvik", "person"),
        ("ubrandvik", "person"),
        ("x@mill.example", "email"),
        ("+44 20 7946 0958", "phone"),
        ("4111111111111111", "card"),
        ("GB82WEST12345698765432", "iban"),
    ],
)
def test_the_leak_check_names_the_kind_and_the_place_but_not_the_value(text: str, kind: str) -> None:
    known = Identities().add("Ulla Brandvik")
    with pytest.raises(LeakError) as caught:
        leak_check(f"so we {text} again", known, "a prompt")
    assert "a prompt" in str(caught.value)
    assert kind in str(caught.value)
    assert text.split()[-1] not in str(caught.value)


def test_the_leak_check_lets_instructions_pass_whoever_is_known() -> None:
    known = Identities().add("Will Stone").add("Mark Price").add("Grace Long").add("May Field").add("TK")
    text = "Will the reader agree?\n- Mark each claim.\nMay it be long or short, price it in the field. Grace matters."
    assert leak_check(text, known, "a prompt") == text


def test_a_query_is_pseudonymised_without_adding_anyone() -> None:
    known = Identities().add("Ulla Brandvik")
    assert pseudonymise("what did Ulla say to x@mill.example?", known) == "what did Person A say to [email]?"


NAMES = st.sampled_from(
    [
        "Ana",
        "Bob",
        "Robert Quill",
        "Will",
        "May",
        "ana lee",
        "Ana Lee",
        "TC",
        "李四",
        "O'Hara",
        "José",
        "Mark R",
        "I",
        "B",
    ]
)
# fmt: off
SCRAPS = st.sampled_from([
    "Person A", "Person B2", "Person AA", "@person-a", "a1@example.invalid", "https://example.invalid/a", "Phone A",
    "Label A", "Company B", "Host A", "Person ", "ana", "ANA", "Bob", "bob@x.org", "@bob", "+44 20 7946 0958",
    "4111111111111111", "GB82WEST12345698765432", "https://a.b/c", "will", "Will", "May", "robert", "RQuill", "李四",
    "Mark", "mark:", " ", "\n", "\r\n", ": ", "'s", ".", ", ", "_", "é", "\u0301", "\ufeff", "A", "2", "\x00", "ß", "İ",
    "1", "-", "@", "#",
])
# fmt: on
TEXTS = st.lists(st.one_of(SCRAPS, st.text(max_size=4)), max_size=25).map("".join)


@given(st.lists(st.tuples(TEXTS, st.lists(NAMES, max_size=4)), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([("Person A", ["Ana"]), ("Person A Ana", ["Ana"])])
@example([("@person-aPerson A.@person-a", [])])
@example([("GB82WEST12345698765432İ", []), ("4111 1111 1111 111²", [])])  # a letter and a digit only by some tests
def test_any_text_is_restored_to_the_letter_and_leaks_nothing(meetings: list[tuple[str, list[str]]]) -> None:
    identities = Identities()
    done = []
    for text, names in meetings:
        result = anonymise(notes(text, *names), identities, model=False)
        identities = result.identities
        assert leaks_in(result.text, identities) == []
        done.append((text, result.text))
    for text, shown in done:
        assert restore(shown, identities) == text


@given(TEXTS, st.lists(NAMES, max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_offsets_map_both_ways(text: str, names: list[str]) -> None:
    done = anonymise(notes(text, *names), Identities(), model=False)
    for item in done.replaced:
        start, end = done.to_pseudonymised(item.start, item.end)
        assert done.text[start:end] == item.pseudonym
        assert done.to_original(start, end) == (item.start, item.end)
    assert done.to_original(0, len(done.text)) == (0, len(text))


def test_pseudonyms_never_repeat_and_always_have_the_shape() -> None:
    identities = Identities()
    for number in range(60):
        identities = identities.add(f"Zz{number}q")
    pseudonyms = [form.pseudonym for entity in identities.entities for form in entity.forms]
    assert len(set(pseudonyms)) == 60
    assert all(SHAPE.fullmatch(pseudonym) for pseudonym in pseudonyms)
    assert "Person I" not in pseudonyms
