"""What the user configured: environment variables first, flags over them. Reading them has no side effect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from coach.errors import ConfigError

EngineChoice = Literal["local", "llm", "both", "auto"]


class Settings(BaseModel):
    """Everything configurable, frozen. Secrets are :class:`~pydantic.SecretStr`: they print as stars.

    Each field names its environment variable in ``alias``; docs/reference/settings.md lists them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    engine: EngineChoice = Field("auto", alias="COACH_ENGINE")
    home: Path = Field(default_factory=lambda: _default_home(), alias="COACH_HOME")
    provider: str = Field("openai", alias="COACH_PROVIDER", description="who answers: openai, or that of a plug-in")
    model: str | None = Field(None, alias="COACH_MODEL")
    api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY")
    base_url: str | None = Field(None, alias="OPENAI_BASE_URL")
    api_version: str | None = Field(None, alias="OPENAI_API_VERSION")
    azure_endpoint: str | None = Field(None, alias="AZURE_OPENAI_ENDPOINT")
    azure_key: SecretStr | None = Field(None, alias="AZURE_OPENAI_API_KEY")
    max_usd: float | None = Field(None, alias="COACH_MAX_USD", ge=0)
    context_tokens: int = Field(16_000, alias="COACH_CONTEXT_TOKENS", ge=1_000)
    deadline: float = Field(
        120.0, alias="COACH_DEADLINE", gt=0, description="seconds for one model call, retries included"
    )
    concurrency: int = Field(4, alias="COACH_CONCURRENCY", ge=1)
    hints: bool = Field(False, alias="COACH_HINTS", description="offer the local engine's candidates to the prompts")
    library: bool = Field(True, alias="COACH_LIBRARY", description="look into the library for earlier evidence")
    embedder: str = Field("wordllama", alias="COACH_EMBEDDER")
    chroma_url: str | None = Field(None, alias="COACH_CHROMA_URL")
    chroma_api_key: SecretStr | None = Field(None, alias="COACH_CHROMA_API_KEY")
    chroma_tenant: str | None = Field(None, alias="COACH_CHROMA_TENANT")
    chroma_database: str | None = Field(None, alias="COACH_CHROMA_DATABASE")
    database_url: str | None = Field(None, alias="COACH_DATABASE_URL")
    database_schema: str | None = Field(
        None,
        alias="COACH_DATABASE_SCHEMA",
        pattern=r'^[^"\x00]{1,63}$',
        description="PostgreSQL schema of a library; made if missing",
    )
    dask: str | None = Field(None, alias="COACH_DASK", description="Dask scheduler for bulk work: tcp://127.0.0.1:8786")
    key: SecretStr | None = Field(None, alias="COACH_KEY", description="key of the identity ledger")
    glossary: Path | None = Field(
        None, alias="COACH_GLOSSARY", description="file: one company, customer or project a line"
    )

    @field_validator("base_url", "azure_endpoint", "chroma_url")
    @classmethod
    def _on_the_web(cls, value: str | None) -> str | None:
        if value is not None and not is_web_address(value):
            raise ValueError("this is no address of a server, so write http://HOST:PORT or https://HOST")
        return value

    @property
    def llm_configured(self) -> bool:
        """Whether the user named an endpoint and a model."""
        reachable = self.api_key or self.base_url or self.azure_endpoint or self.provider != "openai"
        return bool(self.model and reachable)

    @property
    def endpoint(self) -> str | None:
        """Where questions to the model go, for people to read, without a password in it; ``None`` when none is
        configured."""
        if not self.llm_configured:
            return None
        scheme, separator, rest = (self.azure_endpoint or self.base_url or "the provider's own").rpartition("://")
        host, slash, path = rest.partition("/")
        return scheme + separator + host.rpartition("@")[2] + slash + path

    @property
    def on_this_machine(self) -> bool:
        """Whether the configured endpoint can be reached from this machine only."""
        from urllib.parse import urlsplit

        return is_loopback(urlsplit(self.azure_endpoint or self.base_url or "").hostname or "")


def load_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from the environment, with overrides by field name (``None`` means "not given").

    Raises :class:`ConfigError` naming the variable and what it should be, never its value.
    """
    import os

    source = os.environ if environ is None else environ
    by_alias = {field.alias: name for name, field in Settings.model_fields.items()}
    given = {alias: source[alias] for alias in by_alias if alias and source.get(alias, "").strip()}
    chosen = {Settings.model_fields[name].alias: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate({**given, **chosen})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = str(first["loc"][0]) if first["loc"] else "settings"
        raise ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}. Correct it or unset it.") from None


def is_web_address(url: str) -> bool:
    """Whether this names a server to be asked by HTTP, and nothing else, in a way that every reader reads alike."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(whole) and url.isprintable() and not any(c.isspace() or c == "\\" for c in url)


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address, is this machine and no other."""
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("unheard", appauthor=False)
