"""The notebook around this process, if there is one. IPython is never imported to find out."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """IPython's shell of this process, or None."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def display(view: Any, **options: Any) -> Any:
    """Show something in the notebook, as IPython's `display` does; only where there is a shell."""
    return sys.modules["IPython"].display.display(view, **options)
