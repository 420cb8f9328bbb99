"""Archives that unpack to far more than they are, made without packing all of it."""

from __future__ import annotations

import functools
import zlib

_PART = 1_000_000  # bytes; a block of the stream, which is said again and again
_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"  # gzip: deflate, no name, no time, packed as well as it goes


@functools.cache
def gzip_bomb(byte: bytes, megabytes: int) -> bytes:
    """A gzip file of `megabytes` million times this byte; 1 MB of it takes about a thousand bytes."""
    part = byte * _PART
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # After a full flush the stream stands at the limit of a byte and looks back at nothing: the block can be repeated.
    block = packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(megabytes):
        checksum = zlib.crc32(part, checksum)
    tail = checksum.to_bytes(4, "little") + (megabytes * _PART % 2**32).to_bytes(4, "little")
    return _HEAD + block * megabytes + packer.flush(zlib.Z_FINISH) + tail
