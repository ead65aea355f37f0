"""Networks, their training, their baselines, and how good they are."""
