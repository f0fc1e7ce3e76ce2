"""The options of `--cluster` that commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from standout.errors import ConfigError

if TYPE_CHECKING:
    from standout.cluster.options import ClusterOptions

OnCluster = Annotated[bool, typer.Option("--cluster", help="Spread the work over a Ray cluster (extra `cluster`).")]
RayAddress = Annotated[
    str | None,
    typer.Option(help="Address of a running Ray cluster: auto, HOST:6379; else one is started here."),
]
MinWorkers = Annotated[
    int | None, typer.Option(min=1, help="With --cluster: processes to begin with.", show_default=False)
]
MaxWorkers = Annotated[int | None, typer.Option(min=1, help="With --cluster: processes at most.", show_default=False)]
CpusPerWorker = Annotated[int, typer.Option(min=1, help="With --cluster: cores for each process.")]
GpusPerWorker = Annotated[float, typer.Option(min=0, help="With --cluster: GPUs for each process, or a share of one.")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Try what failed in an earlier run again; on a cluster it is left.")
]


def cluster_options(cluster: bool, workers: int | None, *places: str, **given: Any) -> ClusterOptions | None:
    """What `--cluster` and its kin ask for; None without `--cluster`.

    Args:
        cluster: Whether there is to be one.
        workers: Fixes the number of processes.
        places: Folders or URLs.
        given: The fields of `ClusterOptions`.

    Raises:
        ConfigError: Options that contradict each other, or that need a cluster where none is asked for.
    """
    if cluster:
        from standout.cluster.options import ClusterOptions

        if workers is not None:
            if given["min_workers"] or given["max_workers"]:
                raise ConfigError("Give either --workers, or --min-workers and --max-workers; received both.")
            given |= {"min_workers": workers, "max_workers": workers}
        return ClusterOptions(**given)
    for name, value in given.items():
        if value and not (name == "cpus_per_worker" and value == 1):
            flag = "--ray-address" if name == "address" else f"--{name.replace('_', '-')}"
            raise ConfigError(f"{flag} needs --cluster; add it, or leave {flag} out.")
    for place in places:
        scheme, separator, _ = place.partition("://")
        if separator and scheme.isalnum():
            raise ConfigError(f"A URL ({scheme}://…) needs --cluster; add it.")
    return None
