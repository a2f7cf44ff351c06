"""The rule sheets as prescribers read them."""
