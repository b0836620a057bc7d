"""The records written for training can be read, and a slip in one is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from coach.schema import NEEDS, OBJECTION_SUBTYPES
from training.corpus import OWN, own_records
from training.side import HALF, ami_records, ratings


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


def test_ami_tells_only_whether_an_objection_was_answered(tmp_path: Path) -> None:
    turns = [
        {"meeting": "m1", "turn": n, "speaker": "AB"[n % 2], "text": text, "responded": responded}
        for n, (text, responded) in enumerate(
            [
                ("We take the small battery.", None),
                ("I doubt that it lasts a day.", False),
                ("Right, the case.", None),
                ("Rubber is too dear for us.", True),
                ("Then plastic it is.", None),
                ("No.", True),  # too short to be told from a noise
            ]
        )
    ]
    (tmp_path / "ami").mkdir()
    with gzip.open(tmp_path / "ami" / "train.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(turn) + "\n" for turn in turns)
    [(record, wanted)] = ami_records(tmp_path)
    assert [s.text for s in record.sentences] == [turn["text"] for turn in turns]
    assert all(record.conversation.text[s.start : s.end] == s.text for s in record.sentences)
    assert wanted.unheard_weight.tolist() == [0, HALF, 0, HALF, 0, 0] and wanted.unheard.tolist() == [0, 1, 0, 0, 0, 0]
    assert not wanted.whole and not wanted.acts_weight.any() and set(wanted.links) == {1, 3}


def test_ratings_are_standardised_within_their_own_scale(tmp_path: Path) -> None:
    for name, values in (("certainty", (1, 6)), ("receptive", (-2.0, 0.0))):
        (tmp_path / "phrasing" / name).mkdir(parents=True)
        rows = [json.dumps({"text": f"It may work, {y}.", "y": y}) for y in values]
        (tmp_path / "phrasing" / name / "train.jsonl").write_text("\n".join(rows), encoding="utf-8")
    nan = np.nan
    wanted = np.stack([y for _, y in ratings(tmp_path)])
    np.testing.assert_allclose(wanted, [[-1, nan], [1, nan], [nan, -1], [nan, 1]], atol=1e-6)
