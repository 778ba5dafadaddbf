"""Intents and the few effects they compile to."""
