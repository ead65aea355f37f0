"""What one page offers, before any code is written."""
