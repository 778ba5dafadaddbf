"""Pictures and files for people."""
