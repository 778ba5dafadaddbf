"""Copies of our own records: made while everything runs, checked, and put back."""
