"""The library: pseudonymised notes of earlier meetings, found by words and by meaning.

Nothing in it is a real name, except what the identity ledger keeps encrypted. Give it notes as they are: it replaces
names by itself, and takes questions with real names in them. What it gives back holds pseudonyms, but for
:meth:`Library.evidence`, which is for the person at the screen.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import InputError, LibraryError
from coach.retrieval.catalogue import Entry, checked_date
from coach.retrieval.passages import Line, lines
from coach.schema import Attendee, Conversation, Evidence, Finding, Passage

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from coach.anonymise.model import Readings
    from coach.identities import Identities, IdentityLedger
    from coach.retrieval.finding import Finder
    from coach.retrieval.store import Rewritten, Store
    from coach.settings import Settings

__all__ = ["GRACE", "Entry", "Library"]

GRACE = 600.0
"""Seconds during which a deleted meeting can be brought back."""

TOGETHER = 20
"""Meetings of an import that are stored in one step."""


class Library:
    """The library under ``settings.home``, or on the server that the settings name.

    It opens on first use. Embedded, it belongs to one process from then until :meth:`close`; a second one gets
    :class:`coach.errors.LibraryLockedError`. ``embeddings`` may be an :class:`~coach.retrieval.embedders.Embedder` or
    any LangChain ``Embeddings``, and takes the place of the embedder named in the settings.
    """

    def __init__(
        self,
        settings: Settings,
        identities: IdentityLedger | None = None,
        embeddings: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from coach.identities import IdentityLedger

        self._settings = settings
        self._ledger = identities or IdentityLedger(settings)
        self._embeddings = embeddings
        self._clock = clock
        self._opening = threading.Lock()
        self._opened: Store | None = None
        self._known: tuple[int, Identities] | None = None

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Keeping

    def add(
        self,
        conversation: Conversation,
        *,
        title: str | None = None,
        date: str | None = None,
        attendees: Sequence[str] = (),
        tags: Sequence[str] = (),
        names_read: Readings | None = None,
    ) -> Entry:
        """The entry of these notes; the same text again gives the same entry, with what was given anew.

        Names are replaced first and remembered in the identity ledger; see :func:`coach.anonymise.anonymise` for
        ``names_read``. Title, date and attendees are those of the notes unless given; a deleted meeting comes back.
        Raises :class:`InputError` for notes in which nobody says anything.
        """
        checked_date(date, "date")
        self.tidy()
        key = self._id_of(conversation.text)
        present = (*conversation.attendees, *(Attendee(name=name) for name in attendees if name.strip()))
        about = {"title": title or conversation.title, "date": date or conversation.date, "attendees": present}
        safe, identities = self._anonymised(conversation.model_copy(update=about), names_read)
        entry = Entry(
            id=key,
            title=safe.title,
            date=safe.date,
            format=safe.format,
            attendees=tuple(dict.fromkeys([*(a.name for a in safe.attendees if a.present), *safe.speakers])),
            tags=tuple(self._safe(tag, identities) for tag in tags),
            lines=0,
            passages=0,
            added=self._clock(),
        )
        kept = self._keep([(entry, lines(safe))], identities)[0]
        # What the user said of a meeting stays, unless they now say something else.
        return kept if kept.new or not (title or date) else self.describe(kept.id, title=title, date=date)

    def describe(
        self, meeting: str, *, title: str | None = None, date: str | None = None, tags: Sequence[str] | None = None
    ) -> Entry:
        """The entry with a new title, date or tags; what is not given stays."""
        entry = self.entry(meeting)
        identities = self._identities()
        values: dict[str, Any] = {}
        if title is not None:
            values["title"] = self._safe(title, identities)
        if date is not None:
            values["date"] = checked_date(date, "date")
        if tags is not None:
            values["tags"] = [self._safe(tag, identities) for tag in tags]
        if values:
            self._store.describe(entry.id, **values)
        return self.entry(entry.id)

    # Finding

    def search(
        self,
        query: str,
        *,
        k: int = 8,
        attendee: str | None = None,
        since: str | None = None,
        until: str | None = None,
        meeting: str | None = None,
        tag: str | None = None,
    ) -> tuple[Passage, ...]:
        """The ``k`` passages that answer best, best first and none overlapping; nothing when the filters leave nothing.

        ``attendee`` (a name or a pseudonym) keeps passages in which they speak or are named; ``since`` and ``until``
        are inclusive ISO dates, months or years; ``meeting`` is an id. Without a query the newest passages come first.
        """
        if k < 1:
            raise InputError("k: ask for at least one passage")
        dates = {"since": checked_date(since, "since"), "until": checked_date(until, "until")}
        names = self._pseudonyms(attendee) if attendee else None
        chosen = self.entry(meeting).id if meeting else None
        return () if names == () else self._finder.search(query, k, names=names, meeting=chosen, tag=tag, **dates)

    def similar(self, text: str, k: int = 8, *, without: str | None = None) -> tuple[Passage, ...]:
        """The ``k`` passages nearest in meaning to a text or to the passage with that id, by cosine alone, none of them
        overlapping."""
        return self._finder.similar(text, k, without)

    def said_before(
        self, text: str, speaker: str, *, before: str | None = None, without: str | None = None, k: int = 3
    ) -> tuple[Evidence, ...]:
        """What that speaker said to the same effect in earlier meetings, oldest first, with pseudonyms; often nothing.

        ``before`` leaves out meetings on or after that date, ``without`` the meeting of that id. Only the speaker's own
        utterances count, and only well above the embedder's ``alike``.
        """
        names = self._pseudonyms(speaker)
        return self._finder.said_before(text, names, k, before=before, without=without) if names else ()

    def evidence(self, finding: Finding, conversation: Conversation) -> tuple[Evidence, ...]:
        """The same said before by the person behind a finding, with real names: for the screen, not for a prompt."""
        from coach.anonymise import restore

        if finding.speaker is None:
            return ()
        found = self.said_before(
            finding.quote, finding.speaker, before=conversation.date, without=self._id_of(conversation.text)
        )
        identities = self._identities()
        return tuple(
            Evidence(
                meeting=restore(one.meeting, identities),
                date=one.date,
                quote=restore(one.quote, identities),
                speaker=finding.speaker,
            )
            for one in found
        )

    def earlier(self, conversation: Conversation, k: int = 6) -> tuple[Passage, ...]:
        """Pseudonymised passages of earlier meetings that this conversation calls to mind, best first."""
        return self._finder.earlier(conversation, k, without=self._id_of(conversation.text))

    def as_retriever(self, **filters: Any) -> BaseRetriever:
        """A LangChain retriever; ``filters`` are those of :meth:`search`, ``k`` included."""
        from coach.retrieval.langchain import retriever

        return retriever(self.search, filters)

    # Looking

    @property
    def key(self) -> str:
        """What marks an export as one of this library."""
        return self._store.key

    def is_empty(self) -> bool:
        """Whether there is no meeting to be found; tells without opening the indexes or taking the folder's lock."""
        from coach.retrieval.tables import holds_nothing

        return holds_nothing(self._settings) if self._opened is None else not self.list()

    def list(self, *, deleted: bool = False) -> tuple[Entry, ...]:
        """Every meeting, newest first; with ``deleted``, those that can still be brought back instead."""
        entries = [e for e in self._store.view().entries.values() if (e.deleted is not None) == deleted]
        return tuple(sorted(entries, key=lambda e: (e.date or "", e.added), reverse=True))

    def entry(self, meeting: str) -> Entry:
        """The entry with that id, of which the first four letters may do, or with a passage of that id; raises
        :class:`LibraryError` otherwise."""
        entries = self._store.view().entries
        for key in (meeting, re.sub(r"-[0-9]{4,9}$", "", meeting)):
            if key in entries:
                return entries[key]
        found = [e for key, e in entries.items() if key.startswith(meeting)] if len(meeting) >= 4 else []
        if len(found) == 1:
            return found[0]
        if found or len(meeting) < 4:
            problem = (
                "is the start of several ids: give more of it" if found else "is too short: give four letters of it"
            )
        else:
            problem = "is no meeting here: see coach library list"
        raise LibraryError(f"{meeting[:40]!r} {problem}")

    def show(self, meeting: str) -> tuple[Line, ...]:
        """What was said in a meeting, line by line, with pseudonyms."""
        return self._store.lines(self.entry(meeting).id)

    def problems(self) -> Sequence[str]:
        """What does not agree between the indexes, in sentences; empty when all is well."""
        return self._store.problems()

    # Forgetting

    def delete(self, meeting: str) -> Entry:
        """The entry, which no search finds from now on. For :data:`GRACE` seconds :meth:`undo` brings it back; the
        next use of the library after that erases it."""
        self.tidy()
        entry = self.entry(meeting)
        if entry.deleted is None:
            self._store.describe(entry.id, deleted=self._clock())
        return self.entry(entry.id)

    def undo(self, meeting: str | None = None) -> Entry:
        """The entry brought back: the one with that id, or the last one deleted."""
        self.tidy()
        waiting = sorted(self.list(deleted=True), key=lambda e: e.deleted or 0)
        if meeting is not None:
            waiting = [e for e in waiting if e.id == self.entry(meeting).id]
        if not waiting:
            raise LibraryError("nothing to bring back: what is erased is gone")
        self._store.describe(waiting[-1].id, deleted=None)
        return self.entry(waiting[-1].id)

    def purge(self, meeting: str | None = None, *, everything: bool = False) -> tuple[Entry, ...]:
        """What was erased at once and for good: that meeting, or all deleted ones, or everything.

        Afterwards no file of an embedded library holds their text, vectors or term counts. On a server their contents
        are overwritten and deleted, and the server's own files are its keeper's to compact.
        """
        if meeting is not None:
            gone: tuple[Entry, ...] = (self.entry(meeting),)
        else:
            gone = self.list(deleted=True) + (self.list() if everything else ())
        self._store.erase([entry.id for entry in gone])
        return gone

    def rewrite(self, meetings: Mapping[str, Rewritten]) -> None:
        """Puts other lines, in pseudonyms, in the place of what was said in these meetings, and ``None`` erases one;
        what they were is in no file of the library afterwards."""
        identities = self._identities()
        for entry, said in (kept for kept in meetings.values() if kept is not None):
            self._checked(entry, said, identities)
        self._store.rewrite(meetings)

    def tidy(self) -> None:
        """Erases what was deleted longer than :data:`GRACE` ago, or so the clock says after it was put right."""
        now = self._clock()
        over = [e.id for e in self.list(deleted=True) if not -GRACE < now - (e.deleted or 0) < GRACE]
        self._store.erase(over)

    # Moving

    def export(self, path: Path, *, names: bool = False, concerns: Sequence[Mapping[str, Any]] = ()) -> int:
        """How many meetings were written to a JSON file (0600): with pseudonyms, or with ``names`` for a library that
        does not share this one's identities. ``concerns`` are written beside them, in the same names."""
        from coach.retrieval import transfer

        meetings = [(entry, self.show(entry.id)) for entry in self.list()]
        if names:
            transfer.write(path, None, meetings, self._identities(), concerns)
        else:
            transfer.write(path, self._store.key, meetings, None, concerns)
        return len(meetings)

    def import_(self, path: Path) -> tuple[Entry, ...]:
        """The entries of the meetings in a file that :meth:`export` wrote; those already here stay as they are.

        Pseudonyms of this very library are kept; all other names are replaced as if the notes were added by hand.
        """
        from coach.retrieval import transfer

        library, meetings = transfer.read(path)
        if library == self._store.key:
            identities = self._identities()
            some = [meetings[at : at + TOGETHER] for at in range(0, len(meetings), TOGETHER)]
            return tuple(entry for part in some for entry in self._keep(part, identities))
        return tuple(self._moved(entry, said) for entry, said in meetings)

    def reindex(self, embedder: str | None = None) -> str:
        """The name of the vectors after embedding all anew, with the embedder named or that of the settings."""
        from coach.retrieval.embedders import as_embedder, load_embedder
        from coach.retrieval.store import Store

        if embedder is None and self._embeddings is not None:
            chosen = as_embedder(self._embeddings)
            spec = chosen.name
        else:
            chosen, spec = load_embedder(self._settings, embedder), embedder or self._settings.embedder
        self.close()
        with self._opening:
            self._opened = Store(self._settings, chosen, reindex_as=spec)
        return chosen.name

    def close(self) -> None:
        """Lets go of the folder; the next use opens it again."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    # Inside

    @property
    def _store(self) -> Store:
        with self._opening:
            if self._opened is None:
                from coach.retrieval.embedders import as_embedder
                from coach.retrieval.store import Store

                self._opened = Store(self._settings, as_embedder(self._embeddings) if self._embeddings else None)
            return self._opened

    @property
    def _finder(self) -> Finder:
        from coach.retrieval.finding import Finder

        return Finder(self._store, self._identities())

    def _pseudonyms(self, name: str) -> tuple[str, ...]:
        from coach.retrieval.names import pseudonyms

        return pseudonyms(name, self._identities())

    def _identities(self) -> Identities:
        """Who is who, loaded again when it changed: names have to be replaced by what is in force now."""
        stamp = self._ledger.stamp()
        if self._known is None or self._known[0] != stamp:
            self._known = (stamp, self._ledger.load())
        return self._known[1]

    def _id_of(self, text: str) -> str:
        from hashlib import blake2b

        # Keyed, so that an id does not tell whether somebody else has the same notes.
        return blake2b(text.strip().encode(), digest_size=8, key=self._store.key.encode()).hexdigest()

    def _safe(self, text: str, identities: Identities) -> str:
        """A short text from the user with pseudonyms, checked."""
        from coach.anonymise import leak_check
        from coach.retrieval.names import pseudonymised

        return leak_check(pseudonymised(" ".join(text.split()), identities), identities, "library")

    def _anonymised(self, conversation: Conversation, read: Readings | None) -> tuple[Conversation, Identities]:
        """The conversation in pseudonyms, and everyone known, after those it brought are in the identity ledger."""
        from coach.anonymise import anonymise

        safe = conversation
        answers = {} if read is None else read  # Should somebody else save meanwhile, the model need not read it again.

        def grown(known: Identities) -> Identities:
            nonlocal safe
            anonymised = anonymise(conversation, known, read=answers)
            safe = anonymised.conversation
            return anonymised.identities

        identities = self._ledger.update(grown)
        return safe, identities

    def _keep(self, meetings: Sequence[tuple[Entry, Sequence[Line]]], identities: Identities) -> tuple[Entry, ...]:
        """The entries in order; new ones are stored together, known ones take on what is said of them anew."""
        for entry, said in meetings:
            if not said:
                raise InputError("nobody says anything in these notes, so there is nothing to keep")
            self._checked(entry, said, identities)
        store = self._store
        with store.guard:
            before = store.view().entries
            wanted = {entry.id: (entry, said) for entry, said in meetings if entry.id not in before}
            new = {entry.id for entry in store.keep(list(wanted.values()))} if wanted else set()
            now = store.view().entries
            for entry, _ in meetings:
                if entry.id not in new and (known := now.get(entry.id)) is not None:
                    store.describe(
                        entry.id,
                        title=known.title or entry.title,
                        date=known.date or entry.date,
                        attendees=list(dict.fromkeys((*known.attendees, *entry.attendees))),
                        tags=list(dict.fromkeys((*known.tags, *entry.tags))),
                        deleted=None,
                    )
            return tuple(self.entry(entry.id).model_copy(update={"new": entry.id in new}) for entry, _ in meetings)

    def _moved(self, entry: Entry, said: Sequence[Line]) -> Entry:
        """The entry of a meeting in real names, from wherever it comes."""
        from coach.retrieval import transfer

        # Ids are keyed: the same one is the same meeting, which once left this library with names.
        if (known := self._store.view().entries.get(entry.id)) is not None:
            return known if known.deleted is None else self.undo(known.id)
        moved = transfer.conversation(said, entry.format)
        return self.add(moved, title=entry.title, date=entry.date, attendees=entry.attendees, tags=entry.tags)

    def _checked(self, entry: Entry, said: Sequence[Line], identities: Identities) -> None:
        from coach.anonymise import leak_check

        for text in (*map(str, said), entry.title or "", *entry.attendees, *entry.tags):
            leak_check(text, identities, "library")
