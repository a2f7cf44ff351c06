"""A pharmacist's order sentence: "some-drug 2 g iv q6h over 3 h"."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

NUMBER = r"\d+(?:\.\d+)?"
SENTENCE = re.compile(
    rf"(?P<drug>[a-z0-9][a-z0-9-]*)"
    rf"(?: (?P<amount>{NUMBER})(?:-(?P<most>{NUMBER}))? (?P<unit>g|mg|mg/kg|g/h|MU))?"
    rf"(?: (?P<route>iv|im|po|inhaled|intrathecal|irrigation|topical))?"
    rf"(?: (?:q(?P<interval>{NUMBER})h|(?P<once>once)|(?P<continuous>continuous)))?"
    rf"(?: over (?P<infusion>{NUMBER}) (?P<infusion_unit>h|min))?"
)
ROUTES = {
    "iv": "intravenous",
    "im": "intramuscular",
    "po": "oral",
    "inhaled": "inhaled",
    "intrathecal": "intrathecal",
    "irrigation": "irrigation",
    "topical": "topical",
}


@dataclass(frozen=True)
class Sentence:
    """The parts of an order sentence; None where it does not say. `most` is the upper end of "1-2 g"."""

    drug: str
    amount: Decimal | None = None
    unit: str | None = None
    route: str | None = None
    interval_h: Decimal | None = None
    once: bool = False
    continuous: bool = False
    infusion_h: Decimal | None = None
    most: Decimal | None = None

    def over(self, usual: "Sentence | None") -> "Sentence":
        """This sentence, with what it leaves out taken from the usual order of the drug."""
        if usual is None:
            return self
        timed = self.once or self.continuous or self.interval_h is not None
        same_route = self.route in {None, usual.route}
        return replace(
            self,
            amount=self.amount if self.amount is not None else usual.amount,
            unit=self.unit or usual.unit,
            route=self.route or usual.route,
            interval_h=self.interval_h if timed else usual.interval_h,
            once=self.once if timed else usual.once,
            continuous=self.continuous if timed else usual.continuous,
            infusion_h=self.infusion_h if self.infusion_h is not None or not same_route else usual.infusion_h,
        )


def read_sentence(text: str) -> Sentence:
    """The parsed sentence; ValueError where it does not read as one."""
    match = SENTENCE.fullmatch(" ".join(text.split()))
    if not match:
        raise ValueError(f"{text!r} is not an order sentence such as 'some-drug 2 g iv q6h over 3 h'")
    infusion = Decimal(match["infusion"]) if match["infusion"] else None
    if infusion is not None and match["infusion_unit"] == "min":
        infusion /= 60
    return Sentence(
        drug=match["drug"],
        amount=Decimal(match["amount"]) if match["amount"] else None,
        unit=match["unit"],
        route=ROUTES.get(match["route"] or ""),
        interval_h=Decimal(match["interval"]) if match["interval"] else None,
        once=bool(match["once"]),
        continuous=bool(match["continuous"]),
        infusion_h=infusion,
        most=Decimal(match["most"]) if match["most"] else None,
    )
