"""Typed rows, what they hold, and the forms in which others may use them."""
