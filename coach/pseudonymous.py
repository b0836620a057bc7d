"""A result as somebody else may see it: every text that comes from notes in pseudonyms, checked before it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from coach.schema import Value

if TYPE_CHECKING:
    from coach.identities import Identities

V = TypeVar("V", bound=Value)

# Fields whose values are words, ids and dates of ours, never of the notes.
_LABELS = ("schema", "engine", "source", "model", "format", "kind", "subtype", "need", "tier", "type", "status", "part")
_STATES = ("alignment", "buy_in", "stage", "move", "origin", "temperament")
_IDS = ("id", "date", "practice", "sighting", "concern", "perhaps")
_OURS = frozenset((*_LABELS, *_STATES, *_IDS))
_ID = re.compile(r"[0-9a-f]{8,32}")


def in_pseudonyms(value: V, identities: Identities) -> V:
    """The value with pseudonyms for everyone in ``identities``; offsets stay those of the text as given.

    Raises :class:`coach.errors.LeakError` when a known name would be left.
    """
    from coach.anonymise import leak_check
    from coach.retrieval.names import pseudonymised

    return changed(value, lambda text: leak_check(pseudonymised(text, identities), identities, "answer"))


def in_names(value: V, identities: Identities) -> V:
    """The value with real names for the pseudonyms in it."""
    from coach.anonymise import restore

    return changed(value, lambda text: restore(text, identities))


def changed(value: V, change: Callable[[str], str]) -> V:
    """The value with every text of the notes in it changed."""
    return type(value).model_validate(_mapped(value.model_dump(mode="json", by_alias=True), change))


def _mapped(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    if isinstance(value, str):
        return value if key in _OURS or (key == "meeting" and _ID.fullmatch(value)) else change(value)
    if isinstance(value, Mapping):
        return {name: _mapped(item, change, name) for name, item in value.items()}
    return [_mapped(item, change, key) for item in value] if isinstance(value, list) else value
