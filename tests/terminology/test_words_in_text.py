"""Names in free text: the longest wins, whole words only, and the words around a name are heard."""

import pytest

from cds_service.fhir.valuesets import Terminology
from cds_service.fhir.vocabulary import LONGEST, Entry, Vocabulary
from cds_service.knowledge import Knowledge


@pytest.fixture(scope="module")
def terms(knowledge: Knowledge) -> Terminology:
    """The shipped terminology."""
    return knowledge.terminology


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NDM detected", {"NDM": True}),
        ("NDM not detected", {"NDM": False}),
        ("negative for NDM", {"NDM": False}),
        ("no NDM", {"NDM": False}),
        ("not NDM", {"NDM": False}),
        ("NDM: ND", {"NDM": False}),
        ("NDM: no", {"NDM": False}),
        ("NDM: yes", {"NDM": True}),
        ("NDM (-)", {"NDM": False}),
        ("NDM (+), KPC (-)", {"NDM": True, "KPC": False}),
        ("NDM +", {"NDM": True}),
        ("NDM-negative", {"NDM": False}),
        ("NDM-1 PCR positive; KPC negative", {"NDM": True, "KPC": False}),
        ("Negative NDM PCR", {"NDM": False}),
        ("NDM gene: absent", {"NDM": False}),
        ("blaNDM-5 gene was not detected by PCR", {"NDM": False}),
        ("NDM, VIM and IMP not detected", {"NDM": False, "VIM": False, "IMP": False}),
        ("KPC not detected, NDM detected", {"KPC": False, "NDM": True}),
        ("KPC: Not detected\nNDM: Detected", {"KPC": False, "NDM": True}),
        ("KPC Not Detected NDM Detected VIM Not Detected", {"KPC": False, "NDM": True, "VIM": False}),
        ("Detected: NDM. Not detected: KPC, VIM", {"NDM": True, "KPC": False, "VIM": False}),
        ("Not detected: KPC, NDM", {"KPC": False, "NDM": False}),
        ("No KPC, NDM or VIM detected", {"KPC": False, "NDM": False, "VIM": False}),
        ("no KPC, NDM detected", {"KPC": False}),
        ("K. pneumoniae, NDM producer", {"NDM": True}),
        ("Klebsiella pneumoniae, NDM-producing", {"NDM": True}),
        ("New Delhi metallo-β-lactamase (NDM) positive", {"NDM": True}),
        ("KPC only", {"KPC": True}),
        ("NDM (no KPC)", {"NDM": True, "KPC": False}),
        ("KPC: no, NDM: yes", {"KPC": False, "NDM": True}),
        ("NDM: N KPC: N", {"NDM": False, "KPC": False}),
        ("Klebsiella pneumoniae carbapenemase (KPC) detected", {"KPC": True}),
        ("NDM + OXA-48", {"NDM": True, "OXA-48": True}),
        ("MBL screen negative. KPC.", {"MBL": False, "KPC": True}),
        ("NDM and KPC screen negative", {"NDM": False, "KPC": False}),
        ("MBL screen pending", {}),
        ("MBL test positive", {"MBL": True}),
        ("NDM screening: detected", {"NDM": True}),
        ("NDM test pending", {}),
        ("Screen for NDM: positive", {"NDM": True}),
        ("Tested for MBL: negative", {"MBL": False}),
        ("Screened for NDM", {}),
        ("rule out NDM", {}),
        ("possible NDM", {}),
        ("NDM pending", {}),
        ("awaiting NDM PCR", {}),
        ("exposure to NDM", {}),
        ("family history of NDM", {}),
        ("History of NDM", {"NDM": True}),
        ("No history of NDM", {"NDM": False}),
        ("NDM carriage ruled out", {"NDM": False}),
        ("Ruled out: NDM infection", {"NDM": False}),
        ("Contact of NDM patient, screening negative", {}),
        ("NDM carrier", {"NDM": True}),
        ("NDM carrier, KPC not detected", {"NDM": True, "KPC": False}),
        ("NDM infection, KPC not detected", {"NDM": True, "KPC": False}),
        ("NDM infection and KPC infection ruled out", {"NDM": False, "KPC": False}),
        ("NDM, KPC infection not detected", {"NDM": False, "KPC": False}),
        ("NDM colonisation screening", {}),
        ("not colonised with NDM", {"NDM": False}),
        ("NDM contact precautions", {"NDM": True}),
        ("Previously colonised with NDM", {"NDM": True}),
        ("IMP", {"IMP": True}),
        ("IMP carbapenemase gene", {"IMP": True}),
        ("IMP: pneumonia likely, no effusion seen today", {}),
        ("Mannose-binding lectin (MBL)", {}),
        ("laundmark", {}),
        ("", {}),
    ],
)
def test_what_is_said_of_a_marker(terms: Terminology, text: str, expected: dict[str, bool]) -> None:
    """A denial is never taken for a finding, and what is left open is left out."""
    assert dict(terms.says("marker", text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aztreonam", {"aztreonam": True}),
        ("Known aztreonam allergy", {"aztreonam": True}),
        ("Aztreonam not tolerated", {"aztreonam": True}),
        ("aztreonam intolerance", {"aztreonam": True}),
        ("No known allergy to aztreonam", {"aztreonam": False}),
        ("No known aztreonam allergy", {"aztreonam": False}),
        ("Denies allergy to aztreonam", {"aztreonam": False}),
        ("Tolerates aztreonam", {"aztreonam": False}),
        ("Aztreonam allergy ruled out", {"aztreonam": False}),
        ("Anaphylaxis to ceftazidime, tolerates aztreonam", {"ceftazidime": True}),
        ("Aztreonam (ceftazidime tolerated)", {"aztreonam": True}),
        ("Tolerates ceftazidime (aztreonam rash)", {"aztreonam": True}),
        ("aztreonam-avibactam tolerated", {"aztreonam": False}),
        ("Family history of aztreonam allergy", {}),
        ("Mother allergic to aztreonam", {}),
    ],
)
def test_what_an_allergy_list_says_of_a_drug(terms: Terminology, text: str, expected: dict[str, bool]) -> None:
    """Who denies an allergy, bears the drug, or has a relative who reacts has no allergy; who does not bear it has one."""
    assert dict(terms.says("drug", text)) == expected


