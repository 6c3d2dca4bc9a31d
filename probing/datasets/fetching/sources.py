"""The cache folder, whose files are fetched once, checked at every use, and fetched again if damaged."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from probing.datasets.fetching.part import PartialFile, on_disk
from probing.datasets.fetching.transfer import FetchError, download
from probing.datasets.fetching.unpack import open_member
from probing.errors import ProbingError
from probing.io.files import replace_file
from probing.io.locks import held

log = logging.getLogger(__name__)
Convert = Callable[[Iterable[bytes]], Iterator[bytes]]


@dataclass(frozen=True)
class Download:
    """One place from which a file can be fetched.

    Attributes:
        url: URL to download.
        sha256: Published SHA-256 of the download; None if none is known.
        member: Path of the file within a zip or tar archive, or the end of that path; None if the download
            is the file.
        convert: Function from the published lines to the wanted ones, both without line ends; None keeps
            the file as it is.
    """

    url: str
    sha256: str | None = None
    member: str | None = None
    convert: Convert | None = None

    @property
    def plain(self) -> bool:
        """True if the download is the file itself."""
        return self.member is None and self.convert is None


def obtain(path: Path, sources: Sequence[Download], downloads: Path) -> Path:
    """Return a file of the cache after fetching it if it is missing or damaged.

    Its SHA-256 is kept next to it in `<name>.sha256` and checked at every use. A file that was put there by
    hand has none.

    Args:
        path: Place of the file in the cache.
        sources: Places from which it can be fetched; the first that works is used.
        downloads: Folder for downloads that are not the file itself: archives, and files before conversion.

    Returns:
        The path.

    Raises:
        FetchError: If no source works; the message gives the reasons, and a URL and a path by which the file
            can be added by hand.
        ProbingError: If a file that was put there by hand is not the published one, or a package is missing.
    """
    known = sources[0].sha256 if sources[0].plain else None
    if _intact(path, known):
        return path
    with _locked(path):
        if _intact(path, known):
            return path
        if path.exists():
            log.warning("%s: damaged since it was fetched; fetching it again", path)
        reasons = []
        for source in sources:
            try:
                _make(path, source, downloads)
            except FetchError as error:
                reasons.append(str(error))
            else:
                if reasons:
                    log.warning("%s comes from %s (%s)", path.name, source.url, "; ".join(reasons))
                return path
    place = path if sources[0].plain else download_path(sources[0], downloads)
    raise FetchError(f"{path.name} cannot be fetched ({'; '.join(reasons)}); put {sources[0].url} at {place}")


def download_path(source: Download, downloads: Path) -> Path:
    """Return the path that keeps the download of a source if that is not the file itself."""
    parts = urlsplit(source.url)
    return downloads / parts.netloc.replace(":", "_") / parts.path.lstrip("/")


def _make(path: Path, source: Download, downloads: Path) -> None:
    """Fetch, unpack and convert from one source."""
    if source.plain:
        _fetch(source, path)
        return
    raw = download_path(source, downloads)
    if not _intact(raw, source.sha256):
        with _locked(raw):
            if not _intact(raw, source.sha256):
                _fetch(source, raw)
    part = PartialFile(path)
    part.begin("")
    try:
        with open_member(raw, source.member) as stream:
            for _ in part.append(_converted(stream, source.convert)):
                pass
    except BaseException as error:
        part.remove()
        if not isinstance(error, FetchError | UnicodeDecodeError):
            raise
        # without a published digest, the download may never have been the right file
        if source.sha256 is None and any(_recorded(raw)):
            with _locked(raw):
                raw.unlink(missing_ok=True)
                _note(raw).unlink(missing_ok=True)
        raise FetchError(f"{source.url}: {error}") from error
    digest = part.digest()
    part.finish()
    _record(path, digest, f"{source.url} {source.member or ''}".strip())


def _converted(stream: Iterable[bytes], convert: Convert | None) -> Iterator[bytes]:
    if convert is None:
        yield from stream
    else:
        for line in convert(line.rstrip(b"\n") for line in stream):
            yield line + b"\n"


def _fetch(source: Download, path: Path) -> None:
    digest, origin = _recorded(path)
    first = digest if origin == source.url and source.sha256 is None else None
    log.info("fetching %s", source.url)
    try:
        digest = download(source.url, path, source.sha256 or first)
    except FetchError as error:
        raise FetchError(
            f"{error} (that of the first download is in {_note(path)})" if first else str(error)
        ) from error
    if source.sha256 is None and first is None:
        message = "%s: no checksum is published; its SHA-256 %s is kept and checked from now on"
        log.warning(message, source.url, digest)
    _record(path, digest, source.url)


def _intact(path: Path, known: str | None) -> bool:
    """Return whether a file exists and has its recorded or published digest."""
    if not path.is_file():
        return False
    recorded, _ = _recorded(path)
    expected = recorded or known
    if expected is None:
        return True
    with on_disk(path), path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not recorded and digest != known:
        raise ProbingError(
            f"{path}: its SHA-256 is {digest} instead of {known}, so it is not the published file; remove it"
        )
    return digest == expected


def _recorded(path: Path) -> tuple[str, str]:
    """Return the recorded digest and origin of a file; both are empty if nothing is recorded."""
    note = _note(path)
    digest, _, origin = note.read_text(encoding="utf-8").partition(" ") if note.is_file() else ("", "", "")
    return digest, origin.strip()


def _record(path: Path, digest: str, origin: str) -> None:
    with on_disk(path):
        replace_file(_note(path), f"{digest}  {origin}\n".encode())


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let only one process at a time write a file."""
    lock = held(
        path.with_name(f".{path.name}.lock"), waiting=f"{path}: another process is fetching it; waiting"
    )
    with ExitStack() as stack:
        with on_disk(path):
            stack.enter_context(lock)
        yield
