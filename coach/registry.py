"""The one plug-in mechanism: a decorator for what ships here, entry points for what others install."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from coach.errors import PluginError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one sort; iterating gives the names, ours first, then those of installed plug-ins.

    ``group`` is the entry-point group under which other packages announce theirs (``coach.detectors``), and ``needs``
    names the attributes that each has to have. A plug-in that fails to load or lacks one is listed in ``problems``
    (name -> one line) and is otherwise left out: it never breaks a review. ``plugins`` names those that loaded.
    """

    def __init__(self, group: str, needs: tuple[str, ...] = ()) -> None:
        self.group = group
        self.needs = needs
        self.problems: dict[str, str] = {}
        self._known: dict[str, T] = {}
        self._plugins: set[str] = set()
        self._looked = False

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that files the thing under ``name``; raises :class:`PluginError` when the name is taken."""

        def file(thing: T) -> T:
            if name in self._known:
                raise PluginError(f"two {self.group} are called {name!r}: rename one of them")
            self._known[name] = thing
            return thing

        return file

    def __getitem__(self, name: str) -> T:
        """The thing of that name; raises :class:`PluginError` that lists what there is."""
        self._look()
        if name in self._known:
            return self._known[name]
        raise PluginError(f"there is no {name!r} among {self.group}: choose from {', '.join(self._known)}")

    def __iter__(self) -> Iterator[str]:
        self._look()
        return iter(tuple(self._known))

    def __len__(self) -> int:
        self._look()
        return len(self._known)

    def items(self) -> tuple[tuple[str, T], ...]:
        """Names and things, in order."""
        self._look()
        return tuple(self._known.items())

    @property
    def plugins(self) -> frozenset[str]:
        """The names of those that other packages announce."""
        self._look()
        return frozenset(self._plugins)

    def _look(self) -> None:
        if self._looked:
            return
        self._looked = True
        # Slow import, and needed only when something asks for a plug-in.
        from importlib.metadata import entry_points

        for point in entry_points(group=self.group):
            if point.name in self._known:
                self.problems[point.name] = f"{point.value} wants a name that is already taken: {point.name}"
                continue
            try:
                thing = point.load()
                lacking = [attribute for attribute in self.needs if not hasattr(thing, attribute)]
                if lacking:
                    self.problems[point.name] = f"{point.value} has no {', '.join(lacking)}"
                    continue
                self._known[point.name] = thing
                self._plugins.add(point.name)
            except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
                self.problems[point.name] = f"{point.value} does not load: {type(error).__name__}: {error}"
