"""Settings -> Coach: the only file that knows every concrete class."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from coach.engine import Engine, Watch
from coach.schema import Review
from coach.settings import EngineChoice, Settings, load_settings

if TYPE_CHECKING:
    from coach.anonymise import Anonymised


class Coach:
    """The whole coach for one user: ``Coach().review(text)``.

    Parts are made when first used, so that a review on this machine loads neither a model client nor the library.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()

    def review(
        self, text: str, *, engine: EngineChoice | None = None, format: str | None = None, watch: Watch | None = None
    ) -> Review:
        """The review of pasted notes; see :func:`coach.review.review` for engines and errors."""
        from coach.review import review

        return review(
            text,
            local=self.local,
            llm=None if engine == "local" else self.llm,
            engine=engine or self.settings.engine,
            format=format,
            watch=watch,
        )

    @cached_property
    def local(self) -> Engine:
        """The engine that needs nothing but this machine."""
        from coach.local_engine import LocalEngine

        return LocalEngine()

    @cached_property
    def llm(self) -> Engine | None:
        """The engine behind the configured endpoint, or None when none is configured."""
        return None

    def anonymise(self, text: str, *, format: str | None = None) -> Anonymised:
        """The notes with pseudonyms for everybody, nothing stored."""
        from coach import notes
        from coach.anonymise import anonymise
        from coach.identities import Identities

        return anonymise(notes.parse(text, format), Identities())

    def doctor(self) -> dict[str, str | list[str]]:
        """What is installed, which engine would run, where data lives and who can read it; never a secret."""
        import platform

        from coach import __version__
        from coach.detectors import DETECTORS

        home = self.settings.home
        mode = oct(home.stat().st_mode & 0o777)[2:] if home.exists() else "not made yet"
        would_run = "llm" if self.settings.engine != "local" and self.settings.llm_configured else "local"
        return {
            "version": __version__,
            "python": platform.python_version(),
            "engine": would_run,
            "endpoint": self.settings.base_url or ("the provider's own" if self.settings.llm_configured else "none"),
            "model": self.settings.model or "none",
            "data_folder": str(home),
            "readable_by": "you alone" if mode == "700" else mode,
            "finding_kinds": list(DETECTORS),
            "plugin_problems": [f"{n}: {p}" for n, p in DETECTORS.problems.items()] or ["none"],
        }
