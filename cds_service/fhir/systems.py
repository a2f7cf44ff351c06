"""The ways in which records spell a code system and a code, brought to one."""

import re
from types import MappingProxyType

from cds_service.fhir.memory import of_codes

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
UNII = "http://fdasis.nlm.nih.gov"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
SPELLINGS = MappingProxyType(
    {
        "urn:oid:2.16.840.1.113883.6.88": RXNORM,
        "http://www.nlm.nih.gov/research/umls/rxnorm/": RXNORM,
        "urn:oid:2.16.840.1.113883.6.69": NDC,
        "urn:oid:2.16.840.1.113883.6.73": ATC,
        "http://www.whocc.no/atcvet": ATC,
        "urn:oid:2.16.840.1.113883.6.96": SNOMED,
        "urn:oid:2.16.840.1.113883.6.1": LOINC,
        "urn:oid:2.16.840.1.113883.6.90": ICD10,
        "http://hl7.org/fhir/sid/icd-10": ICD10,
        "urn:oid:2.16.840.1.113883.6.3": ICD10,
        "urn:oid:2.16.840.1.113883.4.9": UNII,
        "urn:oid:2.16.840.1.113883.5.83": INTERPRETATION,
        "http://hl7.org/fhir/v3/observationinterpretation": INTERPRETATION,
        "http://hl7.org/fhir/observation-interpretation": INTERPRETATION,
        "http://terminology.hl7.org/codesystem/v2-0078": INTERPRETATION,
        "http://hl7.org/fhir/v2/0078": INTERPRETATION,
        "urn:oid:2.16.840.1.113883.12.78": INTERPRETATION,
    }
)
OFFICIAL = MappingProxyType({one.lower(): one for one in (RXNORM, NDC, ATC, SNOMED, LOINC, ICD10, UNII, INTERPRETATION)})
OID = re.compile(r"\d+(\.\d+)+")
NDC_PARTS = re.compile(r"(\d{4,5})-(\d{3,4})(?:-\d{1,2})?")


@of_codes(1_024)
def canonical(system: str) -> str:
    """The official URL of a code system that came as URL, OID, versioned or in capitals; any other as it came."""
    plain = system.strip().partition("|")[0]
    plain = f"urn:oid:{plain}" if OID.fullmatch(plain) else plain
    folded = plain.lower().replace("https://", "http://")
    found = SPELLINGS.get(folded) or OFFICIAL.get(folded.rstrip("/"))
    if found is None and folded.startswith(SNOMED + "/"):
        return SNOMED
    return found or plain


@of_codes(8_192)
def codes(system: str, code: str) -> tuple[str, ...]:
    """The codes that one field holds: mostly one, as its system writes it."""
    if system == ATC:
        return tuple(one.strip().upper() for one in code.split(","))
    if system == NDC:
        return tuple(one for one in [product(code)] if one)
    if system == ICD10:
        plain = code.strip().upper()
        return (plain if "." in plain or len(plain) <= 3 else f"{plain[:3]}.{plain[3:]}",)
    return (code.strip(),)


def product(code: str) -> str:
    """Labeller and product of an NDC as nine digits, whatever package it names; "" where it is none."""
    match = NDC_PARTS.fullmatch(code.strip())
    if match:
        return match[1].zfill(5) + match[2].zfill(4)
    plain = code.strip()
    return plain[:9] if plain.isdigit() and len(plain) in {9, 11} else ""
