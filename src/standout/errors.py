"""What Standout raises. One root to catch; each leaf says who has to act.

    StandoutError
    ├── InputError          a file or an array that can't be used as it is
    │   └── LimitExceeded   ... because it is larger than the limit in force
    ├── OutputError         a result that can't be written where it was asked for
    ├── ConfigError         a setting that is unknown or out of range
    ├── DataError           a data set that can't be trained on or scored
    ├── ModelFileError      a model file that is missing, broken or no model of Standout
    ├── MissingExtra        a part of Standout that isn't installed
    └── DeviceError         a camera or an accelerator that isn't there

Every message is one sentence: what was wrong, what is allowed, what was received, what to do.
The command line prints it and exits with 2.
"""

from __future__ import annotations

from typing import Any


class StandoutError(Exception):
    """The root of everything that Standout raises on purpose.

    Example:
        >>> import standout
        >>> try:
        ...     standout.load("nowhere.onnx")
        ... except standout.StandoutError as error:
        ...     print(error)
        There is no model file `nowhere.onnx`; give the path of an ONNX file written by `standout export`.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes, whatever their constructors take."""
        return _restored, (type(self), self.args, self.__dict__)


class InputError(StandoutError):
    """A file or an array that can't be used as it is."""


class LimitExceeded(InputError):
    """An input that is larger than the limit in force."""


class OutputError(StandoutError):
    """A result that can't be written where it was asked for."""


class ConfigError(StandoutError):
    """A setting that is unknown or out of range."""


class DataError(StandoutError):
    """A data set that can't be trained on or scored."""


class ModelFileError(StandoutError):
    """A model file that is missing, broken or no model of Standout."""


class MissingExtra(StandoutError):
    """A part of Standout that isn't installed; the message holds the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra `{extra}`, which is not installed; run `pip install 'standout[{extra}]'`."
        )


class DeviceError(StandoutError):
    """A camera or an accelerator that isn't there."""


def _restored(kind: type[StandoutError], words: tuple[Any, ...], more: dict[str, Any]) -> StandoutError:
    error = kind.__new__(kind)
    error.args = words
    error.__dict__.update(more)
    return error
