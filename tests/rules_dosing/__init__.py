"""Dosing, course, patient and gaps."""
