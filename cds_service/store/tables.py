"""The tables: decisions with the cards that they gave, and what became of the cards; people stand there as keyed hashes only."""

from sqlalchemy import Boolean, Column, Double, Index, Integer, MetaData, Table, Text

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# One row for each answer of a hook. `verdicts` is a JSON object of rule id to what the rule said or the kind of its silence.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("request", Text, nullable=False),
    Column("instance", Text),
    Column("patient", Text),
    Column("clinician", Text),
    Column("verdicts", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("elapsed_ms", Double, nullable=False),
)
decisions_at = Index("decisions_at", decisions.c.at)

# `rules` and `ingredients` are JSON lists: the rules strongest first, the drug keys of the effective regimen in order. `offers` is the
# number of suggestions on the card, NULL in rows from before it was kept.
cards = Table(
    "cards",
    metadata,
    Column("id", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("ingredients", Text, nullable=False),
    Column("offers", Integer),
)
cards_decision = Index("cards_decision", cards.c.decision)

# `reasoned` says that an override came with a reason or a comment; the comment itself is never kept. `reason_code` is a code of ours
# with our `reason_system`, or "other" with the keyed hash of what was said, so that equal reasons can be counted and none can be read.
feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("outcome_at", Double, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("reasoned", Boolean, nullable=False),
    Column("reason_system", Text),
    Column("reason_code", Text),
    Column("comment_length", Integer, nullable=False),
)
feedback_card = Index("feedback_card", feedback.c.card)
feedback_outcome_at = Index("feedback_outcome_at", feedback.c.outcome_at)
