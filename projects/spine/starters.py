"""What `folio new` can begin with: a family of networks each, and what it is for."""

from __future__ import annotations

# The folders in blank/, in the order in which they are learned.
STARTERS = {
    "classifier": "rows of a table, each one of several kinds (weather: which season?)",
    "cnn": "pictures, each one of several kinds (icons: what do they show?)",
    "rnn": "texts, foretold letter by letter (speeches: what comes next?)",
    "autoencoder": "pictures, squeezed into a few numbers (digits: how few will do?)",
    "gan": "pictures that nobody made (digits: do they look real?)",
}


def told() -> str:
    """Return the starters, a line each."""
    width = max(map(len, STARTERS))
    return "\n".join(f"  {name:{width}}  {purpose}" for name, purpose in STARTERS.items())
