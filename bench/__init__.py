"""The benchmark: what a decision costs, in ratios taken in one run; never a timed test."""
