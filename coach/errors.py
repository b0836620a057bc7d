"""Every error the coach raises on purpose, with the exit code that the command line gives it.

::

    CoachError                     2  wrong use or configuration
    ├── InputError                 2  the text, file or plan given can't be read
    ├── ConfigError                2  a setting is missing, wrong or contradicts another
    ├── PluginError                2  a plug-in could not be loaded
    ├── LibraryError               2  the library refuses: not found, wrong key, wrong version
    │   ├── LibraryLockedError     2  another process holds the library
    │   └── KeyMissingError        2  the identity key is wrong or gone
    ├── LeakError                  1  a known identity was about to leave the machine
    ├── UnverifiableError          3  an evaluation can't be judged (missing recording, too many errors)
    ├── BudgetError                4  the next call would pass the budget
    ├── CancelledError             2  the user stopped it
    ├── WorkersLostError           2  processes that shared the work were killed; what was done is kept
    └── ModelError                 5  a model endpoint failed
        ├── ModelUnreachableError  5  no answer within the deadline, or the circuit is open
        ├── ModelRejectedError     5  key, rights, quota or request refused by the provider
        ├── ModelRefusedError      5  the model declined to answer
        ├── ModelTruncatedError    5  the answer was cut at the token limit
        └── ModelShapeError        5  the answer is empty or not of the shape asked for

A message is one line: what is wrong, then what to do. It never holds note text, names or keys.
"""

from __future__ import annotations


class CoachError(Exception):
    """The base of all; ``exit_code`` is what ``coach`` exits with."""

    exit_code = 2


class InputError(CoachError):
    """The text, file or plan given can't be read."""


class ConfigError(CoachError):
    """A setting is missing, wrong or contradicts another."""


class PluginError(CoachError):
    """A plug-in could not be loaded."""


class LibraryError(CoachError):
    """The library refuses: not found, wrong key, wrong version."""


class LibraryLockedError(LibraryError):
    """Another process holds the library; the message names its pid."""


class KeyMissingError(LibraryError):
    """The identity key is wrong or gone; nothing is lost, the message says what to do."""


class LeakError(CoachError):
    """A known identity was about to leave the machine; names the kind of leak, never the value."""

    exit_code = 1


class UnverifiableError(CoachError):
    """An evaluation can't be judged."""

    exit_code = 3


class BudgetError(CoachError):
    """The next call would pass the budget."""

    exit_code = 4


class CancelledError(CoachError):
    """The user stopped it."""


class WorkersLostError(CoachError):
    """Processes that shared the work were killed; what was done is kept."""


class ModelError(CoachError):
    """A model endpoint failed."""

    exit_code = 5


class ModelUnreachableError(ModelError):
    """No answer within the deadline, or the circuit is open."""


class ModelRejectedError(ModelError):
    """Key, rights, quota or request refused by the provider."""


class ModelRefusedError(ModelError):
    """The model declined to answer."""


class ModelTruncatedError(ModelError):
    """The answer was cut at the token limit."""


class ModelShapeError(ModelError):
    """The answer is empty or not of the shape asked for."""
