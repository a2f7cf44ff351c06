"""What a policy must get right beyond the types of its headings."""

from decimal import Decimal

from cds_service.clinical.bedside import Reference
from cds_service.clinical.policy import Policy
from cds_service.knowledge.known import Known, unknown
from cds_service.knowledge.tables import DOSES


def check_policy(known: Known, name: str, policy: Policy, reference: Reference) -> None:
    """Every word of the policy is known, its preference and intervals are among those on offer, and its windows follow one another."""
    files = known.files
    known.look(name, policy)
    if policy.preference:
        unknown(files, name, "preference", [policy.preference], policy.preferences, "a list of `preferences`")
    for drug, hours in policy.intervals.items():
        offered: set[Decimal] = {each for row in reference.doses.rows if row.agent == drug for each in row.intervals_h}
        if DOSES not in files.failed and offered and hours not in offered:
            wanted = f"an interval that doses.csv has for it (one of {', '.join(map(str, sorted(offered)))})"
            files.problem(name, f"intervals.{drug}", hours, wanted)
    if not policy.windows.current_days < policy.windows.history_days <= policy.windows.remote_days:
        files.problem(name, "windows", "windows out of order", "current_days < history_days <= remote_days")
