"""The same hospital and the same application as in the tests of the protocol."""

from ..web.conftest import app, build, caller, hospital, kept, open_caller, settings

__all__ = ["app", "build", "caller", "hospital", "kept", "open_caller", "settings"]
