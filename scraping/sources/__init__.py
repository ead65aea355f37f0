"""Pages and data that do not come from a crawl."""
