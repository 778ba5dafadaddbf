"""ar-bridge: credit control as code, on top of the books a business already keeps."""

from typing import Final

__version__: Final = "0.1.0"
__ar_bridge__: Final = "ar_bridge"
