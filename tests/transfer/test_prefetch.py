"""Items made ahead: the right ones, in any order, while the caller is at work."""

import threading

import pytest

from course_lib.transfer.prefetch import Ahead


def test_every_item_is_the_one_asked_for():
    squares = Ahead(lambda n: n**2, 5)
    assert [squares[n] for n in range(len(squares))] == [0, 1, 4, 9, 16]
    assert [squares[n] for n in (0, 1, 0, 4, 2, 2, 3)] == [0, 1, 0, 16, 4, 4, 9]


def test_the_next_item_is_made_while_the_caller_works():
    made = [threading.Event() for _ in range(3)]
    items = Ahead(lambda n: made[n].set(), 3)
    for number in range(2):
        items[number]
        assert made[number + 1].wait(60)


def test_no_more_than_one_item_is_made_ahead():
    made = []
    items = Ahead(lambda n: made.append(n), 9)
    for number in (0, 1, 2):
        items[number]
    items._worker.shutdown()
    assert made == [0, 1, 2, 3]


def test_what_goes_wrong_is_raised_where_the_item_is_wanted():
    def make(number):
        if number == 1:
            raise ValueError("of item 1")
        return number

    items = Ahead(make, 3)
    assert items[0] == 0
    with pytest.raises(ValueError, match="of item 1"):
        items[1]
    assert items[2] == 2


def test_its_thread_ends_with_it():
    def threads():
        return {each for each in threading.enumerate() if each.name.startswith("course-prefetch")}

    before = threads()
    items = Ahead(lambda n: n, 2)
    items[0]
    [own] = threads() - before
    del items
    own.join(60)
    assert not own.is_alive()
