"""The drug of an order: the whole set of ingredients over all codes and words."""

import pytest

from cds_service.fhir.medicines import CONTRADICTION, OPEN, UNKNOWN_MIX, recognise
from cds_service.fhir.systems import ATC, NDC, RXNORM, SNOMED
from cds_service.fhir.valuesets import Terminology
from cds_service.knowledge import Knowledge

OID = "urn:oid:2.16.840.1.113883.6.88"


@pytest.fixture(scope="module")
def terms(knowledge: Knowledge) -> Terminology:
    """The shipped terminology."""
    return knowledge.terminology


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ceftazidime 2 g", "ceftazidime"),
        ("Avycaz", "ceftazidime-avibactam"),
        ("Zavicefta", "ceftazidime-avibactam"),
        ("CEFTAZIDIME-AVIBACTAM 2.5 GRAM INTRAVENOUS SOLUTION", "ceftazidime-avibactam"),
        ("avibactam 500 MG / ceftazidime 2000 MG Injection [Avycaz]", "ceftazidime-avibactam"),
        ("caz-avi", "ceftazidime-avibactam"),
        ("ATM-AVI", "aztreonam-avibactam"),
        ("Emblaveo", "aztreonam-avibactam"),
        ("azthreonam", "aztreonam"),
        ("imipenem/relebactam", "imipenem-relebactam"),
        ("Imipenem-Cilastatin 500 mg", "imipenem-cilastatin"),
        ("piperacillin sodium/tazobactam sodium 4.5 g", "piperacillin-tazobactam"),
        ("Amoxicillin and clavulanate potassium", "amoxicillin-clavulanate"),
        ("co-amoxiclav", "amoxicillin-clavulanate"),
        ("TMP-SMX DS", "cotrimoxazole"),
        ("colistimethate sodium 4.5 MIU", "colistin"),
        ("polymyxin B sulfate 500,000 units", "polymyxin-b"),
        ("polymyxin E", "colistin"),
        ("Penicillin VK", "penicillin-v"),
        ("noradrenaline 8 mg/250 mL", "norepinephrine"),
        ("ertapenem (INVanz) 1 g IVPB", "ertapenem"),
        ("Cefepime 2 g + zidebactam 1 g", "cefepime-zidebactam"),
        ("aztreonam 2 g IV q6h - no avibactam available", "aztreonam"),
        ("aztreonam 2 g IV q6h, avibactam partner to follow", "aztreonam"),
        ("ceftazidime 2 g IV q8h (not avibactam)", "ceftazidime"),
        ("Meropenem (no vaborbactam)", "meropenem"),
        ("ceftazidime-avibactam 2.5 g, free text", "ceftazidime-avibactam"),
        ("Ceftazidime-avibactam -", "ceftazidime-avibactam"),
    ],
)
def test_a_text_names_the_product_with_all_its_ingredients(terms: Terminology, text: str, key: str) -> None:
    """The ingredients that a text names make the product, in any order and with any strength between them."""
    found = recognise([], [text], terms)
    assert (found.drug.key if found.drug else None, found.problem) == (key, "")


@pytest.mark.parametrize(
    ("triples", "key"),
    [
        ([(RXNORM, "1272", "")], "aztreonam"),
        ([(RXNORM, "1603840", "")], "ceftazidime-avibactam"),
        ([(OID, "2191", ""), (OID, "1603834", "")], "ceftazidime-avibactam"),
        ([(OID, "1603834", ""), (OID, "1272", ""), (OID, "2705360", "")], "aztreonam-avibactam"),
        ([(OID, "5690", ""), (OID, "2540", ""), (OID, "2184137", "")], "imipenem-relebactam"),
        ([(ATC, "J01DF51", ""), (RXNORM, "1272", ""), (RXNORM, "1603834", "")], "aztreonam-avibactam"),
        ([(ATC, "J01DF01,QJ01DF01", "")], "aztreonam"),
        ([(SNOMED, "387386004", "")], "aztreonam"),
        ([(NDC, "0456-2700-10", "")], "ceftazidime-avibactam"),
        ([("urn:oid:1.2.3", "77", "AVIBACTAM CEFTAZIDIME")], "ceftazidime-avibactam"),
    ],
)
def test_codes_name_the_product_together(terms: Terminology, triples: list[tuple[str, str, str]], key: str) -> None:
    """A record that lists every ingredient's code means the product of all of them."""
    found = recognise(triples, [], terms)
    assert (found.drug.key if found.drug else None, found.problem) == (key, "")


