"""A model that already runs on this machine, on the page: offered, fetched and used after a yes, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import TYPE_CHECKING

import gradio as gr

from coach.errors import CancelledError
from coach.llm import discover
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, told
from coach.ui.following import Following

if TYPE_CHECKING:
    from coach.ui.coaches import CoachOf
    from coach.wiring import Coach

TEMPLATE = "models.html.j2"
ACTS = ("use_model", "fetch_model", "halt_fetch", "not_now", "look_again", "forget_model")


def build_models(coach_of: CoachOf, page: gr.Blocks) -> None:
    """The strip that offers a model, inside the open ``page``; empty when there is none to offer.

    A no is remembered in the browser, a yes in the coach's home. Nothing is asked of a model, and nothing fetched,
    before a yes. People who sign in are on another machine, so nobody offers them the one of the server.
    """
    running: dict[str, Event] = {}
    declined = gr.BrowserState("", storage_key="unheard.models", secret="unheard-not-secret")
    strip = region("", *ACTS, elem_id="models")
    status = region(elem_id="models-status")

    def arrive(no: str, request: gr.Request) -> Update:
        return {strip: "" if request.username else _strip(coach_of(request), folded=bool(no)), status: ""}

    def look(request: gr.Request) -> Update:
        return {strip: _strip(coach_of(request)), status: "", declined: ""}

    def fold(request: gr.Request) -> Update:
        return {strip: _strip(coach_of(request), folded=True), status: "", declined: "no"}

    def use(request: gr.Request, event: gr.EventData) -> Update:
        try:
            coach = coach_of(request)
            model = _wanted(coach, sent(event, "model"))
            if model is None:
                return {strip: _strip(coach), status: views.trouble(strings.MODEL_GONE)}
            coach.use_model(model)
            return {strip: _strip(coach), status: views.toast(strings.MODEL_USED.format(name=model.name)), declined: ""}
        except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
            return {status: told(error)}

    def forget(request: gr.Request) -> Update:
        coach_of(request).use_model(None)
        done = views.toast(strings.MODEL_FORGOTTEN)
        return {strip: _strip(coach_of(request), folded=True), status: done, declined: "no"}

    def fetch(request: gr.Request, event: gr.EventData) -> Iterator[Update]:
        """Ollama's progress, then the offer of what it fetched: that is used only after another yes."""
        coach, session = coach_of(request), str(request.session_hash)
        download = next((d for d in discover.DOWNLOADS if d.name == sent(event, "name")), None)
        if download is None or session in running:
            return
        running[session] = stopped = Event()
        yield {strip: views.part(TEMPLATE, "fetching", download), status: views.working(0, strings.FETCHING)}
        ended: Update = {status: ""}
        try:
            with Following(lambda watch: coach.fetch_model(download.name, watch), stopped) as work:
                for share, what in work.steps():
                    yield {status: views.working(share, what)}
                work.result()
        except CancelledError:
            ended[status] = views.trouble(strings.FETCH_STOPPED)
        except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
            ended[status] = told(error)
        finally:
            running.pop(session, None)
        yield {**ended, strip: _strip(coach)}

    def halt(request: gr.Request) -> None:
        if event := running.get(str(request.session_hash)):
            event.set()

    shown = [strip, status, declined]
    page.load(arrive, declined, [strip, status], **QUIET)
    strip.use_model(use, None, shown, **QUIET)
    strip.fetch_model(fetch, None, [strip, status], **QUIET)
    strip.halt_fetch(halt, None, None, queue=False, **QUIET)
    strip.not_now(fold, None, shown, **QUIET)
    strip.look_again(look, None, shown, **QUIET)
    strip.forget_model(forget, None, shown, **QUIET)


def _strip(coach: Coach, *, folded: bool = False) -> str:
    """What there is to say about models on this machine."""
    if model := coach.agreed_model:
        return views.part(TEMPLATE, "chosen", model)
    if coach.settings.llm_configured or coach.settings.engine == "local":
        return ""
    servers = coach.model_servers()
    models, download = discover.chat_models(servers), discover.download_for(servers)
    if not models and download is None:
        return ""
    if folded:
        return views.part(TEMPLATE, "folded")
    return views.part(TEMPLATE, "offer", models) if models else views.part(TEMPLATE, "download", download)


def _wanted(coach: Coach, key: str) -> discover.LocalModel | None:
    """The model the browser named, if a server on this machine offers it."""
    models = discover.chat_models(coach.model_servers())
    return next((model for model in models if f"{model.server} {model.name}" == key), None)
