"""FHIR R4: reading charts leanly, writing orders strictly, talking to servers."""
