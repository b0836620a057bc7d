"""A chat model behind any program: it reads the question as JSON on standard input and prints the answer.

``COACH_PROVIDER=command COACH_MODEL="python answer.py" coach review notes.txt --engine llm``
"""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass

from coach.engine import Watch
from coach.errors import ModelUnreachableError
from coach.llm.base import Answer, Request, estimate_tokens
from coach.settings import Settings


@dataclass(frozen=True)
class CommandModel:
    """Runs ``command`` once for each question."""

    command: tuple[str, ...]
    deadline: float

    @property
    def name(self) -> str:
        return self.command[0]

    def complete(self, request: Request, watch: Watch) -> Answer:
        watch.check()
        question = json.dumps({"messages": request.messages, "schema": request.schema})
        try:
            done = subprocess.run(
                self.command, input=question, capture_output=True, text=True, timeout=self.deadline, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ModelUnreachableError(f"{self.name} gave no answer ({type(error).__name__}): check it") from None
        return Answer(
            done.stdout, input_tokens=estimate_tokens(question), output_tokens=estimate_tokens(done.stdout), usd=0.0
        )


def command(settings: Settings) -> CommandModel:
    """The model whose name is a command line."""
    return CommandModel(tuple(shlex.split(settings.model or "")), settings.deadline)
