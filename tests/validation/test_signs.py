"""Signs of punctuation are signs: a word such as null is refused in one line, from both sides."""

from __future__ import annotations

import pytest

from probing.analyses.roles import RolesAnalysis
from probing.analyses.surface import SurfaceAnalysis
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.errors import ProbingError


@pytest.mark.parametrize("analysis", ["surface", "roles"])
@pytest.mark.parametrize("given", ["null", "a", "'. ,'", "0"])
def test_words_are_no_punctuation(analysis: str, given: str) -> None:
    with pytest.raises(ProbingError, match=r"analysis\.punctuation is '.*'; give signs only, such as"):
        build_config(plain_values(compose_config([f"analysis={analysis}", f"analysis.punctuation={given}"])))


def test_signs_of_all_scripts_and_none_are_punctuation() -> None:
    for signs in (".,", "", "。、؟", "«»…—"):
        assert SurfaceAnalysis(punctuation=signs).punctuation == signs
        assert RolesAnalysis(punctuation=signs).statistic.punctuation == signs
