"""Questions of many threads answered in one call; one that fails, fails alone; a call waits for its turn."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from diarization import gathering
from diarization.gathering import Gathering

pytestmark = pytest.mark.unit

FOREVER_S = 3600.0


class Doubling:
    """Doubles numbers, notes what each call was asked, fails on a negative one."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.running = 0

    def __call__(self, asked: list[int]) -> list[int]:
        self.running += 1
        assert self.running == 1, "two calls at once"
        self.calls.append(asked)
        self.running -= 1
        if min(asked) < 0:
            raise ValueError(str(min(asked)))
        return [2 * one for one in asked]


def test_questions_of_many_threads_share_a_call() -> None:
    double = Doubling()
    together: Gathering[int, int] = Gathering(double, most=4, wait_s=FOREVER_S)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(together.ask, range(8))) == [2 * n for n in range(8)]
    assert sorted(map(len, double.calls)) == [4, 4]
    assert sorted(one for call in double.calls for one in call) == list(range(8))


def test_one_that_is_alone_is_answered_after_the_wait() -> None:
    assert Gathering(Doubling(), most=4, wait_s=0.001).ask(3) == 6


def test_a_question_that_fails_fails_alone() -> None:
    double = Doubling()
    together: Gathering[int, int] = Gathering(double, most=3, wait_s=FOREVER_S)
    with ThreadPoolExecutor(3) as threads:
        good, bad, other = (threads.submit(together.ask, number) for number in (1, -2, 3))
        assert (good.result(), other.result()) == (2, 6)
        with pytest.raises(ValueError, match="-2"):
            bad.result()
    assert sorted(map(len, double.calls)) == [1, 1, 1, 3]


def test_an_answer_too_few_is_no_answer_for_anybody() -> None:
    together: Gathering[int, int] = Gathering(lambda asked: [1, 2, 3], most=1)
    with pytest.raises(ValueError, match="zip"):
        together.ask(1)


def test_a_call_begins_when_it_is_its_turn() -> None:
    double, turn = Doubling(), threading.Event()
    together: Gathering[int, int] = Gathering(double, most=1, turn=turn)
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as threads:
        patch.setattr(gathering, "_PATIENCE_S", FOREVER_S)
        asked = threads.submit(together.ask, 1)
        assert not asked.done()
        assert double.calls == []
        turn.set()
        assert asked.result() == 2


def test_a_turn_that_never_comes_is_not_waited_for_without_end() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "_PATIENCE_S", 0.001)
        assert Gathering(Doubling(), most=1, turn=threading.Event()).ask(1) == 2
