"""The clinical patterns that a sheet can ask for, by the name that the sheet uses."""

from collections.abc import Mapping
from types import MappingProxyType

from cds_service.triggers import activity, allergy, course, dosing, infusion, organism, protection
from cds_service.triggers.trigger import Trigger

TRIGGERS: Mapping[str, type[Trigger]] = MappingProxyType(
    {
        "unprotected-drug": protection.UnprotectedDrug,
        "partly-protected-drug": protection.PartlyProtectedDrug,
        "inactive-drug": activity.InactiveDrug,
        "backbone-drug": activity.BackboneDrug,
        "add-on": activity.AddOn,
        "poor-at-site": activity.PoorAtSite,
        "nothing-active": activity.NothingActive,
        "protection-removed": protection.ProtectionRemoved,
        "oral-step-down": activity.OralStepDown,
        "discharge-list": activity.DischargeList,
        "duplicate": activity.Duplicate,
        "drug-pair": activity.DrugPair,
        "dose-off-table": dosing.DoseOffTable,
        "infusion-too-short": infusion.InfusionTooShort,
        "not-together": infusion.NotTogether,
        "renal-data-missing": dosing.RenalDataMissing,
        "resistant-to-ordered": organism.ResistantToOrdered,
        "resistant-to-all": organism.ResistantToAll,
        "outmatched": organism.Outmatched,
        "powerless": organism.Powerless,
        "sole-agent": organism.SoleAgent,
        "untested": organism.Untested,
        "evidence-on-file": organism.EvidenceOnFile,
        "conflicting-results": organism.ConflictingResults,
        "suspected-by-pattern": organism.SuspectedByPattern,
        "course-too-short": course.CourseTooShort,
        "course-too-long": course.CourseTooLong,
        "worsening": course.Worsening,
        "lab-watch": course.LabWatch,
        "drug-allergy": allergy.DrugAllergy,
        "child": course.Child,
        "in-circumstance": course.InCircumstance,
        "unread": course.Unread,
        "incomplete": course.Incomplete,
    }
)

__all__ = ["TRIGGERS", "Trigger"]
