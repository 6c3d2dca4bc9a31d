"""Pairs of events of which the first makes the second possible: food that was cooked can be eaten."""

from __future__ import annotations

from dataclasses import dataclass

from probing.datasets.grammar.verbs import VERBS, read_kinds
from probing.datasets.grammar.vocabulary import Verb

# An action on a thing, and later actions on it (first list) or by it (second list).
OBJECT_SCRIPTS = """
    cook: eat taste slice sell > food
    bake: eat taste slice sell > food
    peel: fry cook slice eat > food
    fry: eat taste sell > food
    steal: hide sell lose > artifact clothing text
    hide: find lose > artifact clothing text
    lose: find > artifact clothing text animal
    drop: collect smash find > artifact
    damage: repair > artifact vehicle
    sew: wear wash iron buy sell > clothing
    buy: wear wash iron > clothing
    buy: drive repair wash park > vehicle
    repair: drive sell > vehicle
    steal: find drive sell > vehicle
    write: publish translate praise copy recite > text
    publish: translate praise reject > text
    catch: release feed sell > animal
    chase: catch attack > animal
    hunt: catch > animal
    injure: treat help > human animal
    propose: reject accept discuss explain > idea
    explain: understand accept praise > idea
    organize: attend enjoy cancel > event
    propose: organize cancel discuss > event
    hire: train dismiss praise > human
    arrest: question dismiss > human
    invite: greet thank > human
    attack: chase arrest > human
    blame: arrest question > human
    frighten: help treat > human animal
"""
SUBJECT_SCRIPTS = """
    frighten: escape cry > human
    frighten: escape run jump > animal
    chase: escape run > human animal
    invite: arrive dance sing > human
    wake: yawn complain rest > human
    blame: cry complain argue > human
    dismiss: cry complain > human
    injure: die cry complain > human
    attack: escape die run > animal
    release: escape run return > animal
    drop: break > artifact
    damage: stop crash burn > vehicle
    surprise: laugh smile jump > human
    praise: smile dance > human
    train: improve > human
    interrupt: stop continue > event
    organize: begin start > event
    propose: fail change > idea
    greet: smile > human
"""


@dataclass(frozen=True, slots=True)
class Script:
    """An event, an event that may follow it, and the kind of thing that takes part in both."""

    cause: Verb
    effect: Verb
    kind: str


def read_scripts(rows: str, frame: str) -> tuple[Script, ...]:
    """Read lines `cause: effect effect > kinds`; `frame` is the frame of the effects."""
    found = {(verb.lemma, verb.frame): verb for verb in VERBS}
    scripts = []
    for row in rows.strip().splitlines():
        cause, _, rest = row.strip().partition(":")
        effects, _, kinds = rest.partition(">")
        scripts += [
            Script(found[cause, "tr"], found[effect, frame], kind)
            for kind in read_kinds(kinds)[0]
            for effect in effects.split()
        ]
    return tuple(scripts)


DONE_TO = read_scripts(OBJECT_SCRIPTS, "tr")
DONE_BY = read_scripts(SUBJECT_SCRIPTS, "intr")
