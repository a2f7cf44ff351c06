"""Builds the terminology from the name tables and the value sets, and reports whatever in them is unknown, double or empty."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from cds_service.clinical.facts import Drug, Organism, Specimen
from cds_service.clinical.policy import Local
from cds_service.fhir import quantity, systems
from cds_service.fhir.negation import Negation
from cds_service.fhir.valuesets import AntibacterialLook, BareNumbers, Ingredients, Terminology, Test
from cds_service.fhir.vocabulary import NOTHING, Entry, Phrases, Vocabulary
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import Known, unknown
from cds_service.knowledge.names import (
    CircumstanceSheet,
    DrugRow,
    DrugSheet,
    LookRow,
    OrganismSheet,
    SpecimenSheet,
    SusceptibilityRow,
    ValueSet,
    WordRow,
    WordSheet,
)

DRUGS, ORGANISMS, SPECIMENS = "shared/drugs.yaml", "shared/organisms.yaml", "shared/specimens.yaml"
CIRCUMSTANCES, WORDS, VALUESETS = "shared/circumstances.yaml", "shared/words.yaml", "shared/valuesets/*.json"
ADDRESS = re.compile(r"https?://[^/\s]|urn:\S", re.IGNORECASE)
NEAR, SIBLING = 0.8, 0.97  # how alike the URL of another system is; those of HL7 differ by their last word
FEW = 2  # an answer may stand beside a unit
Codes = dict[str, dict[tuple[str, str], str]]


def terminology(files: Files) -> Terminology:
    """The terminology of all conditions; an empty one where a table is missing, which is a problem of its own."""
    drugs, organisms = files.table(DRUGS, DrugSheet), files.table(ORGANISMS, OrganismSheet)
    specimens, words = files.table(SPECIMENS, SpecimenSheet), files.table(WORDS, WordSheet)
    circumstances = files.table(CIRCUMSTANCES, CircumstanceSheet)
    if not (drugs and organisms and specimens and words and circumstances):
        return Terminology()
    known = Known(files, {"class": drugs.classes, "group": organisms.groups, "trait": organisms.traits})
    for name, sheet in {DRUGS: drugs, ORGANISMS: organisms, WORDS: words}.items():
        known.look(name, sheet)
    names = _names(drugs, organisms, specimens, circumstances, words)
    _check_names(files, names)
    _check_tests(files, words)
    unknown(files, WORDS, "never", words.never, _tables(words), "a kind of name")
    denials = {str(place): texts for place, texts in words.negation.items()}
    codes, displays = _codes(files, _keys(drugs, organisms, specimens, circumstances, words))
    return Terminology(
        codes=codes,
        displays=displays,
        names=names,
        drugs={key: _drug(key, row) for key, row in drugs.drugs.items()},
        organisms={key: Organism(key, row.name, row.group, frozenset(row.traits)) for key, row in organisms.organisms.items()},
        specimens={key: Specimen(key, row.name, row.surveillance, row.any_site) for key, row in specimens.specimens.items()},
        tests={key: Test(key, row.name, row.unit, row.molar_mass) for key, row in words.tests.items()},
        ingredients=_ingredients(files, drugs),
        look=_look(drugs.antibacterial),
        numbers=_numbers(words.susceptibility),
        open_words=Phrases(drugs.open),
        partner_words=Phrases(drugs.beside),
        negation=Negation(denials),
        tolerance=Negation(denials, substances=True),
        severe_reactions=frozenset(key for key, row in words.reactions.items() if row.severe),
        generic_markers=frozenset(key for key, row in words.markers.items() if row.generic),
    )


def _check_tests(files: Files, words: WordSheet) -> None:
    for key, row in words.tests.items():
        if row.molar_mass == 0:
            files.problem(WORDS, f"tests.{key}.molar_mass", 0, "the weight of a mole in grams, or nothing")
        if not quantity.is_unit(row.unit):
            files.problem(WORDS, f"tests.{key}.unit", row.unit, 'a unit of UCUM, such as mg/dL or Cel, or "" for a number without one')


def _drug(key: str, row: DrugRow) -> Drug:
    return Drug(
        key=key,
        name=row.name,
        ingredients=frozenset(row.parts or (key,)),
        classes=frozenset(row.classes),
        antibacterial=row.antibacterial,
        injection_only=row.injection_only,
        oral_absorbed=row.oral_absorbed,
        gram_negative=row.gram_negative,
    )


def _ingredients(files: Files, sheet: DrugSheet) -> Ingredients:
    """Products by what is in them; two products with the same ingredients could not be told apart."""
    products = {key: frozenset(row.parts or (key,)) for key, row in sheet.drugs.items()}
    seen: dict[frozenset[str], str] = {}
    for key, parts in products.items():
        unknown(files, DRUGS, f"drugs.{key}.parts", parts, [*sheet.drugs, *sheet.parts], "an ingredient of drugs.yaml")
        if parts in seen:
            files.problem(DRUGS, f"drugs.{key}.parts", sorted(parts), f"ingredients of its own; {seen[parts]} has these")
        seen.setdefault(parts, key)
    pairs = {key: frozenset(row.parts) for key, row in sheet.pairs.items()}
    for key, parts in pairs.items():
        unknown(files, DRUGS, f"pairs.{key}.parts", parts, [*sheet.drugs, *sheet.parts], "an ingredient of drugs.yaml")
    return Ingredients(products, pairs, frozenset(key for key, row in sheet.parts.items() if row.silent))


def _numbers(row: SusceptibilityRow) -> BareNumbers:
    return BareNumbers(Phrases(row.mic), Phrases(row.zone), row.zones_mm)


def _look(row: LookRow) -> AntibacterialLook:
    return AntibacterialLook(row.systems, frozenset(row.words), row.beginnings, row.endings, frozenset(row.never))


def _names(
    drugs: DrugSheet, organisms: OrganismSheet, specimens: SpecimenSheet, circumstances: CircumstanceSheet, words: WordSheet
) -> dict[str, Vocabulary]:
    """The vocabulary of each kind."""
    substances = list(_substances(drugs))
    lab = [Entry(key, (), row.lab) for key, row in drugs.drugs.items() if row.lab]
    without = words.susceptibility.without
    tested = [Entry(one.key, one.texts, one.alone, without, one.needs) for one in (*substances, *lab)]
    places = [Entry(key, (row.name, *row.texts)) for key, row in organisms.organisms.items()]
    found = {
        "drug": Vocabulary(substances),
        "ingredient": Vocabulary(one for one in substances if one.key in drugs.parts or not drugs.drugs[one.key].parts),
        "susceptibility": Vocabulary(tested),
        "inhaled": Vocabulary(Entry(key, row.inhaled) for key, row in drugs.drugs.items() if row.inhaled),
        "organism": Vocabulary(places, organisms.never),
        "specimen": Vocabulary((row.entry(key) for key, row in specimens.specimens.items()), specimens.never),
        "searched": Vocabulary([Entry("surveillance", specimens.screening.texts, without=specimens.screening.without)]),
        "circumstance": Vocabulary(_rows(circumstances.circumstances), circumstances.never),
    }
    for kind, rows in _tables(words).items():
        found[kind] = Vocabulary(_rows(rows), words.never.get(kind, ()), FEW if kind == "answer" else 1)
    return found


def _substances(sheet: DrugSheet) -> Iterator[Entry]:
    """Drugs by name and brand, and the ingredients that are none."""
    for key, row in sheet.drugs.items():
        own = () if row.parts else (row.name, key)
        yield Entry(key, tuple(dict.fromkeys((*own, *row.texts, *row.inhaled))), needs=row.needs)
    for key, part in sheet.parts.items():
        yield Entry(key, (key, *part.texts))


def _rows(rows: Mapping[str, WordRow]) -> Iterator[Entry]:
    return (row.entry(key) for key, row in rows.items())


def _tables(words: WordSheet) -> dict[str, Mapping[str, WordRow]]:
    """The tables of `words.yaml` by the kind of thing that they name."""
    return {
        "marker": words.markers,
        "answer": words.answers,
        "route": words.routes,
        "test": words.tests,
        "reaction": words.reactions,
        "allergen": words.allergens,
        "culture": words.cultures,
        "screening": words.screening,
    }


def _check_names(files: Files, names: Mapping[str, Vocabulary]) -> None:
    tables = {"drug": DRUGS, "organism": ORGANISMS, "specimen": SPECIMENS, "searched": SPECIMENS, "circumstance": CIRCUMSTANCES}
    for kind, vocabulary in names.items():
        if kind in {"ingredient", "susceptibility", "inhaled"}:
            continue
        for words, keys in vocabulary.clashes().items():
            expected = f"a name of one key, not of {' and '.join(sorted(keys))}"
            files.problem(tables.get(kind, WORDS), f"{kind} texts", " ".join(words), expected)


def _keys(
    drugs: DrugSheet, organisms: OrganismSheet, specimens: SpecimenSheet, circumstances: CircumstanceSheet, words: WordSheet
) -> dict[str, Collection[str]]:
    """The keys that a value set of each kind may stand for."""
    products = [*drugs.drugs, *drugs.pairs]
    return {
        **_tables(words),
        "producer": words.markers,
        "interpretation": words.answers,
        "drug": drugs.drugs,
        "partial": drugs.drugs,
        "susceptibility": products,
        "ingredient": drugs.parts,
        "organism": organisms.organisms,
        "specimen": specimens.specimens,
        "circumstance": circumstances.circumstances,
    }


def _codes(files: Files, keys: Mapping[str, Collection[str]]) -> tuple[Codes, dict[tuple[str, str], str]]:
    """Every code by kind, and our own name of each."""
    codes: Codes = {kind: {} for kind in keys}
    displays: dict[tuple[str, str], str] = {}
    for name in files.under(VALUESETS):
        kind, _, key = name.rsplit("/", 1)[-1].removesuffix(".json").partition("-")
        raw = files.json(name)
        found = files.typed(name, ValueSet, raw) if raw is not None else None
        if kind not in keys:
            unknown(files, name, "file", [kind], keys, "a kind of thing")
        elif found:
            if found.id.lower() != f"{kind}-{key}".lower():
                files.problem(name, "id", found.id, f"the name of the file, {kind}-{key}")
            unknown(files, name, "file", [key], keys[kind], f"a {kind} of the tables")
            _take(files, name, found, codes[kind], key, displays)
    return codes, displays


def _take(
    files: Files, name: str, found: ValueSet, codes: dict[tuple[str, str], str], key: str, displays: dict[tuple[str, str], str]
) -> None:
    """The codes of one value set; each needs a name, and may stand in only one set of its kind."""
    for include in found.compose.include:
        system = _system(files, name, include.system)
        for concept in include.concept:
            where = f"{include.system}|{concept.code}"
            if not concept.display:
                files.problem(name, where, "no display", "code and display as a pair")
            for code in systems.codes(system, concept.code):
                displays[system, code] = concept.display
                other = codes.setdefault((system, code), key)
                if other != key:
                    files.problem(name, where, f"also in the value set of {other}", "a code in one value set only")


def _system(files: Files, name: str, system: str) -> str:
    """The official URL; one that nearly is one is told. A site may have code systems of its own."""
    found, official = systems.canonical(system), systems.OFFICIAL.values()
    if found in official:
        return found
    meant = get_close_matches(found, official, 1, SIBLING if "hl7.org/" in found else NEAR)
    if meant or not ADDRESS.match(found):
        hint = f"did you mean {meant[0]}?" if meant else "one that begins with https://, http:// or urn:"
        files.problem(name, "compose.include.system", system, f"the URL of a code system ({hint})")
        files.failed.add(name)
    return found


def local_codes(files: Files, name: str, local: Local, known: Terminology) -> Codes:
    """A site's own codes, "system|code" to a drug or to what a result is about."""
    markers, agents = known.names.get("marker", NOTHING).keys(), {*known.drugs, *known.ingredients.pairs}
    unknown(files, name, "local.results", local.results.values(), [*markers, *agents, *known.tests], "a marker, a drug or a test")
    found: Codes = {"drug": _split(files, name, "drugs", local.drugs), "marker": {}, "susceptibility": {}, "test": {}}
    for place, key in _split(files, name, "results", local.results).items():
        kind = "marker" if key in markers else "susceptibility" if key in agents else "test"
        found[kind][place] = key
    return found


def _split(files: Files, name: str, heading: str, codes: Mapping[str, str]) -> dict[tuple[str, str], str]:
    found = {}
    for place, key in codes.items():
        system, _, code = place.rpartition("|")
        if not system or not code:
            files.problem(name, f"local.{heading}", place, '"system|code"')
        found[systems.canonical(system), code] = key
    return found
