"""The core: the receivables book, the policy, the decisions.

Pure: no I/O, no clock, no randomness.
"""

from typing import Final

# The import name `rules` exists elsewhere; the start-up guard looks for this mark.
__ar_bridge__: Final = "rules"
