"""The note formats that ship with the coach, in the order in which doubt is resolved."""

from __future__ import annotations

from functools import partial

from coach.notes import exports, mail, plain, shape, subtitles, timed
from coach.notes.base import note_format

note_format("webvtt", subtitles.sniff_webvtt, partial(subtitles.read_subtitles, name="webvtt"))
note_format("srt", subtitles.sniff_srt, partial(subtitles.read_subtitles, name="srt"))
note_format(exports.NAME, exports.sniff, exports.read)
note_format("email", mail.sniff_mail, mail.read_mail)
for _name in timed.NAMES:
    note_format(_name, partial(timed.sniff, name=_name), partial(timed.read_timed, name=_name))
for _name in shape.NAMES:
    _read = plain.read_draft if _name == "draft" else partial(plain.read_plain, name=_name)
    note_format(_name, partial(shape.sniff, name=_name), _read)
