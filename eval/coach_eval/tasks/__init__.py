"""What suites exercise, one module each. Another package adds one with the entry-point group ``coach_eval.tasks``."""

from __future__ import annotations

from typing import Any

from coach.registry import Registry
from coach_eval.tasks import brief, participants, rehearsal, review, rewriting
from coach_eval.tasks.base import Task

TASKS: Registry[Task[Any, Any]] = Registry("coach_eval.tasks", needs=("name", "run", "scorers"))

for _task in (review.TASK, rewriting.TASK, participants.TASK, brief.TASK, rehearsal.TASK):
    TASKS.register(_task.name)(_task)
