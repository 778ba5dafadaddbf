"""The program, as the tests of the command line call it."""

from tests.cli.conftest import program

__all__ = ["program"]
