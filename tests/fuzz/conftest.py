"""Every test of this folder ends its watch on hangs."""

import faulthandler

import pytest


@pytest.fixture(autouse=True)
def no_hang():
    """A test of many examples may take long, one example may not."""
    yield
    faulthandler.cancel_dump_traceback_later()
