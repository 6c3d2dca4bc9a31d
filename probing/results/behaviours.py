"""The behaviours of heads: one name and one threshold for each, for roles and for tags."""

from __future__ import annotations

THRESHOLDS = {
    "positional": 0.9,
    "previous_token": 0.5,
    "next_token": 0.5,
    "duplicate_token": 0.4,
    "induction": 0.4,
    "first_token": 0.6,
    "delimiter": 0.6,
    "broad": 0.78,
    "rare_token": 0.5,
    "syntactic": 0.1,
}
"""The score from which on a head has a behaviour, unless a key of an analysis says otherwise.

Clark et al. (2019) give those of the tokens before and after, of the first token and of delimiters. They also
give 3.8 nats for 128 tokens, which is 0.78 of the entropy of uniform attention. Voita et al. (2019) give
`positional`, `rare_token` and `syntactic`. The two of repeated tokens are ours.
"""
LETTERS = {
    "positional": "P",
    "previous_token": "L",
    "duplicate_token": "D",
    "induction": "I",
    "first_token": "F",
    "delimiter": "M",
    "broad": "B",
    "rare_token": "R",
    "syntactic": "S",
}
"""The roles of `analysis=roles`, in the order in which a head names them, each with its letter on a map."""
ROLES = tuple(LETTERS)
TAGS = {
    "next_token": "next_token",
    "previous_token": "previous_token",
    "broad": "broad",
    "first_token": "first_token",
    "separator": "delimiter",
    "punctuation": "delimiter",
}
"""The tags of `analysis=head_distance`, each with the name of its threshold.

A later tag replaces an earlier one, as in the code of Clark et al. Their rules keep the two kinds of
delimiter apart.
"""
