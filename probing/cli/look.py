"""`probing look`: one page of what a head attends to, and of the vectors it gives a task's examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from probing.cli.destination import Target, target
from probing.cli.run import OPTIONS, Overrides, given_overrides, is_option, with_model
from probing.config.overrides import root_of
from probing.errors import ProbingError
from probing.io.log import log_to_terminal
from probing.io.streams import output
from probing.validation.arguments import checked
from probing.validation.suggestions import suggest

if TYPE_CHECKING:
    from probing.looking.gather import Asked
    from probing.looking.map_readers import MapReader
    from probing.looking.outcome import Look

USAGE = """\
probing look [layer=0 head=0] [text="..."] [second="..."] [task.path=file.conllu sentence=0] [task=...]
             [view=VIEW] [out=look.html] [overwrite=false] [key=value ...]

Looks at what every head attends to in a text. It reads all attention of the model once and writes one page
that opens in any browser, without a network. The page starts with the given head; arrow keys move to others.
With view=, or an out= that ends in .png, .svg or .pdf, it draws one picture instead: out.png, .svg, .pdf, and
out.csv, the table behind it.

  layer=4 head=10       head to start with, from 0
  text="..."            text to read; give several text= for several texts
  second="..."          second text of the text= before it, which the model reads in the same input
  stack=cross           read the encoder, the decoder or the cross-attention of an encoder-decoder model
  task.path=FILE        treebank; sentence=3 reads its sentence 3, from 0, and sentence=3,5 two of them
  task=grammar/tense    examples of a task in the vectors of the head; without text=, reads the first of them
  unit=tokens           attention between tokens; between words, the columns of a word's tokens are summed
                        and their rows averaged
  special=false         leave out tokens that the tokenizer adds, such as [CLS]
  scale=own             end the colours of each head at its own largest weight, instead of one scale for all
  direction=governor    find dependencies as the governor attends, instead of the dependent
  out=PATH              file to write; without it, a free name is used (look.html, look-2.html)
  overwrite=true        replace existing files of that name
  key=value             an option of a run, such as model=, extract., probe=, pooling= or paths.root=

Views
  lines      attention of the head as lines between words
  matrix     attention of the head as a matrix
  layer      all heads of the layer
  model      all heads of the model
  arcs       dependencies of a treebank's sentence, and what the head finds of them
  semantic   examples of the task in the vectors of the head: principal components, and what the probe reads

Examples
  probing look layer=4 head=10 text="The farmers near the river sold a horse."
  probing look text="It rains." second="The sun is out." model=smollm2
  probing look layer=3 head=5 task.path=UD_English-EWT sentence=12
  probing look layer=4 head=10 task=grammar/tense
  probing look layer=4 head=10 text="The dog saw a cat." view=matrix out=matrix.png
