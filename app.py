"""The page: ``python app.py`` serves it on http://127.0.0.1:7860, ``gradio app.py`` reloads it while you edit."""

import sys

from coach.errors import CoachError
from coach.ui import build_ui, launch
from coach.wiring import Coach

try:
    demo = build_ui(Coach())
    if __name__ == "__main__":
        launch(demo)
except CoachError as error:
    sys.stderr.write(f"coach: {error}\n")
    sys.exit(error.exit_code)
