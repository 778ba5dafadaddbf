"""What the books tell about how customers pay, and what a policy would have done."""