def test_a_denied_list_with_its_heading_denies_all(terms: Terminology) -> None:
    """ "Negative for carbapenemase (KPC, NDM …)" denies every name of the list."""
    said = terms.says("marker", "Negative for carbapenemase (KPC, NDM, VIM, IMP, OXA-48)")
    assert set(said) == {"CARBAPENEMASE", "KPC", "NDM", "VIM", "IMP", "OXA-48"}
    assert not any(said.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no evidence of osteomyelitis", {"osteomyelitis": False}),
        ("history of osteomyelitis", {}),
        ("suspected sepsis", {"sepsis": True}),
        ("?sepsis", {"sepsis": True}),
        ("rule out sepsis", {"sepsis": True}),
        ("UTI, not septic", {"urinary-infection": True, "sepsis": False}),
        ("Complicated UTI", {"complicated-uti": True}),
        ("Pregnancy test negative", {}),
        ("Not pregnant", {"pregnancy": False}),
        ("Cystic fibrosis carrier", {}),
        ("Septic shock due to pneumonia", {"septic-shock": True, "pneumonia": True}),
        ("Hospital-acquired pneumonia", {"hospital-pneumonia": True}),
        ("Community acquired pneumonia", {"community-pneumonia": True}),
        ("CVVHDF", {"crrt": True}),
        ("Dependence on renal dialysis", {"haemodialysis": True}),
        ("Wound infection with ESBL-producing Escherichia coli", {"skin-infection": True, "esbl-infection": True}),
        ("Drug allergy test dose", {"test-dose": True}),
        ("ICU bed 4", {"intensive-care": True}),
        ("fever in neutropenia", {"febrile-neutropenia": True}),
        ("Cystitis with fever 39", {"cystitis": True, "fever": True}),
        ("Cystitis without fever", {"cystitis": True, "fever": False}),
        ("Hay fever", {}),
        ("Flank pain and chills, not simple cystitis", {"cystitis": False}),
        ("Sepsis despite antibiotic prophylaxis", {"sepsis": True}),
        ("Peritonitis, preoperative", {"abdominal-infection": True, "perioperative": True}),
        ("Infected aortic graft, pre-op", {}),
        ("Spontaneous bacterial peritonitis prophylaxis", {"prophylaxis": True}),
        ("Prophylaxis for spontaneous bacterial peritonitis", {"prophylaxis": True}),
        ("cholangitis prophylaxis", {"prophylaxis": True}),
        ("Desensitisation completed, treatment of bacteraemia", {"bacteraemia": True}),
        ("test dose before treatment", {"test-dose": True}),
        ("skin test negative, test dose", {"test-dose": True}),
        ("Surgical prophylaxis despite penicillin allergy", {"prophylaxis": True}),
        ("Not for full active treatment, comfort measures only", {"comfort-care": True}),
        ("Declined hospice", {"comfort-care": False}),
        ("Comfort measures discussed, patient wants full treatment", {}),
        ("Comfort measures only, discussed with family", {"comfort-care": True}),
        ("MSSA bacteraemia", {"other-organism": True}),
    ],
)
def test_what_is_said_of_a_circumstance(terms: Terminology, text: str, expected: dict[str, bool]) -> None:
    """A suspicion is a reason to treat, a history is none."""
    assert dict(terms.says("circumstance", text)) == expected


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        ("susceptibility", "Aztreonam [Susceptibility]", "aztreonam"),
        ("susceptibility", "Aztreonam/Avibactam MIC", "aztreonam-avibactam"),
        ("susceptibility", "Avibactam + aztreonam", "aztreonam-avibactam"),
        ("susceptibility", "Ceftazidime-avibactam + aztreonam, broth disk elution", "ceftazidime-avibactam+aztreonam"),
        ("susceptibility", "Imipenem+Relebactam", "imipenem-relebactam"),
        ("susceptibility", "Imipenem", "imipenem"),
        ("susceptibility", "MEM", "meropenem"),
        ("susceptibility", "Fosfomycin with glucose-6-phosphate", "fosfomycin"),
        ("susceptibility", "Gentamicin trough", None),
        ("susceptibility", "Vancomycin [Mass/volume] in Serum or Plasma --trough", None),
        ("susceptibility", "Meropenem with EDTA, MBL screen", None),
        ("answer", "Not detected", "not-detected"),
        ("answer", "POSITIVE", "detected"),
        ("answer", "NEG", "not-detected"),
        ("answer", "ND", "not-detected"),
        ("answer", "No growth", "not-detected"),
        ("answer", "<=0.5 S", "susceptible"),
        ("answer", "Not Susceptible", "non-susceptible"),
        ("answer", "Presumptive positive", "indeterminate"),
        ("answer", "positive, see comment", "detected"),
        ("answer", "See comment", "indeterminate"),
        ("answer", "No synergy", "non-susceptible"),
        ("answer", "Gram-negative bacilli", None),
        ("test", "Creatinine [Mass/volume] in Urine", None),
        ("test", "Serum creatinine", "creatinine"),
        ("test", "Creatinine clearance", None),
        ("test", "Weight-for-length", None),
        ("test", "Lactate dehydrogenase", None),
        ("organism", "Klebsiella pneumoniae carbapenemase", None),
        ("organism", "K. pneumoniae complex", "klebsiella-pneumoniae"),
        ("organism", "Enterobacter aerogenes", "klebsiella-aerogenes"),
        ("specimen", "Perirectal swab", "rectal"),
        ("specimen", "Perirectal abscess", "abscess"),
        ("specimen", "Axillary abscess", "abscess"),
        ("specimen", "Groin wound", "wound"),
        ("specimen", "Perianal tissue", "tissue"),
        ("specimen", "Pus, perirectal", "abscess"),
        ("specimen", "Inguinal lymph node", "tissue"),
        ("specimen", "Vascular graft, groin", "device"),
        ("specimen", "Groin fluid aspirate", "fluid"),
        ("specimen", "Wound aspirate", "wound"),
        ("specimen", "Stool, fluid", "stool"),
        ("specimen", "Rectal swab in transport fluid", "rectal"),
        ("specimen", "Groin swab", "groin"),
        ("specimen", "Axilla swab", "skin"),
        ("specimen", "Perianal swab", "rectal"),
        ("specimen", "Bloodstream", None),
        ("searched", "Screening swab", "surveillance"),
        ("searched", "Urine (screening)", "surveillance"),
        ("searched", "Blood, sepsis screening", None),
        ("route", "For nebulization", "inhaled"),
        ("route", "IV piggyback", "intravenous"),
        ("screening", "Carbapenemase screen, NDM gene", "surveillance"),
        ("screening", "Drug screen", None),
        ("culture", "Blood Culture, Routine", "blood"),
        ("culture", "Viral culture", None),
        ("allergen", "Sulfa (Sulfonamide Antibiotics)", "sulfonamide"),
        ("reaction", "Stevens-Johnson syndrome", "scar"),
    ],
)
def test_the_longest_name_wins(terms: Terminology, kind: str, text: str, key: str | None) -> None:
    """A text means what its longest name says, and nothing where another word makes it something else."""
    assert terms.text(kind, text) == key


@pytest.mark.parametrize("text", ["CL", "CS", "CT", "AT", "PB", "FO", "FF", "AZT"])
def test_two_letters_are_no_drug(terms: Terminology, text: str) -> None:
    """Laboratory abbreviations of two letters, and zidovudine's, name no drug in a text."""
    assert terms.parts(text) == frozenset()


def test_a_very_long_text_is_read_as_far_as_its_limit() -> None:
    """A megabyte of notes costs no more than its first pages."""
    vocabulary = Vocabulary([Entry("near", ("start",)), Entry("far", ("end",))])
    assert vocabulary.named("start " + "x " * LONGEST + "end") == {"near"}


def test_a_name_of_two_keys_is_a_clash() -> None:
    """Two rows with the same name are found before a record is read."""
    assert Vocabulary([Entry("a", ("one name",)), Entry("b", ("One-Name",))]).clashes() == {("one", "name"): {"a", "b"}}
