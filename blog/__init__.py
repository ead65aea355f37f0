"""From recorded results to a static site: rendering, figures, theme and build."""
