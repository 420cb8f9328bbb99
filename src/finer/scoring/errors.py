"""What can go wrong in scoring."""

from __future__ import annotations

from finer.kit.errors import Conflict, NotFound, Unprocessable


class ModelRefused(Unprocessable):
    """The model file cannot be used."""

    slug = "model-refused"
    title = "The model cannot be used"


class TrainingRefused(Unprocessable):
    """There is too little to learn from, or the split would let a model see what nobody knew at the time."""

    slug = "training-refused"
    title = "The model cannot be trained"


class TrainingUnderWay(Conflict):
    """A model of the firm is being learnt, or waits for it; one is learnt at a time."""

    slug = "training-under-way"
    title = "A model is being learnt already"


class ModelNotFound(NotFound):
    """The firm has no such model."""

    slug = "model-not-found"
    title = "There is no such model"


class ModelChanged(Conflict):
    """The model is in another state by now, or another one decides."""

    slug = "model-changed"
    title = "The model is in another state by now"


class ModelNotAcceptable(Unprocessable):
    """A model that is not fit for what was asked: no card, no reason, never approved."""

    slug = "model-not-acceptable"
    title = "This model cannot be taken"
