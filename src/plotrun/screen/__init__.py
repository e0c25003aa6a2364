"""What a terminal shows: plain functions from a `View` to lines."""

from plotrun.screen.page import page
from plotrun.screen.view import View

__all__ = ["View", "page"]
