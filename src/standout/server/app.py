"""`create_app`: the whole server as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from standout import __version__
from standout.hardware import usable_cores
from standout.server import metrics as numbers
from standout.server import openapi, pages, v1
from standout.server.bodies import Intake
from standout.server.compat import rembg, removebg, withoutbg
from standout.server.docs_page import docs_page
from standout.server.gate import Gate
from standout.server.metrics import Metrics
from standout.server.options import ServerOptions
from standout.server.pool import BoundedPool
from standout.server.problems import Problem, problem_response
from standout.server.serving import Serving
from standout.server.urls import Fetcher
from standout.server.worker import OpenEngine, OpenPhotoEngine

_DESCRIPTION = (
    "Separates people from their background. Refusals are problem details (RFC 9457) with a stable `code`; the paths "
    "of rembg, withoutBG and remove.bg answer in their own words."
)

#: What a page of an allowed origin may read of an answer.
_EXPOSED = (
    "Standout-Person", "Standout-Model", "Standout-Model-Asked", "Standout-Size", "Standout-Rules", "Standout-Notes",
    "Server-Timing", "X-Request-Id", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
    "X-Credits-Charged", "X-Width", "X-Height", "X-Type", "X-Latency-Ms", "WWW-Authenticate",
)  # fmt: skip

#: The paths of others, and the words in which they refuse.
_SHAPES: dict[str, Callable[[Problem, str], Response]] = {
    **dict.fromkeys(rembg.PATHS, rembg.shape),
    **dict.fromkeys(withoutbg.PATHS, withoutbg.shape),
    **dict.fromkeys(removebg.PATHS, removebg.shape),
}


def create_app(
    options: ServerOptions | None = None, *, open_engine: OpenEngine | None = None, fetcher: Fetcher | None = None
) -> ASGIApp:
    """The server; its workers start with the application's lifespan.

    Args:
        options: How the server is run.
        open_engine: What workers open, picklable; by default the models of `options`.
        fetcher: What fetches addresses, where they are allowed.

    Example:
        >>> from standout.server.app import create_app
        >>> app = create_app()
    """
    options = options or ServerOptions()
    cores = usable_cores()
    threads = options.thread_count(cores)
    workers = options.worker_count(cores)
    counted = Metrics()
    pool = BoundedPool(
        open_engine or OpenPhotoEngine(options.model, options.device, options.max_pixels, options.matting),
        workers=workers,
        threads=threads,
        queue=options.queue,
        on_death=counted.worker_deaths.inc,
    )
    intake = Intake((workers + options.queue + 2) * options.max_bytes)
    fetcher = fetcher or Fetcher(options.max_bytes, min(15.0, options.timeout_s))
    serving = Serving(options, pool, intake, counted, fetcher)
    counted.watch(pool, intake, serving.in_flight)
    app = _routes(serving)
    gate: ASGIApp = Gate(app, serving=serving, shape=shape, is_page=pages.is_page)
    if not options.cors:
        return gate
    return CORSMiddleware(
        gate,
        allow_origins=options.cors,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=_EXPOSED,
        max_age=600,
    )


def shape(problem: Problem, scope: Scope, request_id: str) -> Response:
    """A refusal in the words of whoever's API the request is meant for."""
    path = scope["path"]
    if path == "/" and scope["method"] != "GET":
        return rembg.shape(problem, request_id)
    return _SHAPES.get(path, problem_response)(problem, request_id)


def _routes(serving: Serving) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await serving.pool.start()
        yield
        await serving.pool.close(serving.options.timeout_s)

    app = FastAPI(
        title="Standout", version=__version__, description=_DESCRIPTION, lifespan=lifespan,
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.serving = serving
    for router in (v1.router, withoutbg.router, removebg.router, rembg.router):
        app.include_router(router)
    _add_operations(app, serving)
    _add_pages(app, serving)
    _add_handlers(app)
    return app


def _add_operations(app: FastAPI, serving: Serving) -> None:
    """`/health`, `/ready`, `/metrics`."""
    status = {"application/json": {"schema": {"type": "object", "properties": {"status": {"type": "string"}}}}}
    refused = {403, 405, 421}
    refusals: openapi.Responses = {code: one for code, one in openapi.problems(few=True).items() if code in refused}
    not_yet = {"description": "Not yet.", "content": status}
    runs: openapi.Responses = {200: {"description": "It runs.", "content": status}, **refusals}
    warm: openapi.Responses = {200: {"description": "Warm.", "content": status}, 503: not_yet, **refusals}

    @app.get("/health", response_model=None, responses=runs)
    async def health() -> Response:
        """Whether the server runs; says nothing about its workers."""
        return JSONResponse({"status": "ok", "model": serving.options.model_name, "version": __version__})

    @app.get("/ready", response_model=None, responses=warm)
    async def is_ready() -> Response:
        """Whether a picture would be answered: models are loaded and warm, and a worker is there."""
        ready = serving.pool.ready
        return JSONResponse({"status": "ready" if ready else "not_ready"}, 200 if ready else 503)

    text = {"text/plain": {"schema": {"type": "string"}}}
    answers = {200: {"description": "Prometheus' text format.", "content": text}, **openapi.problems(few=True)}

    @app.get("/metrics", response_model=None, responses=answers)
    async def metrics() -> Response:
        """Requests, latency by stage, queue, refusals, memory of each worker."""
        return Response(serving.metrics.text(), headers={"Content-Type": numbers.CONTENT_TYPE})


def _add_pages(app: FastAPI, serving: Serving) -> None:
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            plain = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            made.update(openapi.complete(plain, with_keys=bool(serving.options.api_keys)))
        return made

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi_json() -> Response:
        return JSONResponse(document())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return pages.html(docs_page(document()))

    @app.get("/api", include_in_schema=False)
    async def api() -> Response:
        return RedirectResponse("/docs")  # where rembg has its own

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return pages.answer("/")

    async def file_of_the_page(scope: Scope, receive: Receive, send: Send) -> None:
        await pages.answer(scope["path"] if scope["method"] == "GET" else "")(scope, receive, send)

    app.router.default = file_of_the_page


def _add_handlers(app: FastAPI) -> None:
    def handled(function: Callable[[Any], Problem]) -> Callable[[Request, Any], Any]:
        async def handler(request: Request, error: Any) -> Response:
            problem = function(error)
            if problem.code == "method_not_allowed":
                problem.headers = {"Allow": _allowed(app, request.scope)}
            request.scope["state"]["problem"] = problem.code
            return shape(problem, request.scope, request.scope["state"]["request_id"])

        return handler

    async def gone(_request: Request, _error: Any) -> Response:
        return Response(status_code=499)  # for the log; nobody reads it

    app.add_exception_handler(Problem, handled(lambda error: error))
    app.add_exception_handler(HTTPException, handled(_of_framework))
    app.add_exception_handler(ClientDisconnect, gone)
    # Starlette's own answer to a fault is text, which clients that read JSON can't.
    app.add_exception_handler(
        Exception, handled(lambda _: Problem("fault", "A fault of this server; its log says where."))
    )


def _allowed(app: FastAPI, scope: Scope) -> str:
    """The methods that a path has, of all its routes together."""
    methods = [
        method
        for method in ("GET", "POST")
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]
    return ", ".join(methods + ["HEAD"] * ("GET" in methods))


def _of_framework(error: HTTPException) -> Problem:
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "bad_request")
    return Problem(code, f"{error.detail}; `/docs` tells what there is.", dict(error.headers or {}))