@pytest.mark.parametrize(
    ("triples", "texts", "problem"),
    [
        ([(ATC, "J01DD52", "")], [], OPEN),
        ([(ATC, "J01DF51", "aztreonam and beta-lactamase inhibitor")], [], OPEN),
        ([(ATC, "J01DE51", "")], ["cefepime and beta-lactamase inhibitor"], OPEN),
        ([], ["ceftazidime and beta-lactamase inhibitor"], OPEN),
        ([(RXNORM, "2265702", "")], ["Meropenem 1 g"], CONTRADICTION),
        ([(RXNORM, "1603840", "")], ["ceftazidime 2 g"], CONTRADICTION),
        ([(RXNORM, "2191", "")], ["ceftazidime-avibactam 2.5 g"], CONTRADICTION),
        ([], ["vancomycin and cefepime"], UNKNOWN_MIX),
        ([(RXNORM, "1603834", "")], [], UNKNOWN_MIX),
    ],
)
def test_what_cannot_be_told_is_a_problem_and_no_guess(
    terms: Terminology, triples: list[tuple[str, str, str]], texts: list[str], problem: str
) -> None:
    """An unnamed inhibitor, a contradiction and an unknown mixture are said, and still count as antibacterial."""
    found = recognise(triples, texts, terms)
    assert (found.drug, found.problem, found.antibacterial) == (None, problem, True)


@pytest.mark.parametrize(
    ("triples", "texts", "key"),
    [
        ([(ATC, "J01DD52", "ceftazidime and beta-lactamase inhibitor")], ["ceftazidime-avibactam"], "ceftazidime-avibactam"),
        ([(ATC, "J01CR05", "piperacillin and beta-lactamase inhibitor")], [], "piperacillin-tazobactam"),
        ([(RXNORM, "1603834", "avibactam")], ["aztreonam-avibactam"], "aztreonam-avibactam"),
        ([(RXNORM, "34482", "cilastatin / imipenem")], ["Imipenem"], "imipenem-cilastatin"),
    ],
)
def test_words_complete_a_code_that_leaves_something_open(
    terms: Terminology, triples: list[tuple[str, str, str]], texts: list[str], key: str
) -> None:
    """One side may say less than the other where it says that it does."""
    found = recognise(triples, texts, terms)
    assert (found.drug.key if found.drug else None, found.problem) == (key, "")


@pytest.mark.parametrize(
    ("triples", "texts"),
    [
        ([(RXNORM, "901610", "")], []),
        ([(RXNORM, "901614", "")], []),
        ([(NDC, "61958090101", "")], []),
        ([], ["Cayston"]),
        ([], ["aztreonam lysine 75 mg"]),
        ([], ["AZTREONAM LYSINE 75 MG/ML SOLUTION FOR NEBULIZATION"]),
        ([], ["Arikayce"]),
        ([], ["colistin nebuliser solution"]),
        ([], ["Promixin 1 MIU"]),
    ],
)
def test_a_product_that_is_only_inhaled_is_known(terms: Terminology, triples: list[tuple[str, str, str]], texts: list[str]) -> None:
    """Inhaled aztreonam, amikacin and colistin are never taken for the injection."""
    found = recognise(triples, texts, terms)
    assert found.drug
    assert found.inhaled


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("aztreonam 2 g, give together with ceftazidime-avibactam", "aztreonam", ""),
        ("aztreonam in combination with avibactam", None, CONTRADICTION),
        ("aztreonam + ceftazidime-avibactam", None, CONTRADICTION),
    ],
)
def test_the_words_of_a_coded_order_may_name_its_partner(terms: Terminology, text: str, key: str | None, problem: str) -> None:
    """A whole drug that is to be given with the coded one is another order's; anything else that the code lacks is a contradiction."""
    found = recognise([(RXNORM, "1272", "")], [text], terms)
    assert (found.drug.key if found.drug else None, found.problem) == (key, problem)


