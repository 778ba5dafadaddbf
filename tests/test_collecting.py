"""What exists before a long computation is left alone by the collector, and only as long."""

import gc

import pytest

from ar_bridge.collecting import all_of_it_stays


def test_what_is_there_is_left_alone_until_the_end() -> None:
    with all_of_it_stays():
        assert gc.get_freeze_count() > 0
        with all_of_it_stays():
            pass
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_an_error_ends_it_too() -> None:
    with pytest.raises(KeyError), all_of_it_stays():
        raise KeyError("x")
    assert gc.get_freeze_count() == 0
