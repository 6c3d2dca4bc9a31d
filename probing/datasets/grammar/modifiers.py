"""Adjectives, adverbs, prepositions and function words."""

from __future__ import annotations

from probing.datasets.grammar.verbs import read_kinds
from probing.datasets.grammar.vocabulary import Adjective, Preposition

# Ranks: opinion, size, age, colour or state.
ADJECTIVES_BY_KINDS = {
    "alive": "brave:0 hungry:0 tired:0 nervous:0 quiet:0 gentle:0 clever:0",
    "human": "tall:1 polite:0 famous:0 rich:0 wise:0 proud:0 young:2 honest:0 lazy:0 cheerful:0",
    "human place event": "strange:0",
    "animal": "small:1 large:1 wild:0",
    "food": "fresh:0 delicious:0 ripe:0 sweet:0 large:1 small:1",
    "artifact clothing vehicle text": "expensive:0 cheap:0 new:2 useful:0",
    "artifact clothing vehicle": "red:3 green:3 yellow:3 dirty:3",
    "human artifact clothing vehicle place animal text": "old:2",
    "clothing place animal text": "beautiful:0",
    "artifact": "heavy:1 broken:3",
    "clothing": "warm:0 elegant:0",
    "vehicle": "fast:0 noisy:0",
    "place": "large:1 crowded:0 empty:0 ancient:2 modern:2 peaceful:0",
    "site": "wide:1 dangerous:0 distant:1 famous:0 narrow:1 quiet:0",
    "text": "long:1 boring:0 famous:0 sad:0",
    "idea": "clever:0 simple:0 serious:0 new:2 foolish:0 important:0",
    "event": "long:1 short:1 noisy:0 wonderful:0 boring:0 important:0 lively:0",
    "force": "terrible:0 violent:0 dangerous:0 sudden:0",
}
ADJECTIVES = tuple(
    Adjective(entry.split(":")[0], read_kinds(kinds)[0], int(entry.split(":")[1]))
    for kinds, row in ADJECTIVES_BY_KINDS.items()
    for entry in row.split()
)

# Lines with the same preposition differ in what it attaches to.
PREPOSITIONS = tuple(
    Preposition(word, read_kinds(heads)[0], *read_kinds(objects))
    for word, heads, objects in (
        (
            "in",
            "alive vehicle artifact event place food clothing verb",
            "place + vehicle event clothing site force",
        ),
        ("near", "alive vehicle artifact place site force verb", "where + concrete force"),
        ("behind", "alive vehicle artifact place verb", "place vehicle + concrete force"),
        ("beside", "alive vehicle artifact place verb", "where + concrete force"),
        ("on", "alive vehicle verb", "site + vehicle artifact place"),
        ("from", "alive food artifact clothing text force", "where + concrete"),
        ("with", "human", "clothing + alive artifact food text vehicle idea"),
        ("without", "human", "clothing + artifact food text vehicle"),
        ("of", "artifact clothing place text idea event", "human + animal where"),
        ("about", "text idea", "alive event force where + any"),
        ("during", "verb", "event force"),
        ("after", "verb event", "event force"),
        ("before", "verb event", "event force"),
    )
)


def listed(rows: dict[str, str]) -> dict[str, list[str]]:
    """Return the words of each row; a word that is listed twice is drawn twice as often."""
    return {name: row.split() for name, row in rows.items()}


ADVERBS = listed(
    {
        "manner": "quietly slowly carefully quickly calmly eagerly patiently politely gladly",
        "event": "suddenly slowly quickly unexpectedly",
        "state": "secretly openly deeply clearly",
        "often": "often always never sometimes rarely usually still finally",
        "opening": "fortunately suddenly perhaps sometimes meanwhile surprisingly eventually often",
        "degree": "very quite rather extremely",
    }
)
DETERMINERS = listed(
    {
        "NN": "the the the the the the a a a a his her our this that every",
        "NNS": "the the the the the the his their some many several these those two",
    }
)
LINKERS = listed(
    {
        "IN.adv": "when because after before while although",
        "CC": "and",
        "CC.S": "and but so",
        "CC.open": "and but yet",
    }
)
PRONOUNS = {"m": ("he", "him"), "f": ("she", "her"), "n": ("it", "it"), "pl": ("they", "them")}
