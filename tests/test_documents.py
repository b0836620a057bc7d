"""Word and PDF files, made here byte by byte and read by the real converter (the ``docs`` extra)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from coach import notes
from coach.errors import InputError

LINES = (
    "Mara: From Monday we use the new rota.",
    "Jonas: I am not sure the night shift can read it.",
    "Mara: Next point.",
)


def word(path: Path) -> Path:
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in LINES)
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relation}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{namespace}"><w:body>{paragraphs}</w:body></w:document>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def pdf(path: Path) -> Path:
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in LINES)
    stream = f"BT /F1 12 Tf 50 700 Td {shown} ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length " + str(len(stream)).encode() + b" >>\nstream\n" + stream + b"\nendstream",
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    path.write_bytes(bytes(out))
    return path


@pytest.mark.parametrize(("make", "suffix"), [(word, ".docx"), (pdf, ".pdf")])
def test_documents_are_read_as_the_notes_they_hold(make: object, suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("markitdown")
    conversation = notes.parse(notes.read_file(make(tmp_path / f"notes{suffix}")))  # type: ignore[operator]
    assert conversation.speakers == ("Mara", "Jonas")
    assert "I am not sure the night shift can read it." in conversation.text


@pytest.mark.parametrize("suffix", [".docx", ".pdf"])
def test_a_broken_document_is_refused_in_one_line(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"PK\x03\x04 not really" if suffix == ".docx" else b"%PDF-1.4 not really")
    with pytest.raises(InputError) as raised:
        notes.read_file(path)
    assert "\n" not in str(raised.value)
