"""The records written for training can be read, and a slip in one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from coach.schema import NEEDS, OBJECTION_SUBTYPES
from training.corpus import OWN, own_records


def test_every_tag_of_the_records_ties_to_a_sentence_of_the_coach() -> None:
    records = own_records()
    assert len(records) > 300
    for record in records:
        for labels in record.labels:
            for label in labels:
                assert all(0 <= parent < len(record.sentences) for parent in label.of)
                assert label.sub is None or label.act != "objection" or label.sub in OBJECTION_SUBTYPES
                assert label.need is None or label.need in NEEDS
        assert "[[" not in record.conversation.text


def test_a_label_stands_on_the_sentence_before_its_tag(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "=== boats\nOda: We sell the boat. [[P]] I asked around.\n"
        "Rolf: And then who rows? [[O:a unheard ignored 2]]\nOda: Next point.\n"
        "Pia: I would miss it. [[N:b heard purpose]]\n"
        "Oda: What would you miss? [[T:b ask]]\n"
    )
    (record,) = own_records(tmp_path)
    said = {
        s.text: [(x.act, x.status) for x in labels] for s, labels in zip(record.sentences, record.labels, strict=True)
    }
    assert said == {
        "We sell the boat.": [("proposal", None)],
        "I asked around.": [],
        "And then who rows?": [("objection", "unheard")],
        "Next point.": [],
        "I would miss it.": [("need", "heard")],
        "What would you miss?": [("uptake", None)],
    }
    assert [f["quote"] for f in record.gold["findings"]] == ["And then who rows?"]
    assert record.labels[5][0].of == (4,)


@pytest.mark.parametrize(
    "tag", ["[[Q]]", "[[O:a maybe]]", "[[T:z answer]]", "[[N:a heard glory]]", "[[C]]", "[[O:a unheard ignored]]"]
)
def test_a_tag_that_is_not_understood_names_its_file_and_record(tmp_path: Path, tag: str) -> None:
    (tmp_path / "slip.txt").write_text(f"=== one\nOda: fine.\nRolf: ok.\n=== two\nOda: We sell it. {tag}\nRolf: No.\n")
    with pytest.raises(ValueError, match=r"slip\.txt, record 2"):
        own_records(tmp_path)


def test_the_folder_of_records_says_how_to_read_them() -> None:
    assert (OWN / "README.md").exists()
