"""`python -m connectors.conformance MODULE:FUNCTION` prints the checklist of a connector.

The function takes nothing and returns a new `Subject` on a clean ledger at every call.
"""

import sys
from importlib import import_module

from connectors.conformance.grade import grade

USAGE = "usage: python -m connectors.conformance MODULE:FUNCTION (it returns a new Subject)"


def main(arguments: list[str]) -> int:
    """0 where everything claimed holds, 1 where something fails, 2 for a wrong call."""
    place, _, name = arguments[0].partition(":") if len(arguments) == 1 else ("", "", "")
    if not name:
        print(USAGE, file=sys.stderr)
        return 2
    sys.path.insert(0, "")
    try:
        make_subject = getattr(import_module(place), name)
    except (ImportError, AttributeError) as error:
        print(f"{arguments[0]} cannot be loaded: {error}\n{USAGE}", file=sys.stderr)
        return 2
    result = grade(make_subject)
    for line in result.lines():
        print(line)
    return 0 if result.passes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
