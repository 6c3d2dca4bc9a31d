"""Download of one file, which resumes after an interruption and is checked before it gets its name."""

from __future__ import annotations

import logging
import re
import ssl
import time
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from socket import gaierror
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from probing.datasets.fetching.part import PartialFile
from probing.errors import ProbingError
from probing.io.progress import Progress

log = logging.getLogger(__name__)
# seconds to wait before each further attempt while nothing arrives
PAUSES = (1.0, 2.0, 4.0, 8.0)
TIMEOUT = 30.0
_CHUNK = 1 << 16
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LASTING = (gaierror, ConnectionRefusedError, ssl.SSLCertVerificationError)


class FetchError(ProbingError):
    """A published file could not be fetched."""


class _AgainError(Exception):
    """A failed attempt that may succeed if repeated."""


def download(url: str, path: Path, sha256: str | None = None) -> str:
    """Download a file to `path`, which does not exist before the file is complete and checked.

    After an interruption, the bytes that have arrived stay next to it as `.part`. They are not requested
    again if the server supports ranges and still has the same version. Two processes must not download to
    the same path at once.

    Args:
        url: URL of the file.
        path: Path of the download.
        sha256: The required SHA-256; None if none is known.

    Returns:
        The SHA-256 of the file.

    Raises:
        FetchError: If the server cannot be reached or has no such file, or if the file that it sends is
            incomplete or has another digest.
        ProbingError: If the file cannot be written.
    """
    part = PartialFile(path)
    left_over = part.size > 0
    _receive_all(url, part, sha256 is not None)
    digest = part.digest()
    if sha256 is not None and digest != sha256:
        part.remove()
        if left_over:
            log.warning("%s: the partial file of an earlier run does not match; starting again", url)
            return download(url, path, sha256)
        raise FetchError(
            f"{url}: its SHA-256 is {digest} instead of {sha256}; it is another version or damaged"
        )
    part.finish()
    return digest


def _receive_all(url: str, part: PartialFile, checked: bool) -> None:
    """Receive the whole file; attempts are not limited as long as each receives something."""
    left = list(PAUSES)
    while True:
        before = part.size
        try:
            return _receive(url, part, checked)
        except _AgainError as error:
            if part.size > before:
                left = list(PAUSES)
            if not left:
                raise FetchError(f"{url}: {error}") from error
            log.warning("%s: %s; trying again in %g s", url, error, left[0])
            time.sleep(left.pop(0))


def _receive(url: str, part: PartialFile, checked: bool) -> None:
    """Request the missing bytes once and keep those that arrive."""
    try:
        with urlopen(_request(url, part, checked), timeout=TIMEOUT) as answer:
            _keep(answer, part)
    except HTTPError as error:
        _refused(url, part, error)
    except URLError as error:
        if isinstance(error.reason, _LASTING):
            raise FetchError(f"{url}: {_reason(error.reason)}") from error
        raise _AgainError(_reason(error.reason)) from error
    except (HTTPException, OSError) as error:
        raise _AgainError(_reason(error)) from error


def _request(url: str, part: PartialFile, checked: bool) -> Request:
    headers = {"User-Agent": "transformer-probing", "Accept-Encoding": "identity"}
    # only a version or a digest can show that two halves are from different files
    if part.size and (part.version or checked):
        headers["Range"] = f"bytes={part.size}-"
        if part.version:
            headers["If-Range"] = part.version
    return Request(url, headers=headers)


def _keep(answer: HTTPResponse, part: PartialFile) -> None:
    start = _start(answer)
    if start is None:
        part.begin(_version(answer.headers))
    elif start != part.size:
        part.remove()
        raise _AgainError("the server sent another part than the requested one")
    length = answer.headers.get("Content-Length")
    expected = int(length) if length and length.isdigit() else None
    arrived = 0
    with Progress(f"fetching {PurePosixPath(answer.url).name}", "KiB", expected or 0) as progress:
        for size in part.append(iter(lambda: answer.read(_CHUNK), b"")):
            arrived += size
            progress.add(size // 1024, size)
    # http.client does not report a body that ends early
    if expected is not None and arrived < expected:
        raise _AgainError(f"cut off after {arrived} of {expected} bytes")


def _refused(url: str, part: PartialFile, error: HTTPError) -> None:
    """Return if there is nothing left to receive; otherwise raise the error that the answer means."""
    error.close()
    if error.code == 416:
        whole = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
        if whole and int(whole[1]) == part.size:
            return
        part.remove()
        raise _AgainError("the server cannot resume the download") from error
    if error.code in _PASSING:
        raise _AgainError(f"HTTP {error.code} {error.reason}") from error
    raise FetchError(f"{url}: HTTP {error.code} {error.reason}") from error


def _start(answer: HTTPResponse) -> int | None:
    """Return the first byte of the sent part; None if the whole file is sent."""
    if answer.status != 206:
        return None
    first = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(first[1]) if first else -1


def _version(headers: Message) -> str:
    """Return a version for If-Range: a strong entity tag or a date."""
    tag = str(headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(headers.get("Last-Modified", ""))


def _reason(error: object) -> str:
    """Return the message of a system error without its number."""
    if isinstance(error, gaierror):
        return "the host cannot be found; is there a network?"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.lower() or type(error).__name__
