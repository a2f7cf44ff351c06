"""The shipped policy: what a test does not change about a site."""

from functools import cache
from pathlib import Path

from cds_service.clinical.policy import Policy
from cds_service.knowledge.files import Files

HOOKS = Path(__file__).resolve().parent.parent / "hooks"


@cache
def policy() -> Policy:
    """The policy of the shipped condition; frozen, so a test changes a copy with `msgspec.structs.replace`."""
    found = Files.read(HOOKS).typed("ndm/policy.yaml", Policy)
    assert found is not None
    return found
