"""Translation to and from accounting systems.

Imports `rules.model` and `rules.actions.effects` only, never a decision.
"""

from typing import Final

# The import name `connectors` exists elsewhere; the start-up guard looks for this mark.
__ar_bridge__: Final = "connectors"
