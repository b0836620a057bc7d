"""Whatever is pasted, opened or sent: an answer or one line that says what to do. ``make fuzz`` looks longer.

Also the inputs that broke something once, each with what is said now.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fuzz.targets import TARGETS, Target, execute, pdf_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coach import notes
from coach.acts import states
from coach.errors import InputError
from coach.rehearsal.plan import load_plan
from coach.rewriting import question, rewrite

HEAVY = {"docx": 4, "pdf": 4, "reviews": 4, "model answers": 6, "pseudonyms": 10}


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_answered_or_refused_in_one_line(name: str) -> None:
    if name in ("docx", "pdf"):
        pytest.importorskip("markitdown")
    target = TARGETS[name]
    seeds = target.seeds()
    _warm(target, seeds[0])

    @settings(
        max_examples=HEAVY.get(name, 40), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(seed=st.sampled_from(seeds), at=st.integers(0, 2_000), new=st.binary(max_size=40), keep=st.booleans())
    def tried(seed: bytes, at: int, new: bytes, keep: bool) -> None:
        execute(target, seed[:at] + new + (seed[at + len(new) :] if keep else b""))

    tried()


def _warm(target: Target, seed: bytes) -> None:
    # What loads models the first time is not held to two seconds.
    try:
        execute(target, seed)
    except AssertionError as fault:
        assert "s of CPU" in str(fault)


def test_half_a_character_is_refused_wherever_notes_come_in() -> None:
    with pytest.raises(InputError, match="half a character"):
        notes.parse("Ana: so\ud800 be it")
    assert states("We must \udc8c decide").shape == states("We must decide").shape
    assert rewrite("We must \udc8c decide") is None or "\udc8c"
    assert question("We must \udc8c decide").endswith("?")


def test_a_hyphen_alone_is_part_of_no_name() -> None:
    assert notes.parse("Present: - -, Ana -\nAna -: It leaks.\n- : x\n")


@pytest.mark.parametrize(
    "written",
    ["purpose: 2026-99-99\n", "purpose: " + "9" * 5_000 + "\n", "[" * 5_000_000, "a: &a [*a]\n", "? [a, b]\n: c\n"],
    ids=["no date", "a number without end", "brackets without end", "a list in itself", "a list as key"],
)
def test_a_plan_that_yaml_stumbles_over_is_refused(written: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(written)
    with pytest.raises(InputError) as refused:
        load_plan(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("charset", ["ut\xe0-8", "x-unknown", "utf-8\0"])
def test_a_letter_in_an_unknown_encoding_is_refused(charset: str, tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    head = f'From: a@b.example\nContent-Type: text/plain; charset="{charset}"\nContent-Transfer-Encoding: base64\n\n'
    path.write_bytes(head.encode("latin-1") + b"SXQgbGVha3M=\n")
    try:
        text = notes.read_file(path)
    except InputError as refused:
        assert "\n" not in str(refused)
    else:
        assert "leaks" in text


@pytest.mark.parametrize("document", [{"schema": "coach.library/1", "meetings": []}, "deep"])
def test_an_export_without_its_key_or_without_an_end_is_refused(document: object, tmp_path: Path) -> None:
    from coach.retrieval import transfer

    path = tmp_path / "export.json"
    path.write_text("[" * 100_000 if document == "deep" else json.dumps(document))
    with pytest.raises(InputError, match="not an export"):
        transfer.read(path)


def test_a_document_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(100):
            part.write(b" " * 1_000_000)
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match="unpacks to 100 MB"):
        notes.read_file(path)


def test_a_zip_that_lies_about_its_size_is_stopped_by_the_limits_of_its_process(tmp_path: Path) -> None:
    import struct
    import zipfile

    pytest.importorskip("markitdown")
    path = tmp_path / "liar.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 30_000_000)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", 30_000_000), struct.pack("<I", 10)))
    with pytest.raises(InputError):
        notes.read_file(path)


@pytest.mark.slow
def test_a_pdf_whose_stream_unpacks_to_gigabytes_is_stopped(tmp_path: Path) -> None:
    import zlib

    pytest.importorskip("markitdown")
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 50_000_000) for _ in range(40)) + packer.flush()
    path = tmp_path / "bomb.pdf"
    path.write_bytes(pdf_file(packed, b" /Filter /FlateDecode"))
    assert path.stat().st_size < 3_000_000
    with pytest.raises(InputError) as refused:
        notes.read_file(path)
    assert "\n" not in str(refused.value)
