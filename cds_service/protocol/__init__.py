"""The words of the CDS Hooks specification: requests, prefetch, answers, feedback; no FHIR content and no HTTP."""
