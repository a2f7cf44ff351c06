"""The knowledge as it would be with other choices of a site, held to what a policy file is held to."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from cds_service.clinical.policy import Policy
from cds_service.errors import KnowledgeError
from cds_service.knowledge import Knowledge
from cds_service.knowledge.files import Files, merged
from cds_service.knowledge.known import Known
from cds_service.knowledge.policies import check_policy
from cds_service.knowledge.terms import local_codes
from cds_service.service import Service

PLACE = "site"


def with_site(knowledge: Knowledge, service: Service, site: Mapping[str, Any]) -> Knowledge:
    """The knowledge with these differences in the policy of one service; KnowledgeError names every wrong word."""
    if not site:
        return knowledge
    files = Files({})
    policy = files.typed(PLACE, Policy, merged(msgspec.to_builtins(service.reference.policy), site))
    if policy is None:
        raise KnowledgeError(files.told())
    reference = replace(service.reference, policy=policy)
    check_policy(Known(files, dict(knowledge.words[service.condition])), PLACE, policy, reference)
    local = local_codes(files, PLACE, policy.local, knowledge.terminology)
    if files.problems:
        raise KnowledgeError(files.told())
    return replace(
        knowledge,
        services={**knowledge.services, service.id: replace(service, reference=reference)},
        terminology=knowledge.terminology.with_local(local),
    )
