"""The entry of a service in the discovery document: read off its declaration, so that nothing is written twice."""

from collections.abc import Mapping
from typing import Protocol

from cds_service.protocol.prefetch import Part

SPECIFICATION = "2.0.1"  # the release of CDS Hooks that is implemented; 3.0 asks for this field, 2.x clients ignore it


class Declaration(Protocol):
    """The headings of a service file that a client reads."""

    @property
    def id(self) -> str:
        """The last part of the service's address."""

    @property
    def hook(self) -> str:
        """The hook that it answers."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def description(self) -> str:
        """What it does."""

    @property
    def usage_requirements(self) -> str:
        """What it needs, "" for nothing."""

    @property
    def prefetch(self) -> Mapping[str, Part]:
        """The templates by key."""


def entry(service: Declaration) -> dict[str, object]:
    """One member of `services`, without nulls and without empty values."""
    found = {
        "hook": service.hook,
        "title": service.title,
        "description": service.description.strip(),
        "id": service.id,
        "usageRequirements": service.usage_requirements.strip(),
        "prefetch": {key: part.query for key, part in service.prefetch.items()},
        "version": SPECIFICATION,
    }
    return {name: value for name, value in found.items() if value}
