"""What a page says: elements, selectors, values, tables, embedded data."""
