"""The vectors of every head on examples of a task, projected to planes that can be drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.probes.contract import Fit
from probing.results.units import metric_name
from probing.runs.pipeline import Run
from probing.statistics.scores import majority, test_scores
from probing.tasks.problem import Problem, make_problem
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit

MOST = 400
"""Maximum number of examples that are drawn; more points hide each other."""
COLOURED = 7
"""Maximum number of classes with colours of their own."""
Plane = NDArray[np.float32]
"""Coordinates of the drawn examples, (n, 2)."""


@dataclass(frozen=True)
class Axes:
    """Two directions in the space of a head's vectors.

    Attributes:
        points: float32 (n, 2), coordinates of the drawn examples.
        names: Name of each axis.
        boundary: Whether the probe decides at 0 on the first axis.
    """

    points: Plane
    names: tuple[str, str]
    boundary: bool = False


@dataclass(frozen=True)
class HeadView:
    """One head's vectors.

    Attributes:
        pca: The plane of largest variance of the training examples.
        probe: The plane in which the probe distinguishes the classes; None if the probe is not linear.
        score: Test score of the probe.
    """

    pca: Axes
    probe: Axes | None
    score: float


@dataclass(frozen=True)
class Semantic:
    """Examples of a task in the vectors of every head.

    Attributes:
        task: Name of the task.
        how: Probe and pooling in words.
        metric: Name of the metric of `HeadView.score`.
        majority: Score of guessing.
        units: The drawn examples: one unit, or two of a pair.
        labels: Label of each, as text.
        classes: Labels with colours of their own, the most frequent ones; empty for graded examples.
        grades: Scores of graded examples, float64 (n,); None for classes.
        held_out: Whether the probes were fitted without the drawn examples.
        heads: View of each (layer, head).
    """

    task: str
    how: str
    metric: str
    majority: float
    units: tuple[tuple[Unit, ...], ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    grades: NDArray[np.float64] | None
    held_out: bool
    heads: Mapping[tuple[int, int], HeadView]


def semantic(run: Run) -> Semantic:
    """Return the examples of a run's task in the vectors of its heads, which are read from the cache.

    Directions are fitted on train and the examples that are drawn are those of test, at most `MOST`, drawn by
    class with the seed of the run.

    Raises:
        ProbingError: If the task cannot be probed.
    """
    context = run.context()
    reading, probe = context.reading, context.methods.probe
    problem = make_problem(reading.task, context.seed)
    rows = shown_rows(problem, context.seed)
    base = problem.train if len(problem.train) else problem.test
    heads: dict[tuple[int, int], HeadView] = {}
    for layer in reading.representations.layers:
        for group in reading.head_groups(layer):
            vectors = reading.vectors(layer, probe.features, group)
            try:
                fit = probe.fit(vectors, problem)
            except ProbingError as error:
                raise ProbingError(f"layer {layer}: {error}") from error
            scores = test_scores(problem, fit.predictions)[problem.metric]
            for place, head in enumerate(group):
                points = vectors[place].double().cpu().numpy()
                heads[layer, head] = HeadView(
                    principal(points[base], points[rows]),
                    discriminant(points[base], points[rows], fit, place, problem),
                    float(scores[place]),
                )
    names, target = run.spec.names, reading.task.target
    labels = tuple(label or "(none)" for label in target.take(rows).shown())
    graded = target.values[rows] if isinstance(target, Scores) else None
    return Semantic(
        task=str(names["task"]),
        how=f"probe {names['probe']}, pooling {names['pooling']}",
        metric=metric_name(problem.metric),
        majority=majority(problem),
        units=tuple(_units(reading.task, row) for row in rows.tolist()),
        labels=labels,
        classes=() if graded is not None else _classes(labels),
        grades=graded,
        held_out=problem.selection != "nested",
        heads=heads,
    )


def shown_rows(problem: Problem, seed: int, most: int = MOST) -> NDArray[np.int64]:
    """Return test rows, ascending; if there are too many, a seeded draw in which strata keep their shares."""
    if len(problem.test) <= most:
        return np.sort(problem.test)
    mixed = np.random.default_rng(seed).permutation(problem.test)
    strata = problem.target.take(mixed).strata
    # the k-th example of a class of n is at (k + 1/2) / n, so that every start of the order is balanced
    position = np.empty(len(mixed))
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)
        position[own] = (np.arange(len(own)) + 0.5) / len(own)
    return np.sort(mixed[np.argsort(position, kind="stable")[:most]])


def principal(base: NDArray[np.float64], points: NDArray[np.float64]) -> Axes:
    """Project points to the two directions of largest variance of other points.

    Args:
        base: float64 (n, dim), the points that determine the directions.
        points: float64 (m, dim), the points to project.
    """
    centre = base.mean(0)
    _, sizes, directions = np.linalg.svd(base - centre, full_matrices=False)
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-300)
    axes = _two(directions)
    names = [f"component {k + 1} ({100 * share:.0f} % of variance)" for k, share in enumerate(shares[:2])]
    return Axes(_onto(points - centre, axes), (names[0], (*names, "no second component")[1]))


def discriminant(
    base: NDArray[np.float64], points: NDArray[np.float64], fit: Fit, place: int, problem: Problem
) -> Axes | None:
    """Project points to the directions that a linear probe reads.

    For two classes, the first axis is the probe's output, the log odds of the second class for a logistic
    probe, and the second is the direction of largest variance that the probe does not read. For more classes,
    the axes are the principal components of the probe's outputs, so that features count as the probe weighs
    them.

    Args:
        base: float64 (n, dim), the points that determine the direction of largest variance.
        points: float64 (m, dim), the points to project.
        fit: Probes of several heads.
        place: Place of the head among them.
        problem: The problem that the probe was fitted to.

    Returns:
        The projection; None if the probe is not linear, or reads nothing.
    """
    weights, bias = fit.weights[place].astype(np.float64), fit.bias[place].astype(np.float64)
    used = np.isfinite(bias)  # a class without training examples has bias minus infinity
    weights, bias = weights[used], bias[used]
    if weights.shape[0] == 0 or weights.shape[1] != points.shape[1] or not weights.any():
        return None
    if len(weights) > 2:
        outputs = weights - weights.mean(0)  # the softmax does not see what all outputs share
        plane = principal(base @ outputs.T, points @ outputs.T)
        names = [name.replace("component", "outputs of the probe, component") for name in plane.names]
        return Axes(plane.points, (names[0], names[1]))
    signs = np.array([1.0] if len(weights) == 1 else [-1.0, 1.0])
    line, offset = signs @ weights, float(signs @ bias)
    if not line.any():
        return None
    centre = base.mean(0)
    across = points @ line + offset
    up = (points - centre) @ _unread(base - centre, line)
    name = "output of the probe"
    if isinstance(problem.target, Classes) and len(used) == len(problem.target.names):
        name += f" for {problem.target.names[np.flatnonzero(used)[-1]]}"
    axes = np.stack([across, up], 1).astype(np.float32)
    return Axes(axes, (name, "largest variance besides"), boundary=len(weights) == 2)


def _unread(centred: NDArray[np.float64], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction of largest variance that is orthogonal to what the probe reads, (dim,)."""
    unit = line / np.linalg.norm(line)
    _, _, directions = np.linalg.svd(centred - np.outer(centred @ unit, unit), full_matrices=False)
    direction: NDArray[np.float64] = _two(directions)[0]
    return direction


def _two(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two directions (2, dim), each with its largest entry positive; 0 if there is none."""
    two = np.zeros((2, directions.shape[1]))
    two[: len(directions[:2])] = directions[:2]
    largest = np.abs(two).argmax(1)
    signs = np.sign(two[np.arange(2), largest])
    return two * np.where(signs == 0, 1, signs)[:, None]


def _onto(points: NDArray[np.float64], axes: NDArray[np.float64]) -> Plane:
    return (points @ axes.T).astype(np.float32)


def _units(task: Task, row: int) -> tuple[Unit, ...]:
    return (task.units[row], *(() if task.partners is None else (task.partners[row],)))


def _classes(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the most frequent labels, which get colours of their own, in alphabetical order."""
    counts = Counter(labels)
    return tuple(sorted(sorted(counts, key=lambda label: (-counts[label], label))[:COLOURED]))
