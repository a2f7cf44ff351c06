"""What is true at the bedside: frozen nouns and pure derivations, no FHIR, no JSON, no clock."""
