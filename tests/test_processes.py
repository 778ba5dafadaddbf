"""Which process lives."""

import subprocess
import sys

from ar_bridge.processes import is_gone, own_process


def test_this_process_lives() -> None:
    assert not is_gone(own_process())


def test_one_that_ended_is_gone() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from ar_bridge.processes import own_process as o; print(o())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert is_gone(ended.stdout.strip())


def test_a_number_that_came_again_is_another_process() -> None:
    machine, number, _ = own_process().rsplit("/", 2)
    assert is_gone(f"{machine}/{number}/1")


def test_of_another_machine_nobody_can_tell() -> None:
    _, number, began = own_process().rsplit("/", 2)
    assert not is_gone(f"elsewhere/{number}/{began}")
    assert not is_gone("")
