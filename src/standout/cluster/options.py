"""How a job is spread over machines."""

from __future__ import annotations

from dataclasses import dataclass

from standout.errors import ConfigError


@dataclass(frozen=True)
class ClusterOptions:
    """How a job is spread over machines.

    Attributes:
        address: A Ray cluster's address (`auto`, `host:6379`, `ray://host:10001`); None starts one on this machine.
        min_workers: Processes that are started at once; by default all that fit into a local cluster, else one.
        max_workers: Processes at most; by default as many as the cluster has room for, also after it has grown.
        cpus_per_worker: Cores that each process may use.
        gpus_per_worker: GPUs, or a share of one, for each process; more than 0 lets the model run there.
        retry_failed: Try again what failed in an earlier run, also if nothing has changed since.

    Example:
        >>> ClusterOptions(min_workers=8, max_workers=4)
        Traceback (most recent call last):
        standout.errors.ConfigError: `min_workers` must be at most `max_workers`; received 8 and 4.
    """

    address: str | None = None
    min_workers: int | None = None
    max_workers: int | None = None
    cpus_per_worker: int = 1
    gpus_per_worker: float = 0.0
    retry_failed: bool = False

    def __post_init__(self) -> None:
        for name, value in (("min_workers", self.min_workers), ("max_workers", self.max_workers)):
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1; received {value}.")
        if self.min_workers and self.max_workers and self.min_workers > self.max_workers:
            raise ConfigError(
                f"`min_workers` must be at most `max_workers`; received {self.min_workers} and {self.max_workers}."
            )
        if self.cpus_per_worker < 1:
            raise ConfigError(f"`cpus_per_worker` must be at least 1; received {self.cpus_per_worker}.")
        if self.gpus_per_worker < 0:
            raise ConfigError(f"`gpus_per_worker` must be at least 0; received {self.gpus_per_worker}.")
