"""Nouns and names. An irregular plural and a gender follow after slashes."""

from __future__ import annotations

from probing.datasets.grammar.vocabulary import Noun, add_s

NOUNS_BY_KIND = {
    "human": (
        "farmer teacher doctor nurse lawyer soldier sailor singer dancer baker painter pilot judge "
        "king//m queen//f student neighbor child/children woman/women/f man/men/m boy//m girl//f guest "
        "driver hunter actor tailor priest thief/thieves waiter engineer writer scientist tourist "
        "merchant shepherd captain"
    ),
    "animal": (
        "dog cat horse cow goat wolf/wolves fox bear bird mouse/mice goose/geese rabbit lion monkey "
        "duck elephant pig owl"
    ),
    "food": (
        "apple cake sandwich cookie potato tomato carrot orange egg pie pancake sausage onion banana "
        "cherry omelet"
    ),
    "artifact": (
        "box chair knife/knives lamp clock mirror bottle basket hammer ladder key vase bell coin "
        "rope toy camera umbrella cup bucket drum guitar"
    ),
    "clothing": "coat hat scarf/scarves shirt dress glove jacket sweater belt apron",
    "vehicle": "truck train bus boat ship car wagon bicycle tractor carriage",
    "place": (
        "garden house village barn school market church forest castle station kitchen hotel museum "
        "library city office valley field park tower"
    ),
    "site": "river bridge hill island beach road mountain shore lake",
    "text": "book letter story poem song report article novel message diary essay play",
    "idea": "idea plan secret problem rule theory method mistake answer proposal",
    "event": "party meeting wedding concert festival game ceremony lecture parade dinner",
    "force": "storm flood fire earthquake hurricane blizzard",
}
NAMES = {
    "m": ["Peter", "Thomas", "Daniel", "Oscar", "Victor", "Henry", "Simon", "Walter"],
    "f": ["Anna", "Clara", "Julia", "Maria", "Nora", "Emma", "Laura", "Sophie"],
}


def read_noun(entry: str, kind: str) -> Noun:
    """Read an entry such as `wife/wives/f`, in which only the first part is required."""
    lemma, plural, gender = (*entry.split("/"), "", "")[:3]
    return Noun(lemma, plural or add_s(lemma), kind, gender)


NOUNS = tuple(read_noun(entry, kind) for kind, row in NOUNS_BY_KIND.items() for entry in row.split())
KINDS = tuple(NOUNS_BY_KIND)
