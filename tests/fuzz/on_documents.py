"""Doors by which documents come in: bytes, and sound small files of which the inside is disturbed."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from fuzz.base import Target, file_of
from fuzz.draw import Draw

from coach.errors import CoachError, InputError

NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
WORD_PARTS = (
    "<w:p>", "</w:p>", "<w:r>", "</w:r>", "<w:t>Ana: It leaks.</w:t>", "<w:t>", "</w:t>", "<w:tbl>", "<w:tr>", "<w:tc>",
    "</w:tc>", "</w:tr>", "</w:tbl>", "<w:br/>", "<w:tab/>", '<w:pPr><w:numPr><w:ilvl w:val="9"/><w:numId w:val="1"/>'
    "</w:numPr></w:pPr>", "&lt;", "&#0;", "&a;", "<w:hyperlink>", "</w:hyperlink>", '<w:gridSpan w:val="99"/>',
    '<w:vMerge w:val="restart"/>', "<w:footnoteReference/>", '<w:sym w:char="F04A" w:font="x"/>', "<w:del>", "</w:del>",
    '<w:pStyle w:val="Heading1"/>', "<![CDATA[", "]]>", "<!--", "-->",
)  # fmt: skip


def word_file(document: bytes, others: dict[str, bytes] | None = None) -> bytes:
    """A .docx around the XML of its document."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{relation}" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/document.xml": document,
        **(others or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _document(name: str, raw: bytes) -> None:
    """What the reader's own process does, here: a thousand processes for a thousand files would leave few of either."""
    from coach import notes
    from coach.notes import documents

    with file_of(name, raw) as path:
        try:
            if name.endswith(".docx"):
                documents._refuse_bombs(path)
            text = documents.text_of(path)
        except CoachError:
            raise
        except Exception as error:  # noqa: BLE001
            raise InputError(f"can't be converted ({type(error).__name__})") from None
        notes.parse(notes.decode(text.encode("utf-8", "replace"), name))


def _docx(data: bytes) -> None:
    """Bytes, a document's bytes, mark-up thrown together, and a sound document with a few things wrong in its parts."""
    draw = Draw(data)
    kind = draw.byte() % 4
    if kind == 0:
        raw = draw.rest()
    elif kind == 1:
        raw = word_file(draw.rest())
    elif kind == 2:
        body = "".join(draw.choice(WORD_PARTS) for _ in range(draw.byte() % 48))
        raw = word_file(f'<w:document xmlns:w="{NAMESPACE}"><w:body>{body}</w:body></w:document>'.encode())
    else:
        chosen = {draw.choice(tuple(SOUND)) for _ in range(2)}
        parts = {name: _disturbed(draw, text) if name in chosen else text for name, text in SOUND.items()}
        raw = word_file(parts.pop("word/document.xml").encode(), {name: text.encode() for name, text in parts.items()})
    _document("notes.docx", raw)


def _disturbed(draw: Draw, text: str) -> str:
    """The text with up to two of its tags doubled, dropped, swapped, or something put beside them."""
    pieces = re.split(r"(?=<)", text)
    for _ in range(draw.byte() % 3):
        at, other = draw.byte() % len(pieces), draw.byte() % len(pieces)
        what = draw.byte() % 8
        if what == 0:
            pieces[at] += pieces[at]
        elif what == 1:
            pieces[at] = ""
        elif what == 2:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif what == 3:
            pieces[at] += draw.choice(WORD_PARTS)
        else:
            value = draw.choice(("-1", "99999999999", "", "x", "\u00e9", "rId9", "../../x", "1.5"))
            pieces[at] = re.sub(r'"[^"]*"', f'"{value}"', pieces[at], count=1)
    return "".join(pieces)


def _part(root: str, inner: str) -> str:
    return f'<w:{root} xmlns:w="{NAMESPACE}" xmlns:r="{RELATIONS}">{inner}</w:{root}>'


def _line(words: str, style: str = "") -> str:
    return f"<w:p>{style}<w:r><w:t>{words}</w:t></w:r></w:p>"


RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LISTED = '<w:pPr><w:pStyle w:val="Heading1"/><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
SOUND = {
    "word/document.xml": _part(
        "document",
        "<w:body>"
        + _line("Ana: It leaks.")
        + _line("Roof", LISTED)
        + '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'
        + _line("Ben: Next.")
        + '</w:tc><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>'
        + _line("Fine")
        + "</w:tc></w:tr></w:tbl>"
        + '<w:p><w:hyperlink r:id="rId5"><w:r><w:rPr><w:b/></w:rPr><w:t>link</w:t></w:r></w:hyperlink>'
        + '<w:r><w:footnoteReference w:id="1"/></w:r><w:r><w:commentReference w:id="1"/></w:r></w:p></w:body>',
    ),
    "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    + "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(
            (("numbering", "numbering.xml"), ("styles", "styles.xml"), ("footnotes", "footnotes.xml"),
             ("comments", "comments.xml"), ("hyperlink", "https://a.example")), 1
        )
    )
    + "</Relationships>",
    "word/numbering.xml": _part(
        "numbering",
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
    ),
    "word/styles.xml": _part(
        "styles", '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
    ),
    "word/footnotes.xml": _part("footnotes", f'<w:footnote w:id="1">{_line("Note")}</w:footnote>'),
    "word/comments.xml": _part("comments", f'<w:comment w:id="1" w:author="Ana">{_line("Why?")}</w:comment>'),
}  # fmt: skip
"""A small document with a heading, a list, a table, a link, a footnote and a comment."""


