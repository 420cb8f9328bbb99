"""The whole-array functions of `to_numpy`: NaN, NaT and hash 0 are null, and every one of them hands nulls on.

An argument can be a scalar where an expression names no column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.kit.conditions.tree import BLANKS, NUMBER_CHARACTERS_MAX, NUMBER_PATTERN
from finer.kit.hashing import hash_strings, hash_text

Function = Callable[[Any], Any]
_HOUR_US, _DAY_US = 3_600_000_000, 86_400_000_000
_THURSDAY = 4  # 1970-01-01


def is_known(found: Any) -> Any:
    """The rows that are not null, of hashes, numbers or timestamps."""
    return found != 0 if found.dtype.kind == "u" else ~np.isnan(found)


def quotient(a: Any, b: Any) -> Any:
    """Division; null where b is 0."""
    return np.where(b == 0, np.nan, a / b)


def remainder(a: Any, b: Any) -> Any:
    """What is left of a after taking b from it a whole number of times; null where b is 0."""
    return a - b * np.trunc(a / b)  # b = 0 gives 0 * infinity, which is NaN


def _round(values: Any) -> Any:
    whole = np.trunc(values)  # NumPy's own rounding goes to the even neighbour
    return whole + np.copysign(np.abs(values - whole) >= 0.5, values)


def _of_moment(divide: Function) -> Function:
    def function(moments: Any) -> Any:
        return np.where(np.isnan(moments), np.nan, divide(moments.view(np.int64)))

    return function


def _length(texts: Any) -> Any:
    lengths = pc.utf8_length(texts).cast(pa.float64())
    if isinstance(lengths, pa.Scalar):
        return np.float64(lengths.as_py() if lengths.is_valid else np.nan)
    return lengths.to_numpy(zero_copy_only=False)  # null becomes NaN


def _changed_case(change: Function) -> Function:
    # pyarrow 26 changes the wrong bytes where the offsets of an array do not start at 0, as after a cast of a slice;
    # concatenating starts them at 0 again.
    return lambda texts: change(texts if isinstance(texts, pa.Scalar) else pa.concat_arrays([texts]))


def _number(texts: Any) -> Any:
    fits = pc.match_substring_regex(texts, rf"\A(?:{NUMBER_PATTERN})\z")
    short = pc.less_equal(pc.utf8_length(texts), NUMBER_CHARACTERS_MAX)
    read = pc.if_else(pc.and_(fits, short), texts, pa.scalar(None, pa.string())).cast(pa.float64())
    if isinstance(read, pa.Scalar):
        return np.float64(read.as_py() if read.is_valid else np.nan)
    return read.to_numpy(zero_copy_only=False)  # null becomes NaN


def _substring(texts: Any, start: float, length: float) -> Any:
    return pc.utf8_slice_codeunits(texts, int(start) - 1, int(start + length) - 1)


def joined(texts: Sequence[Any]) -> Any:
    """Texts one behind the other; null where one of them is."""
    return pc.binary_join_element_wise(*texts, pa.scalar("", pa.string()))


TEXT_FUNCTIONS: dict[str, Callable[..., Any]] = {"replace": pc.replace_substring, "substring": _substring}
"""Functions of a text and literals, see `finer.kit.conditions.tree.TEXT_FUNCTIONS`."""
OF_TEXT: dict[str, Function] = {
    "number": _number,
    "trim": lambda texts: pc.utf8_trim(texts, characters=BLANKS),
    "length": _length,
    "lower": _changed_case(pc.ascii_lower),
    "upper": _changed_case(pc.ascii_upper),
}
FUNCTIONS: dict[str, Function] = {
    "abs": np.abs,
    "round": _round,
    "floor": np.floor,
    "ceil": np.ceil,
    "hour": _of_moment(lambda us: us // _HOUR_US % 24),
    "dayofweek": _of_moment(lambda us: (us // _DAY_US + _THURSDAY) % 7),
    **OF_TEXT,
}


def utf8(array: pa.Array) -> pa.Array:
    """A text column as the one Arrow type that all others are combined with."""
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def hashed(texts: Any) -> Any:
    """The stable hashes of texts; 0 is null."""
    if isinstance(texts, pa.Scalar):
        return np.uint64(hash_text(texts.as_py()) if texts.is_valid else 0)
    return hash_strings(texts)


def pick_text(when: Any, then: Any, otherwise: Any) -> Any:
    """np.where for Arrow texts."""
    return pc.if_else(pa.scalar(bool(when)) if np.ndim(when) == 0 else pa.array(when), then, otherwise)


def flags(found: Any, negative: bool = False) -> Any:
    """The rows where an Arrow boolean is true, or with `negative` where it is false, as NumPy booleans."""
    found = pc.fill_null(pc.invert(found) if negative else found, False)
    return np.bool_(found.as_py()) if isinstance(found, pa.Scalar) else np.asarray(found)


PATTERNS: dict[str, Callable[[Any, str], Any]] = {
    "prefix": pc.starts_with,
    "suffix": pc.ends_with,
    "contains": pc.match_substring,
    "regex": pc.match_substring_regex,
}
