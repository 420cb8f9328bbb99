"""Addresses of arrays for the helpers of numba kernels.

An array that is handed from one compiled function to another has its references counted with atomic instructions,
dozens of times for every value; an address counts nothing.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic


def _pointer(_typing: Any, array: Any) -> Any:
    """The address of a contiguous array, to be indexed like its flat form. The array has to outlive it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen  # type: ignore[no-untyped-call]


pointer: Any = intrinsic(_pointer)