def _docx_seeds() -> list[bytes]:
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in ("Ana: It leaks.", "Ben: Next."))
    document = f'<w:document xmlns:w="{NAMESPACE}"><w:body>{body}</w:body></w:document>'.encode()
    return [
        b"\0" + word_file(document),
        b"\1" + document,
        b"\2" + bytes(range(60)),
        *(b"\3" + bytes(range(n, n + 60)) for n in range(0, 190, 12)),
    ]


PDF_PARTS = (
    "BT", "ET", "(Ana: It leaks.) Tj", "[(Ben) -900 (Next)] TJ", "(x) '", "/F1 12 Tf", "/F9 0 Tf", "50 7 Td", "T*", "q",
    "Q", "1e99 0 0 1 0 0 cm", "0 0 0 0 0 0 cm", "/X Do", "BI /W 9 ID \0\0 EI", "<4142>", "<4", "(", ")", "[", "]", "<<",
    ">>", "1 0 R", "9 0 R", "-99999999999999999999", "0.0.0", "re", "f", "W n", "%", "\\", "/A<</B[<<>>]>> BDC", "EMC",
)  # fmt: skip
PDF_ENTRIES = (
    "/Filter /FlateDecode", "/Filter [/ASCII85Decode /LZWDecode]", "/Filter /No", "/Length 999999", "/Length 4 0 R",
    "/DecodeParms << /Predictor 12 /Columns 99999999 >>", "/Kids [2 0 R]", "/Kids [3 0 R 3 0 R]", "/Parent 3 0 R",
    "/MediaBox [0 0 0 0]", "/MediaBox [1e30 -1e30 x]", "/Contents [4 0 R 4 0 R 1 0 R]", "/Resources 3 0 R", "/Rotate 7",
    "/Encrypt 1 0 R", "/Font << /F1 2 0 R >>", "/ToUnicode 4 0 R", "/Count -1", "/Type /ObjStm /N 9 /First 99999", "/X",
)  # fmt: skip


def pdf_file(content: bytes, extra: bytes = b"", wrong: dict[int, str] | None = None) -> bytes:
    """A .pdf of one page with this content stream; ``extra`` goes into the stream's dictionary, ``wrong`` into those of
    objects by their number."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length " + str(len(content)).encode() + extra + b" >>\nstream\n" + content + b"\nendstream",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        if wrong and number in wrong:
            body = body.replace(b"<< ", b"<< " + wrong[number].encode("latin-1") + b" ", 1)
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


def _pdf(data: bytes) -> None:
    draw = Draw(data)
    kind = draw.byte() % 4
    if kind == 1:
        raw = draw.rest()
    elif kind == 0:
        raw = pdf_file(draw.rest())
    else:
        wrong = {1 + draw.byte() % 4: draw.choice(PDF_ENTRIES) for _ in range(draw.byte() % 3)}
        drawn = " ".join(draw.choice(PDF_PARTS) for _ in range(draw.byte() % 24))
        content = f"BT /F1 12 Tf 50 700 Td (Ben: Next.) Tj {drawn}".encode("latin-1")
        raw = pdf_file(zlib.compress(content) if kind == 3 else content, b" /Filter /FlateDecode" * (kind == 3), wrong)
    _document("notes.pdf", raw)


def _pdf_seeds() -> list[bytes]:
    content = b"BT /F1 12 Tf 50 700 Td (Ana: It leaks.) Tj 0 -20 Td (Ben: Next.) Tj ET"
    drawn = [bytes([kind]) + bytes(range(n, n + 60)) for kind in (2, 3) for n in range(0, 190, 12)]
    return [b"\1" + pdf_file(content), b"\0" + content, *drawn]


DOCUMENTS = (Target("docx", _docx, _docx_seeds), Target("pdf", _pdf, _pdf_seeds))
