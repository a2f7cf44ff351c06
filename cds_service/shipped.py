"""Where the files lie that are shipped beside the code: the knowledge, the fixtures, the description of the interface."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """A file or a folder by its path in the project, such as "hooks": inside an installed package, else beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
