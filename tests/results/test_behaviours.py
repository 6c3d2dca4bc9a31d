"""Roles and tags have one name and one threshold for the same behaviour."""

from __future__ import annotations

from dataclasses import fields

import pytest

from probing.analyses.head_distance import HeadDistanceAnalysis
from probing.analyses.roles import RolesAnalysis
from probing.config.choices import values_of
from probing.results.behaviours import LETTERS, ROLES, TAGS, THRESHOLDS


def test_every_role_and_every_tag_has_a_threshold() -> None:
    assert set(THRESHOLDS) == {*ROLES, *TAGS.values()}
    assert {tag for tag in TAGS if tag in ROLES} == {"previous_token", "first_token", "broad"}
    assert len(set(LETTERS.values())) == len(ROLES)


@pytest.mark.parametrize(
    ("analysis", "names"),
    [(RolesAnalysis, set(ROLES)), (HeadDistanceAnalysis, set(TAGS.values()))],
    ids=["roles", "head_distance"],
)
def test_the_keys_of_both_analyses_are_these_names_with_these_thresholds(
    analysis: type[RolesAnalysis] | type[HeadDistanceAnalysis], names: set[str]
) -> None:
    expected = {name: THRESHOLDS[name] for name in names}
    assert {each.name: each.default for each in fields(analysis) if each.name in THRESHOLDS} == expected
    written = values_of("analysis", analysis().name)
    assert {name: value for name, value in written.items() if name in THRESHOLDS} == expected
