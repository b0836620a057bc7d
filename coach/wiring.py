"""Settings -> Coach: the only file that knows every concrete class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from coach.engine import Engine, Watch
from coach.errors import ConfigError, InputError, LibraryError
from coach.events import happened
from coach.schema import Analysis, Conversation, Review
from coach.settings import EngineChoice, Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from coach.anonymise import Anonymised, Correction
    from coach.anonymise.model import Readings
    from coach.forgetting import Found, Memory, Mentions
    from coach.identities import Identities, IdentityLedger
    from coach.ledger import Ledger
    from coach.library import Entry, Library
    from coach.llm.base import ChatModel, Request
    from coach.llm.discover import LocalModel, LocalServer
    from coach.rehearsal.ladder import Temperament
    from coach.rehearsal.plan import Plan
    from coach.rehearsal.practices import Practices
    from coach.rehearsal.session import Session
    from coach.rehearsal.values import After, Brief, Debrief


class Coach:
    """The whole coach for one user: ``Coach().review(text)``.

    Parts are made when first used, so that a review on this machine loads neither a model client nor the library.
    """

    model_ports: Mapping[str, int] | None = None
    """Where to look for model servers on this machine, by name; None: on their usual ports."""

    def __init__(self, settings: Settings | None = None) -> None:
        from coach.llm.discover import with_choice

        self._given = settings or load_settings()
        self.settings = with_choice(self._given)

    def review(
        self, text: str, *, engine: EngineChoice | None = None, format: str | None = None, watch: Watch | None = None
    ) -> Review:
        """The review of pasted notes; see :func:`coach.review.review` for engines and errors.

        Earlier meetings are consulted when there is a library; when it can't be opened, a notice says why.
        """
        from coach.memory import KeptMemory
        from coach.review import review

        chosen = engine or self.settings.engine
        with _told_of_review() as told:
            memory, problem = self._memory()
            done = review(
                text,
                local=self.local,
                llm=None if chosen == "local" else self.llm,
                merge=_merge if chosen == "both" else None,
                engine=chosen,
                format=format,
                memory=KeptMemory(memory, self.ledger, self.identities) if memory else None,
                watch=watch,
            )
            told(done)
        return done.model_copy(update={"notices": (*done.notices, problem)}) if problem else done

    def requests(self, text: str, *, format: str | None = None) -> tuple[Request, ...]:
        """What a review would ask a model first, word for word; nothing is sent, and no endpoint has to be configured.

        After the answers there may be one more question, about findings that later lines may have settled.
        """
        from coach.engine import Watch
        from coach.llm.scripted import ScriptedChatModel
        from coach.review import review

        asked = ScriptedChatModel(name=self.settings.model or "no model is configured")
        memory, _ = self._memory()
        engine = self._llm_engine(asked)
        review(text, local=self.local, llm=engine, engine="llm", format=format, memory=memory, watch=Watch())
        return tuple(sorted(asked.requests, key=lambda request: request.label))

    def keep(
        self,
        text: str,
        *,
        review: Review | None = None,
        format: str | None = None,
        title: str | None = None,
        date: str | None = None,
        attendees: Sequence[str] = (),
        tags: Sequence[str] = (),
        names_read: Readings | None = None,
        corrections: Sequence[Correction] = (),
    ) -> Entry:
        """The library's entry of these notes, with what went unheard in them put into the ledger.

        ``review`` is the review of the same text if there is one already; else the local engine makes it. For
        ``names_read`` see :func:`coach.anonymise.anonymise`; ``corrections`` to names are remembered.
        """
        from coach import notes

        conversation = notes.parse(text, format)
        if corrections:
            self.correct([conversation], corrections)
        entry = self.library.add(
            conversation, title=title, date=date, attendees=attendees, tags=tags, names_read=names_read
        )
        self.ledger.record(review or self.review(text, engine="local", format=format), entry.id)
        happened("kept", lines=entry.lines, passages=entry.passages, new=entry.new)
        return entry

    def export(self, path: Path, *, names: bool = False) -> int:
        """How many meetings were written to a file, with what was raised in them; see :meth:`Library.export`."""
        facts = [one.model_dump(mode="json") for one in self.ledger.facts()]
        return self.library.export(path, names=names, concerns=facts)

    def import_(self, path: Path) -> tuple[Entry, ...]:
        """The entries of the meetings in an export, with what was raised in them and what the user said about it.

        In the pseudonyms of another library nobody can tell who raised what: then the meetings come alone.
        """
        from pydantic import ValidationError

        from coach.concerns import Facts
        from coach.retrieval import transfer

        transfer.read(path)
        try:
            raw, there = transfer.concerns(path, self.library.key)
            facts = [Facts.model_validate(one) for one in raw]
        except (ValidationError, TypeError):
            raise InputError(f"{path}: what was raised in it can't be read. Nothing was changed.") from None
        entries = self.library.import_(path)
        self.ledger.take(facts, {before: entry.id for before, entry in zip(there, entries, strict=True)})
        return entries

    def anonymise(
        self,
        text: str,
        *,
        format: str | None = None,
        keep: bool = False,
        corrections: Sequence[Correction] = (),
        known: Identities | None = None,
    ) -> Anonymised:
        """The notes with pseudonyms, the same as in earlier meetings; new people are remembered only with ``keep``.

        Without ``keep`` nothing is stored, and names that are new can't be restored later. ``corrections`` are the
        user's; ``known`` stands in for who is known, as after notes that were looked at, but not kept.
        """
        from coach import notes
        from coach.anonymise import anonymise_corrected

        conversation = notes.parse(text, format)
        if not keep:
            return anonymise_corrected(conversation, known or self.identities.load(), corrections)
        done: Anonymised | None = None

        def grown(known: Identities) -> Identities:
            nonlocal done
            done = anonymise_corrected(conversation, known, corrections)
            return done.identities

        # When another process adds people at the same moment, this is done again on what it saved.
        self.identities.update(grown)
        assert done is not None
        return done

    def correct(
        self,
        conversations: Sequence[Conversation],
        corrections: Sequence[Correction],
        *,
        keep: bool = True,
        step: Callable[[], None] | None = None,
    ) -> Identities:
        """Who is who after these notes and the user's changes to names in any of them, remembered with ``keep``; see
        :func:`coach.anonymise.corrected_in`."""
        from coach.anonymise import corrected_in

        def change(known: Identities) -> Identities:
            return corrected_in(conversations, known, corrections, step)

        return self.identities.update(change) if keep else change(self.identities.load())

    def brief(self, plan: Plan, *, engine: EngineChoice | None = None) -> Brief:
        """What to know before the meeting; see :func:`coach.rehearsal.brief.make_brief`. Names are real."""
        from coach.rehearsal.brief import make_brief
        from coach.rehearsal.model import Asking
        from coach.rehearsal.past import KeptPast

        memory, problem = self._memory()
        past = KeptPast(memory, self.ledger, self.identities.load()) if memory else None
        model = self._model_for(engine)
        asking = Asking(model, self.identities.load) if model else None
        made = make_brief(
            plan, past, objecting=asking.objections if asking else None, rewriting=asking.opening if asking else None
        )
        return made.model_copy(update={"notices": (*made.notices, problem)}) if problem else made

    def rehearse(
        self,
        plan: Plan,
        *,
        brief: Brief | None = None,
        attendee: str | None = None,
        temperament: Temperament | None = None,
        engine: EngineChoice | None = None,
    ) -> Session:
        """A practice after the opening and the attendee's answer; go on with :meth:`say`. It is not kept yet.

        ``brief`` saves making it again; see :func:`coach.rehearsal.session.start` for ``attendee`` and errors.
        """
        from datetime import UTC, datetime

        from coach.rehearsal.ladder import Temperament
        from coach.rehearsal.session import start

        model = self._model_for(engine)
        return start(
            plan,
            brief or self.brief(plan, engine="local"),
            attendee=attendee,
            temperament=temperament or Temperament.RESERVED,
            engine="llm" if model else "local",
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def say(self, session: Session, text: str) -> Session:
        """The session after this turn of the user and the attendee's reply, worded by the engine it was begun with."""
        from coach.rehearsal.model import Asking

        if session.engine == "local" or self.model is None:
            return session.say(text)
        asking = Asking(self.model, self.identities.load)
        return session.say(text, asking.voice(session), asking.moves)

    def debrief(self, session: Session) -> Debrief:
        """How the practice went, next to earlier ones that were kept with the same person."""
        from coach.rehearsal.debrief import make_debrief

        return make_debrief(session, self.practices.all())

    def after(self, plan: Plan, text: str, *, format: str | None = None) -> After:
        """Which of the objections open before a meeting its notes show as heard."""
        from coach import notes
        from coach.rehearsal.after import after_meeting

        return after_meeting(self.brief(plan, engine="local"), notes.parse(text, format))

    def look_for(self, name: str, mentions: Mentions = "unname") -> Found:
        """What is known about a person, here and in the folders of all users below; nothing is changed."""
        from coach.forgetting import look

        return self._everywhere(name, lambda memory, wanted: look(memory, wanted, mentions))

    def forget(self, name: str, mentions: Mentions = "unname") -> Found:
        """What was erased of a person, here and in the folders of all users below; see :mod:`coach.forgetting`."""
        from coach.forgetting import forget

        return self._everywhere(name, lambda memory, wanted: forget(memory, wanted, mentions))

    @cached_property
    def practices(self) -> Practices:
        """Practices that were paused or ended, encrypted on disk."""
        from coach.rehearsal.practices import Practices

        return Practices(self.settings)

    @cached_property
    def local(self) -> Engine:
        """The engine that needs nothing but this machine."""
        from coach.local_engine import LocalEngine

        return LocalEngine()

    @cached_property
    def model(self) -> ChatModel | None:
        """The configured chat model, or None when none is configured."""
        from coach.llm.connect import open_model

        return open_model(self.settings)

    @cached_property
    def llm(self) -> Engine | None:
        """The engine behind the configured endpoint, or None when none is configured."""
        return None if self.model is None else self._llm_engine(self.model)

    def _llm_engine(self, model: ChatModel) -> Engine:
        from coach import acts
        from coach.llm.budget import price_of
        from coach.llm.discover import is_small
        from coach.llm_engine import LLMEngine

        return LLMEngine(
            model,
            self.settings,
            identities=self.identities.load,
            price=price_of(self.settings),
            free=self.settings.on_this_machine,
            read=acts.read,
            hints=lambda conversation: self.local.analyse(conversation, (), Watch()).findings,
            small=is_small(self.settings),
        )

    @cached_property
    def identities(self) -> IdentityLedger:
        """Who is who, encrypted on disk."""
        from coach.identities import IdentityLedger

        return IdentityLedger(self.settings)

    @cached_property
    def library(self) -> Library:
        """The notes that were kept, pseudonymised."""
        from coach.library import Library

        return Library(self.settings, self.identities)

    @cached_property
    def ledger(self) -> Ledger:
        """Objections and needs, followed from meeting to meeting."""
        from coach.ledger import Ledger

        return Ledger(self.settings, self.identities)

    def model_servers(self) -> tuple[LocalServer, ...]:
        """Model servers that run on this machine and the models they have; nothing is sent but requests for lists."""
        from coach.llm.discover import PORTS, find_servers

        return find_servers(PORTS if self.model_ports is None else self.model_ports)

    @property
    def agreed_model(self) -> LocalModel | None:
        """The model on this machine that the user said yes to, if it is the one in use."""
        from coach.llm.discover import chosen

        model = None if self._given.llm_configured else chosen(self.settings)
        return model if model and model.name == self.settings.model else None

    def use_model(self, model: LocalModel | None) -> None:
        """Remembers the user's yes to a model on this machine, or with None their no, and goes by it from now on."""
        from coach.llm.discover import forget, remember, with_choice

        if model is None:
            forget(self._given)
        else:
            remember(self._given, model)
        self.settings = with_choice(self._given)
        for made in ("model", "llm"):
            vars(self).pop(made, None)

    def fetch_model(self, name: str, watch: Watch) -> None:
        """Has Ollama on this machine fetch a model; see :func:`coach.llm.discover.pull`. It is not used yet."""
        from coach.llm.discover import PORTS, pull

        pull(name, watch, (self.model_ports or PORTS)["Ollama"])

    def close(self) -> None:
        """Lets go of files, servers and memory; whatever is used next opens again."""
        for part in ("library", "ledger", "identities"):
            if part in vars(self):
                getattr(self, part).close()

    def doctor(self) -> dict[str, str | list[str]]:
        """What is installed, which engine would run, where data lives and who can read it; never a secret."""
        from coach.doctor import report

        return report(self.settings, self._offers())

    def _everywhere(self, name: str, work: Callable[[Memory, str], Found]) -> Found:
        from coach.forgetting import Memory
        from coach.identities.value import SHAPE

        def memory(coach: Coach) -> Memory:
            return Memory(
                coach.settings, coach.identities, coach.library if coach._has_library else None, coach.practices
            )

        wanted, known = " ".join(name.split()), self.identities.load()
        # A pseudonym means somebody here; others have other pseudonyms, so there the name is asked for.
        entity = known.find(wanted) if SHAPE.fullmatch(wanted) else None
        elsewhere = next((form.text for form in entity.forms if form.type == "person"), "") if entity else wanted
        found = work(memory(self), wanted)
        for user in self._users:
            try:
                if elsewhere:
                    found = found + work(memory(user), elsewhere)
            except InputError as error:
                raise InputError(f"for the user {user.settings.home.name}: {error}") from None
            finally:
                user.library.close()
        return found

    @property
    def _users(self) -> list[Coach]:
        """One coach for each user of the page, who have folders of their own."""
        folder = self.settings.home / "users"
        homes = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        return [Coach(self.settings.model_copy(update={"home": home})) for home in homes]

    @property
    def _has_library(self) -> bool:
        """Whether a library was made, here or on a server."""
        settings = self.settings
        return bool(settings.chroma_url or settings.chroma_api_key or (settings.home / "library").is_dir())

    @staticmethod
    def repair(settings: Settings | None = None) -> list[str]:
        """What was put right in the data folder and in those of all users below, in sentences."""
        from coach.repair import repair

        # Not a coach yet: what it remembers of a model may be what is damaged.
        chosen = settings or load_settings()
        folder = chosen.home / "users"
        users = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        done = list(repair(chosen))
        for home in users:
            done += [f"{home.name}: {said}" for said in repair(chosen.model_copy(update={"home": home}))]
        return done

    def _model_for(self, engine: EngineChoice | None) -> ChatModel | None:
        """The model to use when this engine is asked for; raises ConfigError when it must be one and there is none."""
        from coach.review import NO_MODEL

        chosen = engine or self.settings.engine
        if chosen in ("llm", "both") and self.model is None:
            raise ConfigError(NO_MODEL)
        return None if chosen == "local" else self.model

    def _offers(self) -> list[str]:
        """Models that already run on this machine and could be used, in plain sentences; nothing is used unasked."""
        from coach.llm.discover import best_model, download_for

        if self.settings.llm_configured:
            return ["a model is configured already"]
        servers = self.model_servers()
        offer = best_model(servers) or download_for(servers)
        return [f"{offer.offer} Say so with coach model."] if offer else ["no model server found"]

    def _memory(self) -> tuple[Library | None, str | None]:
        """The library if there is one with something in it, and why not if it can't be opened."""
        if not (self.settings.library and self._has_library):
            return None, None
        try:
            # Asked without opening it: the vector store alone takes longer to load than two pages to review.
            return (None, None) if self.library.is_empty() else (self.library, None)
        except LibraryError as error:
            return None, f"Earlier meetings were left out: {error}"


def _merge(local: Analysis, model: Analysis) -> Analysis:
    from coach.llm_engine import merge_engines

    return merge_engines(local, model)


@contextmanager
def _told_of_review() -> Iterator[Callable[[Review], None]]:
    """Tells whoever runs the service how a review went, in numbers, however it ends."""
    from time import perf_counter

    started, facts = perf_counter(), dict[str, "float | str"]()
    happened("review begun")

    def told(done: Review) -> None:
        facts.update(
            engine=done.engine,
            fell_back=done.fell_back is not None,
            utterances=done.meeting.utterances,
            findings=len(done.findings),
        )

    try:
        yield told
    except BaseException as error:
        facts["outcome"] = type(error).__name__
        raise
    finally:
        happened("review", seconds=perf_counter() - started, **facts)
