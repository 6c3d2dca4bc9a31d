"""The verbs of each frame: `lemma/past: subjects > objects`.

Classes after `+` would make sense but are never generated. `*` marks a state. No verb has a past like its
base form, so that the tense is always visible.
"""

from __future__ import annotations

from probing.datasets.grammar.nouns import KINDS
from probing.datasets.grammar.vocabulary import Verb, add_ed

GROUPS = {
    "any": KINDS,
    "alive": ("human", "animal"),
    "goods": ("artifact", "clothing", "food", "text"),
    "concrete": ("human", "animal", "food", "artifact", "clothing", "vehicle", "place", "site", "text"),
    "told": ("idea", "event", "text"),
    "where": ("place", "site"),
}
FRAMES = {
    "intr": """
        laugh: human
        smile: human
        sing/sang: human + animal
        dance: human + animal
        work: human + artifact vehicle idea animal
        pray: human
        cry: human + animal
        complain: human
        argue: human
        wait: alive vehicle
        sleep/slept: alive
        run/ran: alive + vehicle site artifact
        swim/swam: alive
        jump: alive + vehicle
        rest: alive
        walk: alive
        die: alive + idea
        escape: alive
        yawn: alive
        sneeze: alive
        arrive: human vehicle + any
        stop: human vehicle event force + any
        return: alive vehicle + any
        fall/fell: alive artifact clothing food + any
        vanish: concrete + any
        disappear: concrete + any
        burn: goods vehicle place + any
        break/broke: artifact vehicle + text food clothing force human site
        crash: vehicle + human animal artifact food
        rot: food + clothing artifact animal place text
        spoil: food
        shrink/shrank: clothing + food animal place site force idea
        begin/began: event force + text human site
        end: event force + text site
        start: event force + any
        continue: event force + human site vehicle text
        fail: idea human + any
        matter: idea text event + any *
        change: idea place human + any
        improve: idea place human text + any
        rage: force + human event animal
        approach: force human vehicle animal + event
        flourish: place + human idea event animal food text site
    """,
    "tr": """
        eat/ate: alive > food + animal
        cook: human > food + animal
        peel: human > food
        fry: human > food + animal
        taste: alive > food *
        bake: human > food
        slice: human > food + artifact clothing
        carry: human > goods + alive vehicle force
        drop: human > goods + idea animal human
        buy/bought: human > goods vehicle animal + place site idea
        sell/sold: human > goods vehicle animal + place site idea
        steal/stole: human > goods vehicle animal + idea human
        hide/hid: human > goods animal + idea human vehicle
        find/found: human > goods animal + any
        lose/lost: human > goods + any
        wear/wore: human > clothing *
        iron: human > clothing
        sew: human > clothing
        wash: human > clothing vehicle + alive food artifact place
        write/wrote: human > text + idea
        publish: human > text + idea
        translate: human > text + idea
        copy: human > text + any
        recite: human > text + idea
        praise: human > text human idea + any
        drive/drove: human > vehicle + alive
        park: human > vehicle
        repair: human > vehicle artifact + clothing place site
        clean: human > artifact vehicle place + any
        visit: human > where human + event animal
        reach: human vehicle > where + any
        leave/left: alive vehicle > where + any
        enter: alive vehicle > place + site event
        cross: alive vehicle > site + place human animal
        see/saw: alive > concrete + any *
        watch: alive > alive vehicle event + any
        notice: alive > concrete + any *
        draw/drew: human > concrete + any
        describe: human > any
        remember: human > any *
        forget/forgot: human > any *
        mention: human > any
        love: human > any *
        hate: human > any *
        chase: alive > alive + vehicle
        follow: alive vehicle > alive vehicle + idea site text event
        bite/bit: animal > alive + food artifact clothing
        attack: alive > alive + any
        feed/fed: human > animal + human
        catch/caught: alive > animal + human vehicle artifact
        hunt: alive > animal + human
        release: human > animal + human text
        thank: human > human
        blame: human > human + any
        help: human > human + animal
        invite: human > human + idea
        greet: human > human + animal event
        hire: human > human + vehicle place animal
        arrest: human > human
        question: human > human + idea text event
        treat: human > alive
        injure: human animal vehicle force > alive
        train: human > alive
        dismiss: human > human + idea text
        discuss: human > told + any
        explain: human > idea + any
        reject: human > idea text + any
        accept: human > idea + any
        propose: human > idea event
        understand/understood: human > idea text human + any *
        organize: human > event + any
        attend: human > event + place
        cancel: human > event + idea
        enjoy: human > event text food + any
        interrupt: human force animal > event + human text idea
        damage: human force vehicle > artifact vehicle place + any
        destroy: human force > artifact vehicle place text + any
        ruin: human force event > clothing event food + any
        frighten: alive force event idea vehicle text > alive
        surprise: human force event idea text animal > alive
        wake/woke: human animal force event vehicle > alive
        disturb: human animal force event idea vehicle > alive + event
        smash: human force vehicle > artifact + vehicle food place
        collect: human > artifact text food + clothing vehicle animal human idea
    """,
    "dit": """
        give/gave: human > goods + any
        show/showed: human > goods vehicle animal where + any
        send/sent: human > goods + any
        lend/lent: human > artifact clothing text vehicle + animal food place
        sell/sold: human > goods vehicle animal + where idea
        offer: human > goods + any
        bring/brought: human > goods + any
        hand: human > goods
    """,
    "cop": """
        seem: any *
        look: concrete + any *
        become/became: any *
        remain: any *
        appear: any *
        stay: concrete + any *
    """,
    "that": """
        say/said: human *
        think/thought: human *
        believe: human *
        know/knew: human *
        claim: human *
        hope: human *
        admit: human *
        suspect: human *
        insist: human *
        learn: human *
        imagine: human *
        doubt: human *
    """,
    "to": """
        want: human *
        try: human *
        decide: human *
        plan: human *
        refuse: human *
        hope: human *
        need: human *
        promise: human *
        prefer: human *
        agree: human *
    """,
}


def read_kinds(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read `alive food + artifact` as the classes that are generated and those that would also make sense."""
    made, _, borne = text.partition("+")
    first = [kind for name in made.split() for kind in GROUPS.get(name, (name,))]
    second = [kind for name in borne.split() for kind in GROUPS.get(name, (name,))]
    return tuple(dict.fromkeys(first)), tuple(dict.fromkeys(second))


def read_verb(line: str, frame: str) -> Verb:
    """Read one line of `FRAMES`."""
    head, _, arguments = line.partition(":")
    lemma, _, past = head.partition("/")
    subject, _, obj = arguments.rstrip("* ").partition(">")
    subjects, bears_subjects = read_kinds(subject)
    objects, bears_objects = read_kinds(obj)
    bears = (bears_subjects, bears_objects)
    return Verb(lemma, past or add_ed(lemma), frame, subjects, objects, bears, line.endswith("*"))


VERBS = tuple(
    read_verb(line.strip(), frame) for frame, rows in FRAMES.items() for line in rows.strip().splitlines()
)