@pytest.mark.parametrize("text", ["aztreonam 2 g", "Azactam 1 g injection", "amikacin 1 g IV", "colistimethate 150 mg"])
def test_an_injection_is_not_inhaled(terms: Terminology, text: str) -> None:
    """The plain drug stays an injection."""
    assert not recognise([], [text], terms).inhaled


@pytest.mark.parametrize(
    ("triples", "text"),
    [([], "ceftozopran 1 g"), ([], "lascufloxacin 75 mg"), ([], "flomoxef 1 g"), ([], "Antibiotic XY-12"), ([(ATC, "J01XX99", "")], "")],
)
def test_an_unknown_antibacterial_looks_like_one(terms: Terminology, triples: list[tuple[str, str, str]], text: str) -> None:
    """A drug that nobody listed is unreadable and not silently nothing."""
    found = recognise(triples, [text] if text else [], terms)
    assert (found.drug, found.antibacterial) == (None, True)


@pytest.mark.parametrize(
    "text",
    [
        "Metoprolol 50 mg",
        "sulfasalazine 500 mg",
        "magnesium sulfate",
        "ferrous sulphate",
        "bleomycin",
        "mitomycin",
        "penicillamine 250 mg",
        "acyclovir",
        "nystatin",
        "amphotericin B",
        "lisinopril",
        "azathioprine",
        "fosphenytoin",
    ],
)
def test_other_drugs_are_of_no_interest(terms: Terminology, text: str) -> None:
    """What only sounds like an antibacterial is none."""
    found = recognise([], [text], terms)
    assert (found.drug, found.problem, found.antibacterial) == (None, "", False)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("EPINEPHRINE 4 MG/250 ML IN 0.9 % SODIUM CHLORIDE", "epinephrine"),
        ("phenylephrine infusion", "phenylephrine"),
        ("0.3 ML Epinephrine 1 MG/ML Auto-Injector", None),
        ("lidocaine 1 % with epinephrine 1:100,000", None),
        ("phenylephrine 0.5 % nasal spray", None),
        ("desmopressin", None),
    ],
)
def test_a_vasopressor_is_an_infusion(terms: Terminology, text: str, key: str | None) -> None:
    """An auto-injector, a local anaesthetic and a nasal spray are no sign of shock."""
    found = recognise([], [text], terms)
    assert (found.drug.key if found.drug else None, found.problem) == (key, "")


def test_a_code_of_another_system_is_not_taken_for_rxnorm(terms: Terminology) -> None:
    """The same digits in another system mean nothing."""
    assert recognise([("http://example.org/local", "1272", "")], [], terms).drug is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ceftaz-avibactam 2.5 g", "ceftazidime-avibactam"),
        ("Ceftazidim/Avibactam", "ceftazidime-avibactam"),
        ("aztréonam 2 g", "aztreonam"),
        ("pip/tazo 4.5 g", "piperacillin-tazobactam"),
        ("AMOXICILLIN-POT CLAVULANATE 875-125 MG", "amoxicillin-clavulanate"),
        ("Sulfamethoxazole-TMP DS", "cotrimoxazole"),
        ("MEROPENEM 1 GRAM/NS 100 ML", "meropenem"),
        ("ceftazidime-avibactam (AVYCAZ) 2.5 g in sodium chloride 0.9% 100 mL IVPB", "ceftazidime-avibactam"),
    ],
)
def test_a_pharmacys_way_of_writing_is_read(terms: Terminology, text: str, key: str) -> None:
    """Short forms, other languages, brands in brackets and diluents change nothing."""
    found = recognise([], [text], terms)
    assert (found.drug.key if found.drug else None, found.problem) == (key, "")
