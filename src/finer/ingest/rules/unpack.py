"""Unpack gzip and zstd bodies, never beyond a limit."""

from __future__ import annotations

import re
import zlib

import zstandard

from finer.ingest.errors import UnreadableBody, UnsupportedEncoding
from finer.kit.errors import TooLarge

_ZSTD_RATIO_MAX = 32_768
_WINDOW_MAX = 2**27
_MEMBERS_MAX = 10_000
_PIECE = 1 << 10
_PIECE_MAX = 1 << 20
_PADDING = re.compile(rb"\0*")
# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def refuse_other_encodings(start: bytes) -> None:
    """Raises UnreadableBody for a text that begins with the mark of another encoding than UTF-8."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            raise UnreadableBody(f"The text is {name}, and not UTF-8. Write it as UTF-8 and send it again.")


def unpack(data: bytes, encoding: str, limit: int) -> bytes:
    """The unpacked bytes. Raises TooLarge beyond `limit` bytes, UnreadableBody for a broken or truncated stream."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return data
    if encoding in ("gzip", "x-gzip"):
        return _gunzip(data, limit)
    if encoding == "zstd":
        return _unzstd(data, limit)
    raise UnsupportedEncoding(encoding)


def _over(limit: int) -> TooLarge:
    return TooLarge(f"The body unpacks to more than {limit} bytes. Send it in smaller parts.")


def _truncated(name: str) -> UnreadableBody:
    return UnreadableBody(f"The {name} body ends too early. Nothing of it was accepted; send it again.")


def _gunzip(data: bytes, limit: int) -> bytes:
    if not data:
        raise UnreadableBody("The body is empty. Send at least one record.")
    parts: list[bytes] = []
    size = position = members = 0
    view = memoryview(data)
    while position < len(view):
        members = _counted(members, "gzip")
        stream = zlib.decompressobj(wbits=31)
        # The library copies what follows the end of a member, so it is shown little at first.
        piece = _PIECE
        while not stream.eof:
            if position >= len(view):
                raise _truncated("gzip")
            try:
                part = stream.decompress(view[position : position + piece], limit - size + 1)
            except zlib.error as error:
                raise UnreadableBody(f"The body is not valid gzip: {error}.") from error
            position = min(position + piece, len(view))
            piece = min(2 * piece, _PIECE_MAX)
            parts.append(part)
            size += len(part)
            if size > limit:
                raise _over(limit)
        position = _PADDING.match(data, position - len(stream.unused_data)).end()  # type: ignore[union-attr]
    return b"".join(parts)


def _counted(members: int, name: str) -> int:
    """One more; each costs as much as some thousand bytes, however little it holds."""
    if members == _MEMBERS_MAX:
        raise TooLarge(f"The body is made of more than {_MEMBERS_MAX:,} {name} streams. Pack it as one.")
    return members + 1


def _unzstd(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = frames = 0
    if not data:
        raise UnreadableBody("The body is empty. Send at least one record.")
    view = memoryview(data)
    while view:
        frames = _counted(frames, "zstd")
        stream = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX).decompressobj()
        position = 0
        while not stream.eof:
            if position >= len(view):
                raise _truncated("zstd")
            # A piece so small that even the highest ratio of the format cannot pass the limit by much.
            piece = max((limit - size) // _ZSTD_RATIO_MAX, 64)
            try:
                part = stream.decompress(view[position : position + piece])
            except zstandard.ZstdError as error:
                raise UnreadableBody(f"The body is not valid zstd: {error}.") from error
            position += piece
            parts.append(part)
            size += len(part)
            if size > limit:
                raise _over(limit)
        view = view[min(position, len(view)) - len(stream.unused_data) :]
    return b"".join(parts)
