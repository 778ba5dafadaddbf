"""The program, as the tests of the command line call it."""

from tests.cli.conftest import backend, program

__all__ = ["backend", "program"]