"""
WORDS = ("layer", "head", "view", "weights", "unit", "special", "scale", "direction")
"""Words that choose a picture, the fields of `probing.looking.scene.Scene` that can be typed."""
KEYS = (*WORDS, "text", "second", "sentence", "stack", "out", "overwrite")
"""Words of the command that are not options of a run."""
VALUES = {
    "view": ("lines", "matrix", "layer", "model", "arcs", "semantic"),
    "stack": ("encoder", "decoder", "cross"),
    "unit": ("words", "tokens"),
    "special": ("true", "false"),
    "scale": ("shared", "own"),
    "direction": ("dependent", "governor"),
    "overwrite": ("true", "false"),
}
"""Values of the words that take one of a few, for completion."""
_ARGUMENTS = ("text", "second", "sentence", "stack", "maps", "model", "tokenizer")
_SEVERAL = ("text", "second", "sentence")
_FILES = ("out", "overwrite")
_PICTURES = (".png", ".svg", ".pdf", ".csv")


@checked()
def look(
    text: str | Sequence[str] = (),
    overrides: Overrides = (),
    *,
    second: str | Sequence[str | None] = (),
    sentence: int | Sequence[int] = (),
    maps: Mapping[str, object] | None = None,
    model: object = None,
    tokenizer: object = None,
    **options: object,
) -> Look:
    """Look at what every head attends to in some texts, and at the vectors of a task's examples.

    The result is shown as a page in a notebook. `write` writes the page, and `draw` draws one picture.

    Args:
        text: A text, or several.
        overrides: Options of a run, as in `probing.run`.
        second: The second text of a pair, or one for each text, None where there is none.
        sentence: Place of a sentence in the treebank that `task={"path": ...}` names, from 0, or several.
        maps: Functions that return other weights than attention, by their name. Each takes the model, with
            eager attention, and the inputs of one text, and returns a tensor (heads, queries, keys) for each
            layer. The page offers all of them.
        model: A model in memory, or the option `model`, as in `probing.run`.
        tokenizer: Tokenizer of the model in memory.
        **options: The picture to start with, `layer`, `head`, `view` and the other words of the command,
            such as `stack="cross"`; and options of a run by name, such as `task="grammar/tense"`.

    Returns:
        The texts as the model reads them, with all attention: `look.reads[0].maps["attention"].layers[4]` is
        float32 (heads, tokens, tokens).

    Raises:
        ProbingError: If there is nothing to read, or a choice does not exist.

    Example:
        >>> import probing
        >>> looked = probing.look("The dog saw a cat.", layer=4, head=10)  # doctest: +SKIP
        >>> looked.write("look.html")  # doctest: +SKIP
        >>> looked.draw("matrix", "matrix").files.png  # doctest: +SKIP
        PosixPath('matrix.png')
    """
    from probing.looking.gather import Asked, gather
    from probing.looking.sides import stack_of

    stack = stack_of(options.pop("stack", ""))
    scene = {name: value for name, value in options.items() if name in WORDS}
    others = {name: value for name, value in options.items() if name not in WORDS}
    for name in others:
        if root_of(name) not in (*OPTIONS, "hydra"):
            raise ProbingError(f"look has no {name}=; {suggest(name, [*WORDS, *_ARGUMENTS, *OPTIONS])}")
    given = given_overrides(overrides, others, model, "look")
    texts = (text,) if isinstance(text, str) else tuple(text)
    seconds = (second,) if isinstance(second, str) else tuple(second)
    sentences = (sentence,) if isinstance(sentence, int) else tuple(sentence)
    readers: dict[str, MapReader] = dict(maps or {})  # type: ignore[arg-type]
    with log_to_terminal():
        found = with_model(given, model, tokenizer, "look")
        words = tuple(found) if is_option(model) and not maps else None
        return gather(Asked(texts, seconds, sentences, scene, words, stack), found, readers)


def command(words: Sequence[str]) -> None:
    """Run `probing look`: write the page or the picture, and print the paths.

    Raises:
        ProbingError: If a word is not understood, there is nothing to read, or a file exists with other
            content.
    """
    if not words:
        output().write(USAGE)
        return
    from probing.looking.gather import gather

    own, overrides = divided(words)
    asked, out, picture = asked_of(own, overrides)
    with log_to_terminal():
        looked = gather(asked, overrides)
        if picture:
            files = out.write(lambda path: tuple(looked.draw(path=path).files or ()))
        else:
            files = out.write(lambda path: (looked.write(path.with_name(f"{path.name}.html")),))
    for path in files:
        output().write(f"{path}\n")


def divided(words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the words of this command as names and values, and the options of a run."""
    own: list[tuple[str, str]] = []
    overrides: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if name in KEYS:
            if not (equals and value):
                raise ProbingError(f"look: {name}= is empty; see probing look --help")
            own.append((name, value))
        elif root_of(word) in (*OPTIONS, "hydra"):
            overrides.append(word)
        else:
            hint = 'quote a text, text="..."' if not equals else suggest(name, [*KEYS, *OPTIONS])
            raise ProbingError(f"look: cannot use {word!r}; {hint}")
    return own, overrides


def asked_of(own: Sequence[tuple[str, str]], overrides: Sequence[str]) -> tuple[Asked, Target, bool]:
    """Return the choices of the look, the files to write, and whether they are a picture."""
    from probing.looking.gather import Asked
    from probing.looking.scene import scene_values, whole_number
    from probing.looking.sides import stack_of

    pairs = _pairs(own)
    single: dict[str, str] = {}
    for name, value in own:
        if name in single and name not in _SEVERAL:
            raise ProbingError(f"look: {name}= is given twice; give it once")
        single[name] = value
    places = {name: value for name, value in single.items() if name in _FILES}
    _, out = target(places, "look")
    picture = out.path.suffix in _PICTURES or ("view" in single and out.path.suffix != ".html")
    endings = (*_PICTURES, ".html")
    named = out.path.with_suffix("") if out.path.suffix in endings else out.path
    numbers = [number for name, value in own if name == "sentence" for number in value.split(",")]
    asked = Asked(
        texts=tuple(text for text, _ in pairs),
        seconds=tuple(second for _, second in pairs),
        sentences=tuple(whole_number("sentence", number) for number in numbers),
        scene=scene_values({name: value for name, value in single.items() if name in WORDS}),
        words=tuple(overrides),
        stack=stack_of(single.get("stack", "")),
    )
    return asked, Target(named, out.chosen, out.overwrite), picture


def _pairs(own: Sequence[tuple[str, str]]) -> list[tuple[str, str | None]]:
    """Return each text with the second text that follows it."""
    pairs: list[tuple[str, str | None]] = []
    for name, value in own:
        if name == "text":
            pairs.append((value, None))
        elif name == "second":
            if not pairs or pairs[-1][1] is not None:
                raise ProbingError("look: second= has no text= before it; give text=... second=...")
            pairs[-1] = (pairs[-1][0], value)
    return pairs
