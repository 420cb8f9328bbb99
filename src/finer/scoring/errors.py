"""What can go wrong in scoring."""

from __future__ import annotations

from finer.kit.errors import Unprocessable


class ModelRefused(Unprocessable):
    """The model file cannot be used."""

    slug = "model-refused"
    title = "The model cannot be used"


class TrainingRefused(Unprocessable):
    """There is too little to learn from, or the split would let a model see what nobody knew at the time."""

    slug = "training-refused"
    title = "The model cannot be trained"
