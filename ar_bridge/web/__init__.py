"""What ar-bridge answers over HTTP."""
