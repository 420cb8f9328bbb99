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


def _int32_at(_typing: Any, address: Any) -> Any:
    """The int32 values from an address on. What they belong to has to outlive the pointer."""
    return types.CPointer(types.int32)(address), _from_integer  # type: ignore[no-untyped-call]


def _uint8_at(_typing: Any, address: Any) -> Any:
    """The bytes from an address on. What they belong to has to outlive the pointer."""
    return types.CPointer(types.uint8)(address), _from_integer  # type: ignore[no-untyped-call]


def _from_integer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.inttoptr(args[0], context.get_value_type(signature.return_type))


int32_at: Any = intrinsic(_int32_at)
uint8_at: Any = intrinsic(_uint8_at)
