"""The engine of regimen and organism, with facts made by hand."""
