"""`standout serve`: cut-outs over HTTP."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="Port; 0 takes a free one.")] = 7000,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", help="Worker processes.", show_default="one per core, at most 4")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each worker.", show_default="by the cores")] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file.")] = "photo",
    device: Annotated[str | None, typer.Option(help="Where networks run.", show_default="the processor")] = None,
    matting: Annotated[
        bool, typer.Option("--matting", help="Load what the option `matting` needs (extra `matting`): 400 MB each.")
    ] = False,
    max_megapixels: Annotated[float, typer.Option(help="Refuse pictures with more pixels before decoding.")] = 50,
    max_megabytes: Annotated[float, typer.Option(help="Refuse bodies with more bytes while they arrive.")] = 25,
    timeout: Annotated[float, typer.Option(help="Seconds for a whole request.")] = 60,
    queue: Annotated[int, typer.Option(help="Requests that may wait while all workers are busy.")] = 16,
    api_key: Annotated[
        list[str] | None, typer.Option(help="A key that clients must send; repeatable ($STANDOUT_API_KEYS).")
    ] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="Let others reach this server without a key.")] = False,
    rate: Annotated[str | None, typer.Option(help="Requests of each key: 60/minute, 5/second.")] = None,
    allow_urls: Annotated[
        bool, typer.Option("--allow-urls", help="Fetch pictures that requests name by an address.")
    ] = False,
    cors: Annotated[list[str] | None, typer.Option(help="Origin whose pages may call; repeatable.")] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="Name of this server behind a reverse proxy; repeatable.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Load all, answer one request, and exit.")] = False,
) -> None:
    """Cut people out of pictures over HTTP: an API of its own, and those of rembg, withoutBG and remove.bg."""
    from standout.errors import MissingExtra

    try:
        from standout.server import run
        from standout.server.options import ServerOptions, keys_of_environment, parse_rate
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "uvicorn", "starlette", "prometheus_client"):
            raise
        raise MissingExtra("`standout serve`", "server") from None
    options = ServerOptions(
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        model=model,
        device=device,
        matting=matting,
        max_megapixels=max_megapixels,
        max_megabytes=max_megabytes,
        timeout_s=timeout,
        queue=queue,
        api_keys=(*(api_key or ()), *keys_of_environment()),
        no_key=no_key,
        rate=None if rate is None else parse_rate(rate),
        allow_urls=allow_urls,
        cors=tuple(cors or ()),
        allowed_hosts=tuple(allowed_host or ()),
    )
    if check:
        done = run.check(options)
        found = "found the person" if done.person else "found nobody in the bundled photo"
        sys.stdout.write(f"Standout answered in {done.seconds * 1000:.0f} ms and {found}.\n")
        if not done.person:
            raise SystemExit(1)
        return
    run.serve(options, say=_announce)


def _announce(sentence: str) -> None:
    """A line on stdout, without a prefix: it is what scripts wait for."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()
