"""The thread count is chosen on the work itself, by tokens per second."""

from __future__ import annotations

import torch

from probing.representations.threads import ROUNDS, ThreadChoice, thread_candidates, torch_threads


def test_the_fastest_count_is_kept_whatever_the_batches_weigh() -> None:
    choice = ThreadChoice((4, 2, 1))
    rates = {4: 100.0, 2: 300.0, 1: 200.0}
    used = []
    for batch in range(30):
        tokens = 512 - batch
        used.append(choice.count)
        # the first batch is slow whoever runs it
        choice.note(tokens, 50.0 if batch == 0 else tokens / rates[choice.count])
    assert sorted(used[1 : 1 + 3 * ROUNDS]) == sorted([4, 2, 1] * ROUNDS)
    assert set(used[1 + 3 * ROUNDS :]) == {2}


def test_a_count_that_was_asked_for_is_taken() -> None:
    choice = ThreadChoice((3,))
    choice.note(10, 1.0)
    assert choice.count == 3


def test_threads_are_restored_also_after_an_error() -> None:
    before = torch.get_num_threads()
    try:
        with torch_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ValueError
    except ValueError:
        pass
    assert torch.get_num_threads() == before


def test_one_thread_is_always_a_candidate() -> None:
    assert thread_candidates()[-1] == 1
    assert len(set(thread_candidates())) == len(thread_candidates())
