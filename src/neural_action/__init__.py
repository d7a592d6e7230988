"""Self-supervised neural action representations, from raw recordings to tables.

``load_model(path)`` opens a trained model with the methods ``transform``, ``score`` and ``adapt``; see
docs/tutorials/model.md.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

#: Modules of the public names. They are imported on first use, because torch takes seconds.
_OFFERED = {
    "load_model": "neural_action.inference.model",
    "TrainedModel": "neural_action.inference.model",
    "Embedding": "neural_action.inference.embedding",
    "InputError": "neural_action.errors",
}
__all__ = ["__version__", *_OFFERED]


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_OFFERED[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
