"""torchvision's Python parts, also where its compiled parts do not fit the torch that is installed.

The wheel on the package index is built for CUDA. Beside a torch for CPUs alone its library cannot be loaded, and its
import fails at an operator for boxes that no transform needs: that operator is declared empty.
"""

import re
import sys
from types import ModuleType

import pytest
import torch

_declared: list[torch.library.Library] = []


def transforms() -> ModuleType:
    """``torchvision.transforms.v2``; skips where torchvision is not installed."""
    pytest.importorskip("PIL")
    for _ in range(8):
        try:
            from torchvision.transforms import v2
        except ModuleNotFoundError:
            pytest.skip("needs torchvision, of the test extra")
        except RuntimeError as error:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            _declared.append(torch.library.Library("torchvision", "FRAGMENT"))
            _declared[-1].define(f"{missing[1]}(Tensor a) -> Tensor")
            for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
                del sys.modules[name]
        else:
            return v2
    raise AssertionError("torchvision cannot be imported")
