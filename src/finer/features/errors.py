"""What can go wrong with features."""

from __future__ import annotations

from finer.kit.errors import FinerError


class InvalidFeatureSet(FinerError):
    """A declaration contradicts itself or names what is not declared."""

    status = 422
    slug = "invalid-feature-set"
    title = "The feature declarations do not hold together"


class UnsuitableColumn(FinerError):
    """A batch lacks a column that a feature reads, or has it with a type that the feature cannot use."""

    status = 422
    slug = "unsuitable-column"
    title = "A feature cannot read this column"
