"""Reads `suggestions.yaml` of a condition, and validates once every resource that its suggestions can write."""

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import field

from cds_service.clinical import lists
from cds_service.clinical.bedside import Reference
from cds_service.clinical.policy import Sheet
from cds_service.fhir import drafts
from cds_service.fhir.drafts import Place, Prescribed
from cds_service.fhir.systems import RXNORM
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import Known
from cds_service.knowledge.names import ValueSet
from cds_service.suggestion import Act, AtSite, Code, Product, Request, SuggestionSheet
from cds_service.wording import braces

WORDS = {"drug", "kept", "regimen"}
NEEDS = {Act.START: "drugs", Act.SWITCH: "drugs", Act.REQUEST: "request", Act.LIMIT: "hours", Act.EXTEND: "days"}


class Written(Sheet, frozen=True):
    """A suggestion as the file has it."""

    does: Act
    label: lists.Text
    label_beside: str = ""
    label_adding: str = ""
    note: str = ""
    untested: str = ""
    at_site: AtSite | None = None
    drugs: tuple[lists.Product, ...] = ()
    request: Request | None = None
    hours: int | None = None
    days: int | None = None
    review_below: int | None = None
    review: str = ""


class Packed(Sheet, frozen=True):
    """The product that is written for a drug."""

    rxnorm: str
    dialysis: str = ""
    first_dose: str = ""


class SuggestionFile(Sheet, frozen=True):
    """The headings of `suggestions.yaml`."""

    route: Code
    products: dict[lists.Drug, Packed]
    suggestions: dict[str, Written] = field(default_factory=dict)


def suggestions(known: Known, folder: str, reference: Reference) -> dict[str, SuggestionSheet]:
    """The suggestions of a condition by key; what could not be written as valid R4 is a problem."""
    name, files = f"{folder}/suggestions.yaml", known.files
    found = files.typed(name, SuggestionFile)
    if found is None:
        return {}
    known.words["product"] = found.products.keys()
    known.look(name, found)
    products = _products(files, name, found.products, reference)
    sheets: dict[str, SuggestionSheet] = {}
    for key, written in found.suggestions.items():
        _check(files, name, key, written)
        sheets[key] = _sheet(key, written, products, found.route)
        _validate(files, name, sheets[key], reference)
    return sheets


def _sheet(key: str, written: Written, products: Mapping[str, Product], route: Code) -> SuggestionSheet:
    return SuggestionSheet(
        key=key,
        does=written.does,
        label=written.label,
        label_beside=written.label_beside,
        label_adding=written.label_adding,
        note=written.note,
        untested=written.untested,
        at_site=written.at_site,
        products=tuple(products[drug] for drug in written.drugs if drug in products),
        route=route,
        request=written.request,
        hours=written.hours,
        days=written.days,
        review_below=written.review_below,
        review=written.review,
    )


def _products(files: Files, name: str, packed: Mapping[str, Packed], reference: Reference) -> dict[str, Product]:
    found = {}
    for drug, one in packed.items():
        codes = dict(_rxnorm(files, drug))
        if f"shared/valuesets/drug-{drug}.json" in files.failed:
            continue
        if one.rxnorm not in codes:
            files.problem(name, f"products.{drug}.rxnorm", one.rxnorm, f"an RxNorm code of valuesets/drug-{drug}.json")
        elif drug in reference.drugs:
            code = Code(system=RXNORM, code=one.rxnorm, display=codes[one.rxnorm])
            found[drug] = Product(drug, reference.drugs[drug].name, code, one.dialysis, one.first_dose)
    return found


def _rxnorm(files: Files, drug: str) -> Iterator[tuple[str, str]]:
    raw = files.json(f"shared/valuesets/drug-{drug}.json")
    found = files.typed(f"shared/valuesets/drug-{drug}.json", ValueSet, raw) if raw is not None else None
    for include in found.compose.include if found else ():
        if include.system == RXNORM:
            yield from ((concept.code, concept.display) for concept in include.concept)


def _check(files: Files, name: str, key: str, written: Written) -> None:
    where = f"suggestions.{key}"
    needed = NEEDS.get(written.does)
    if needed and not getattr(written, needed):
        files.problem(name, f"{where}.{needed}", "nothing", f"a value: {written.does} needs it")
    for part in ("label", "label_beside", "label_adding", "note", "untested", "review"):
        text = getattr(written, part)
        for word in sorted(braces(text) - WORDS):
            files.problem(name, f"{where}.{part}", f"{{{word}}}", f"only {' or '.join(f'{{{one}}}' for one in sorted(WORDS))}")
        if re.search(r"[<>`\n]|\]\(", text):
            files.problem(name, f"{where}.{part}", "markup", "one plain sentence")


def _validate(files: Files, name: str, sheet: SuggestionSheet, reference: Reference) -> None:
    """Every order that the suggestion can write, with every dose of the table, in every place."""
    try:
        why = next(filter(None, map(drafts.problem, _possible(sheet, reference))), None)
    except ValueError as error:
        why = str(error)
    if why:
        files.problem(name, f"suggestions.{sheet.key}", why, "a valid R4 resource")


def _possible(sheet: SuggestionSheet, reference: Reference) -> Iterator[drafts.Resource]:
    bare, full = Place("Patient/a"), Place("Patient/a", "Encounter/a", "Practitioner/a", "inpatient")
    if sheet.request:
        yield from (drafts.service_request(sheet.request, place, ("Observation/a",)) for place in (bare, full))
    for product in sheet.products:
        for place, dose in itertools.product((bare, full), _doses(product, reference)):
            yield drafts.medication_request(product, sheet.route, dose, place, ("Observation/a",), product.code.system)


def _doses(product: Product, reference: Reference) -> Iterator[Prescribed]:
    """A loading dose and a maintenance dose of the drug; the table's numbers differ, their shape does not."""
    rows = [row for row in reference.doses.rows if row.agent == product.drug and row.grams and row.infusion_h]
    for row in [*[row for row in rows if not row.loading][:1], *[row for row in rows if row.loading][:1]]:
        interval = row.intervals_h[0] if row.intervals_h else None
        begins = datetime(2026, 1, 1, tzinfo=UTC) if interval else None
        yield Prescribed(row.grams or Decimal(1), row.infusion_h or Decimal(1), interval, row.components, product.dialysis, begins)
