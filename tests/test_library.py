"""The library as a user meets it: embedded, on a real Chroma server, and with a real PostgreSQL beside that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach import notes
from coach.errors import ConfigError, InputError, LibraryError
from coach.library import GRACE, Library
from coach.schema import Conversation, Finding
from coach.settings import Settings, load_settings

RELEASE = """\
Marisa: The pager woke me up five nights this week, I can't keep that up.
Tobias: Let us look at the release first.
Marisa: Testing is far behind, releasing in May worries me.
Tobias: We promised May to Northgate Logistics.
Yuki: The documentation is not ready either.
Tobias: Then write it faster.
Marisa: And the pager?
Tobias: Later, please.
Yuki: I would like to have a rollback plan.
Tobias: Good point, Yuki writes one until Friday.
"""
PRICING = """\
Tobias: The new price list starts in January.
Ines: Loyal customers pay more than new ones, that is unfair.
Tobias: Everybody raises prices.
Ines: I still think that it is wrong.
"""
NIGHTS = """\
Marisa: The pager woke me up again this week, five nights in a row.
Tobias: Noted.
Yuki: Thank you all.
"""


def parsed(text: str) -> Conversation:
    return notes.parse(text)


@pytest.fixture(params=["embedded", "chroma", "postgres and chroma"])
def settings(request: pytest.FixtureRequest, a_home_of_its_own: Path) -> Settings:
    place = {"COACH_HOME": str(a_home_of_its_own)}
    if "chroma" in request.param:
        place["COACH_CHROMA_URL"] = request.getfixturevalue("chroma")
    if "postgres" in request.param:
        place["COACH_DATABASE_URL"] = request.getfixturevalue("postgres").database()
    return load_settings(place)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(settings: Settings, clock: Clock) -> Iterator[Library]:
    with Library(settings, clock=clock) as opened:
        yield opened


def add_all(library: Library) -> dict[str, str]:
    return {
        "release": library.add(parsed(RELEASE), title="Release talk", date="2026-03-02", tags=["platform"]).id,
        "pricing": library.add(parsed(PRICING), title="Prices", date="2026-04-10", tags=["sales"]).id,
        "nights": library.add(parsed(NIGHTS), title="Stand-up", date="2026-05-20", tags=["platform"]).id,
    }


def test_add_tells_what_it_kept_and_keeps_the_same_notes_once(library: Library) -> None:
    first = library.add(parsed(RELEASE), title="Release talk with Tobias", date="2026-03-02", attendees=["Zofia Malik"])
    assert first.new and (first.lines, first.passages) == (10, 4)
    assert first.title is not None and "Tobias" not in first.title
    assert len(first.attendees) == 4 and not set(first.attendees) & {"Marisa", "Zofia Malik"}
    again = library.add(parsed(RELEASE + "\n"), tags=["platform"])
    assert not again.new and again.id == first.id and again.tags == ("platform",) and again.title == first.title
    assert len(library.list()) == 1


def test_search_finds_by_words_by_meaning_and_by_name(library: Library) -> None:
    ids = add_all(library)
    best = library.search("What did Ines say about prices?")[0]
    assert best.meeting == ids["pricing"] and best.title == "Prices" and best.date == "2026-04-10"
    assert "Ines" not in best.text and "unfair" in best.text
    assert set(best.scores) == {"bm25", "dense", "fused", "cosine"}
    assert best.scores["fused"] == pytest.approx(best.scores["bm25"] + best.scores["dense"], abs=2e-4)
    assert library.search("woken at night by alarms", k=1)[0].meeting in (ids["nights"], ids["release"])


def test_a_hit_comes_with_the_lines_around_it(library: Library) -> None:
    ids = add_all(library)
    said = [str(line) for line in library.show(ids["release"])]
    for passage in library.search("", meeting=ids["release"]):
        first = 2 * int(passage.id[-4:])
        assert passage.before.split("\n") == (said[first - 2 : first] or [""])
        assert passage.text.split("\n") == said[first : first + 4]
        assert passage.after.split("\n") == (said[first + 4 : first + 6] or [""])


def test_hits_do_not_overlap(library: Library) -> None:
    ids = add_all(library)
    numbers = sorted(int(p.id[-4:]) for p in library.search("release in May", meeting=ids["release"]))
    assert len(numbers) == 2 and numbers[1] - numbers[0] > 1


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"since": "2026-04"}, {"pricing", "nights"}),
        ({"until": "2026-04"}, {"release", "pricing"}),
        ({"since": "2026-04-10", "until": "2026-04-10"}, {"pricing"}),
        ({"tag": "Platform"}, {"release", "nights"}),
        ({"attendee": "Ines"}, {"pricing"}),
        ({"attendee": "marisa"}, {"release", "nights"}),
        ({"attendee": "Marisa", "until": "2026-04-30"}, {"release"}),
        ({"attendee": "Nobody Known"}, set()),
        ({"tag": "none"}, set()),
    ],
)
def test_filters_leave_what_they_say(library: Library, filters: dict[str, str], expected: set[str]) -> None:
    ids = add_all(library)
    for question in ("the pager and prices", ""):
        found = {passage.meeting for passage in library.search(question, k=50, **filters)}
        assert found == {ids[name] for name in expected}


def test_an_attendee_is_found_where_they_speak_or_are_named(library: Library) -> None:
    add_all(library)
    found = library.search("", attendee="Yuki", k=50)
    (label,) = library.search("", attendee="Yuki", k=1)[0].speakers and {library._identities().find("Yuki").label}
    assert found and all(label in passage.text for passage in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"since": "last week"}, "since: not a date"),
        ({"until": "03/05/2026"}, "until: not a date"),
        ({"k": 0}, "at least one"),
        ({"meeting": "ffff0000"}, "coach library list"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    library: Library, arguments: dict[str, object], message: str
) -> None:
    add_all(library)
    with pytest.raises((InputError, LibraryError), match=message):
        library.search("pager", **arguments)  # type: ignore[arg-type]


def test_an_empty_library_answers_with_nothing(library: Library) -> None:
    assert library.search("pager") == () == library.search("") == library.similar("pager") == library.list()
    assert library.said_before("The pager", "Marisa") == ()
    with pytest.raises(LibraryError):
        library.undo()


def test_notes_in_which_nobody_says_anything_are_refused(library: Library) -> None:
    with pytest.raises(InputError, match="nobody says anything"):
        library.add(Conversation(text="", format="plain"))
    assert library.list() == () and library.problems() == []


def test_similar_finds_passages_like_a_passage_or_a_text(library: Library) -> None:
    ids = add_all(library)
    passage = library.search("the pager at night", meeting=ids["nights"], k=1)[0]
    like = library.similar(passage.id, 3)
    assert passage.id not in {p.id for p in like} and like[0].meeting == ids["release"]
    assert library.similar("The pager woke me up", 1)[0].meeting == ids["nights"]
    inside = library.search("release in May", meeting=ids["release"], k=1)[0]
    numbers = sorted(int(p.id[-4:]) for p in library.similar(inside.id, 50) if p.meeting == ids["release"])
    assert all(abs(number - int(inside.id[-4:])) > 1 for number in numbers)
    for unknown in ("0" * 16 + "-0000", ids["release"] + "-9999"):
        with pytest.raises(LibraryError, match="no passage here"):
            library.similar(unknown)


def test_answers_stay_the_same_once_vectors_are_in_memory(library: Library) -> None:
    ids = add_all(library)
    filters: list[dict[str, str]] = [{}, {"attendee": "Marisa"}, {"tag": "platform"}, {"meeting": ids["pricing"]}]

    def answers() -> list[list[tuple[str, float]]]:
        asked = [library.search("the pager at night", k=5, **chosen) for chosen in filters]
        return [[(hit.id, round(hit.scores["cosine"], 3)) for hit in hits] for hits in asked]

    library.close()
    first = library.search("the pager at night", k=5)  # A process fetches what its first question needs.
    once = answers()
    assert once[0] == [(hit.id, round(hit.scores["cosine"], 3)) for hit in first] and once == answers()
    more = library.add(parsed(NIGHTS.replace("pager", "alarm")), date="2026-06-01", tags=["platform"]).id
    assert more in {key[:16] for key, _ in answers()[2]}
    library.delete(more)
    assert answers() == once
    library.purge()
    assert answers() == once


def test_evidence_is_the_same_persons_same_concern_from_before(library: Library) -> None:
    add_all(library)
    later = parsed("Marisa: The pager wakes me up every single night.\nTobias: Next item.\nYuki: The pager wakes me.\n")
    quote = "The pager wakes me up every single night."
    finding = Finding(
        kind="unheard_objection", quote=quote, start=8, end=8 + len(quote), speaker="Marisa", why="", ask="",
        confidence=0.9, source="test",
    )  # fmt: skip
    found = library.evidence(finding, later)
    assert [e.date for e in found] == ["2026-03-02", "2026-05-20"]
    assert all("pager woke me up" in e.quote and e.speaker == "Marisa" for e in found)
    assert found[0].meeting == "Release talk"
    assert library.evidence(finding.model_copy(update={"speaker": "Yuki"}), later) == ()
    assert library.evidence(finding.model_copy(update={"quote": "The food is cold."}), later) == ()
    april = later.model_copy(update={"date": "2026-04-01"})
    assert [e.date for e in library.evidence(finding, april)] == ["2026-03-02"]
    assert [e.date for e in library.evidence(finding, parsed(NIGHTS))] == ["2026-03-02"], (
        "a meeting is no evidence of itself"
    )


def test_earlier_gives_passages_of_other_meetings_with_pseudonyms(library: Library) -> None:
    ids = add_all(library)
    found = library.earlier(parsed(NIGHTS))
    assert found and ids["nights"] not in {p.meeting for p in found}
    assert not any(name in p.text for p in found for name in ("Marisa", "Tobias", "Yuki", "Ines"))


def test_show_gives_every_line_in_order(library: Library) -> None:
    ids = add_all(library)
    said = library.show(ids["release"][:6])
    assert (
        len(said) == 10 and said[0].text.startswith("The pager woke me up") and said[-1].text.startswith("Good point")
    )


def test_list_is_newest_first_and_describe_changes_it(library: Library) -> None:
    ids = add_all(library)
    assert [entry.id for entry in library.list()] == [ids["nights"], ids["pricing"], ids["release"]]
    changed = library.describe(ids["release"], title="Release, with Marisa", date="2026-06-01", tags=["x"])
    assert changed.title == "Release, with " + library._identities().find("Marisa").label  # type: ignore[union-attr]
    assert library.list()[0].id == ids["release"] and library.search("", tag="x", k=1)[0].date == "2026-06-01"


def test_deleting_hides_at_once_and_undo_brings_back(library: Library, clock: Clock) -> None:
    ids = add_all(library)
    library.delete(ids["pricing"])
    clock.now += 1
    library.delete(ids["nights"])
    assert {p.meeting for p in library.search("prices and the pager", k=50)} == {ids["release"]}
    assert [e.id for e in library.list()] == [ids["release"]]
    assert library.undo().id == ids["nights"]
    assert library.undo(ids["pricing"]).id == ids["pricing"]
    assert len(library.list()) == 3 and library.problems() == []


def test_whether_anything_is_kept_is_told_without_opening(settings: Settings, library: Library) -> None:
    another = Library(settings)  # Never opened: embedded, the folder belongs to the first one.
    assert not another.is_empty()  # Nothing was begun yet; whether texts lie there without a database is for opening.
    assert library.list() == () and library.is_empty() and another.is_empty()
    ids = add_all(library)
    assert not library.is_empty() and not another.is_empty()
    for key in ids.values():
        library.delete(key)
    assert library.is_empty() and another.is_empty()


def test_after_the_grace_period_and_after_purge_there_is_no_way_back(library: Library, clock: Clock) -> None:
    ids = add_all(library)
    library.delete(ids["pricing"])
    clock.now += GRACE + 1
    with pytest.raises(LibraryError, match="gone"):
        library.undo()
    assert [entry.id for entry in library.purge(ids["nights"])] == [ids["nights"]]
    assert [e.id for e in library.list()] == [ids["release"]] and library.list(deleted=True) == ()
    assert library.problems() == []
    assert {p.meeting for p in library.search("prices and the pager", k=50)} == {ids["release"]}
    again = library.add(parsed(PRICING))
    assert again.new and library.search("unfair prices", k=1)[0].meeting == again.id


def test_purging_everything_leaves_an_empty_library_that_works(library: Library) -> None:
    add_all(library)
    assert len(library.purge(everything=True)) == 3
    assert library.list() == () and library.search("pager") == () and library.problems() == []
    add_all(library)
    assert library.search("pager")


def test_what_was_added_is_there_after_closing(library: Library, settings: Settings) -> None:
    ids = add_all(library)
    before = library.search("the pager at night")
    library.close()
    with Library(settings) as later:
        assert later.search("the pager at night") == before
        assert {e.id for e in later.list()} == set(ids.values()) and later.problems() == []


def test_two_users_of_a_server_see_each_others_notes(settings: Settings) -> None:
    if settings.chroma_url is None:
        pytest.skip("embedded libraries are for one process")
    with Library(settings) as one, Library(settings) as other:
        assert other.search("pager") == ()
        added = one.add(parsed(RELEASE))
        assert other.search("the pager", k=1)[0].meeting == added.id
        other.purge(added.id)
        assert one.search("the pager") == () and one.list() == ()


def test_export_and_import_give_the_same_library(library: Library, tmp_path: Path, settings: Settings) -> None:
    ids = add_all(library)
    before = [(e.id, e.title, e.date, e.attendees, e.tags, library.show(e.id)) for e in library.list()]
    file = tmp_path / "library.json"
    assert library.export(file) == 3
    assert file.stat().st_mode & 0o077 == 0
    assert not any(name in file.read_text() for name in ("Marisa", "Tobias", "Yuki", "Ines"))
    library.purge(everything=True)
    assert len(library.import_(file)) == 3
    assert [(e.id, e.title, e.date, e.attendees, e.tags, library.show(e.id)) for e in library.list()] == before
    assert library.search("unfair prices", k=1)[0].meeting == ids["pricing"]


def test_an_export_with_names_moves_to_a_library_of_other_people(library: Library, tmp_path: Path) -> None:
    add_all(library)
    file = tmp_path / "library.json"
    library.export(file, names=True)
    assert "Marisa" in file.read_text()
    with Library(load_settings({"COACH_HOME": str(tmp_path / "other")})) as other:
        other.add(parsed("Zofia: I speak first here.\nKarel: And I second.\nZofia: Good."))
        assert all(entry.new for entry in other.import_(file))
        assert other.search("What did Ines say on prices?", attendee="Ines", k=1)[0].title == "Prices"
        texts = "".join(str(line) for e in other.list() for line in other.show(e.id))
        assert not any(name in texts for name in ("Marisa", "Ines", "Zofia"))


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"schema": "coach.library/1", "library": null, "meetings": [{}]}']
)
def test_a_file_that_is_no_export_is_refused_and_changes_nothing(
    library: Library, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "library.json"
    file.write_text(content)
    with pytest.raises(InputError, match="Nothing was changed"):
        library.import_(file)
    with pytest.raises(InputError, match="No such file"):
        library.import_(tmp_path / "missing.json")
    assert library.list() == ()


def test_reindexing_takes_any_langchain_embeddings_and_back(library: Library, settings: Settings) -> None:
    from langchain_core.embeddings import DeterministicFakeEmbedding

    ids = add_all(library)
    library.close()
    with Library(settings, embeddings=DeterministicFakeEmbedding(size=16)) as other:
        with pytest.raises(LibraryError, match="coach library reindex"):
            other.search("pager")
        assert other.reindex() == "langchain-DeterministicFakeEmbedding-default"
        assert other.search("unfair prices", k=1) and other.problems() == []
        other.add(parsed("Karel: The coffee is cold.\nZofia: It is.\nKarel: Every day."))
    assert library.reindex("wordllama") == "wordllama-l2_supercat-256"
    assert library.search("unfair prices", k=1)[0].meeting == ids["pricing"]
    assert len(library.list()) == 4 and library.problems() == []


def test_the_retriever_gives_documents_to_langchain(library: Library) -> None:
    ids = add_all(library)
    (document,) = library.as_retriever(k=1, tag="sales").invoke("unfair prices")
    assert document.metadata["meeting"] == ids["pricing"] and "unfair" in document.page_content
    json.dumps(document.metadata)


def test_an_embedder_that_fails_leaves_no_half_note(settings: Settings) -> None:
    from coach.errors import ModelUnreachableError
    from coach.retrieval.embedders import Embedder, load_embedder

    good = load_embedder(settings)
    broken = False

    def encode(texts: list[str]) -> object:
        if broken:
            raise ModelUnreachableError("no answer: try again")
        return good(texts)

    with Library(settings, embeddings=Embedder(name=good.name, encode=encode)) as library:
        library.add(parsed(RELEASE))
        broken = True
        with pytest.raises(ModelUnreachableError):
            library.add(parsed(PRICING))
        broken = False
        assert len(library.list()) == 1 and library.problems() == []
        assert library.add(parsed(PRICING)).new and library.problems() == []


@pytest.mark.parametrize(
    ("place", "error"),
    [("http://127.0.0.1:9", LibraryError), ("127.0.0.1", ConfigError), ("ftp://127.0.0.1", ConfigError)],
)
def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path, place: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="COACH_CHROMA_URL"):
        Library(load_settings({"COACH_HOME": str(tmp_path), "COACH_CHROMA_URL": place})).list()


def test_no_real_name_reaches_chroma_or_the_library_database(a_home_of_its_own: Path, tmp_path: Path) -> None:
    names = (b"Marisa", b"Tobias", b"Yuki", b"Ines", b"Zofia", b"Northgate", b"northgate", b"7946 0147")
    text = RELEASE + "Marisa: Mail me at marisa.k@northgate.example or call +44 20 7946 0147.\n"
    glossary = tmp_path / "glossary.txt"
    glossary.write_text("customer: Northgate Logistics\n")
    with Library(load_settings({"COACH_HOME": str(a_home_of_its_own), "COACH_GLOSSARY": str(glossary)})) as library:
        library.add(parsed(text), title="Talk with Marisa", attendees=["Zofia Malik"], tags=["Marisa"])
        library.search("What did Marisa and Zofia say to Tobias?")
    for path in a_home_of_its_own.rglob("*"):
        if path.is_file() and path.name != "identities.key":
            raw = path.read_bytes()
            assert not [name for name in names if name in raw], path.name
