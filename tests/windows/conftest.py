"""On Linux, the tests in ``inside`` run under Wine, all in one Windows process; each is told as if
it had run here. On Windows they are ordinary tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    from tests.windows.under_wine import OnlyInside

    def pytest_pycollect_makemodule(
        module_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Never import here what is for Windows."""
        if module_path.parent.name != "inside":
            return None
        return OnlyInside.from_parent(parent, path=module_path)
