"""Unpack gzip and zstd bodies, never beyond a limit."""

from __future__ import annotations

import zlib

import zstandard

from finer.ingest.errors import UnreadableBody, UnsupportedEncoding
from finer.kit.errors import TooLarge

_ZSTD_RATIO_MAX = 32_768
_WINDOW_MAX = 2**27
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
    parts: list[bytes] = []
    size = 0
    if not data:
        raise UnreadableBody("The body is empty. Send at least one record.")
    while data:
        stream = zlib.decompressobj(wbits=31)
        try:
            part = stream.decompress(data, limit - size + 1)
        except zlib.error as error:
            raise UnreadableBody(f"The body is not valid gzip: {error}.") from error
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _over(limit)
        if not stream.eof:
            raise _truncated("gzip")
        data = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _unzstd(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    if not data:
        raise UnreadableBody("The body is empty. Send at least one record.")
    view = memoryview(data)
    while view:
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
