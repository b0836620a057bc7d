from __future__ import annotations

from pathlib import Path

import pytest

from coach.errors import ConfigError
from coach.settings import load_settings

SECRET = "sk-do-not-show-me"


def test_nothing_configured_means_the_local_engine() -> None:
    settings = load_settings({})
    assert not settings.llm_configured
    assert settings.engine == "auto"


@pytest.mark.parametrize(
    "environ",
    [
        {"COACH_MODEL": "m", "OPENAI_API_KEY": SECRET},
        {"COACH_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"},
        {"COACH_MODEL": "m", "AZURE_OPENAI_ENDPOINT": "https://example.invalid"},
    ],
)
def test_a_model_with_an_endpoint_is_configured(environ: dict[str, str]) -> None:
    assert load_settings(environ).llm_configured


def test_flags_win_over_the_environment(tmp_path: Path) -> None:
    settings = load_settings(
        {"COACH_ENGINE": "local", "COACH_HOME": "/elsewhere"}, engine="llm", home=tmp_path, model=None
    )
    assert (settings.engine, settings.home, settings.model) == ("llm", tmp_path, None)


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings({"COACH_MAX_USD": " "}).max_usd is None


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"COACH_ENGINE": "magic"}, "COACH_ENGINE"),
        ({"COACH_MAX_USD": "-1"}, "COACH_MAX_USD"),
        ({"COACH_CONCURRENCY": "many"}, "COACH_CONCURRENCY"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(environ: dict[str, str], names: str) -> None:
    with pytest.raises(ConfigError, match=names) as raised:
        load_settings(environ)
    assert "\n" not in str(raised.value)
    assert next(iter(environ.values())) not in str(raised.value).replace("'local', 'llm', 'both' or 'auto'", "")


def test_secrets_print_as_stars() -> None:
    settings = load_settings({"OPENAI_API_KEY": SECRET, "COACH_KEY": SECRET, "AZURE_OPENAI_API_KEY": SECRET})
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"
