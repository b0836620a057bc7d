"""Takes real names out of notes, puts them back, and lets no string out that still holds one.

``anonymise`` works in this order: what is recognised by form (:mod:`.patterns`), the glossary and the words around a
name (:mod:`.context`), then people (:mod:`.people`): attendees, speakers, everyone met in earlier meetings, and those
that the name model finds (:mod:`.model`). docs/design/privacy.md says what was tried and measured.
"""

from coach.anonymise.corrections import Change, Correction, anonymise_corrected, corrected, corrected_in
from coach.anonymise.guard import leak_check, leaks_in
from coach.anonymise.pseudonyms import Anonymised, Preview, Replacement, anonymise, pseudonymise, restore

__all__ = [
    "Anonymised",
    "Change",
    "Correction",
    "Preview",
    "Replacement",
    "anonymise",
    "anonymise_corrected",
    "corrected",
    "corrected_in",
    "leak_check",
    "leaks_in",
    "pseudonymise",
    "restore",
]
