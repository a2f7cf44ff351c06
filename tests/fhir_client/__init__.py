"""Calls to FHIR servers that behave well and badly."""
