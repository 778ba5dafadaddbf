"""Handing invoices to a collector or a lawyer: the person's order, the bundle, what follows it."""
