"""What each result is called, so that no two sources share a name."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from standout.imaging.files import fitting_name

#: (folder, relative path in it): a source.
Owner = tuple[str, str]


class OutputNames:
    """Hands out names, and remembers whose they are.

    The first source to ask, `a.jpg`, gets the plain name `a.png`; `a.webp` then gets `a-webp.png`. Names that differ
    only in case, or in how an accent is spelt, count as equal everywhere: the folder may be carried to a system that
    can't tell them apart.

    Args:
        ending: The ending of the names, ".png".
        held: Names that were handed out in earlier runs, and to whom.

    Example:
        >>> names = OutputNames(".png")
        >>> [names.of("in", photo) for photo in ("a.jpg", "a.webp", "A.JPG", "sub/a.jpg", "a.jpg")]
        ['a.png', 'a-webp.png', 'A-JPG.png', 'sub/a.png', 'a.png']
    """

    def __init__(self, ending: str, held: Iterable[tuple[Owner, str]] = ()) -> None:
        self._ending = ending
        self._given: dict[Owner, str] = {}
        self._taken: set[str] = set()
        for owner, name in held:
            self._taken.add(_key(name))
            self.keep(*owner, name)

    def reserve(self, names: Iterable[str]) -> None:
        """Keeps names from being given: of files that aren't ours."""
        self._taken.update(map(_key, names))

    def reserve_folders(self, sources: Iterable[str]) -> None:
        """Keeps the names of the folders that `sources` lie in for folders: `a.png/b.jpg` beside `a.jpg`."""
        for folder in {PurePosixPath(source).parent for source in sources}:
            self._taken.update(_key(str(part)) for part in (folder, *folder.parents))

    def of(self, folder: str, source: str, place: str = "") -> str:
        """The name of a source's result, relative to the output folder; the same each time.

        Args:
            folder: The folder that the source lies in.
            source: Its path there.
            place: The path whose ending is changed to make the name, if it isn't `source`.
        """
        owner = (folder, source)
        if owner not in self._given:
            candidates = self._candidates(PurePosixPath(place or source))
            name = next(name for name in candidates if _key(name) not in self._taken)
            self._taken.add(_key(name))
            self._given[owner] = name
        return self._given[owner]

    def keep(self, folder: str, source: str, name: str) -> None:
        """Lets a source have the name that an earlier run gave it, also after its folder was moved."""
        if name.endswith(self._ending):
            self._taken.add(_key(name))
            self._given[folder, source] = name

    def _candidates(self, place: PurePosixPath) -> Iterator[str]:
        stem, suffix = place.stem, place.suffix.removeprefix(".")
        yield (place.parent / fitting_name(stem, self._ending)).as_posix()
        yield (place.parent / fitting_name(stem, f"-{suffix}{self._ending}")).as_posix()
        for number in itertools.count(2):
            yield (place.parent / fitting_name(stem, f"-{suffix}-{number}{self._ending}")).as_posix()


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
