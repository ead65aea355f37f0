"""The projects, one folder each; `load("icons").table` gives a stored value in a notebook."""


def load(name):
    """Return a project's values as attributes: `load("icons").table`, `load("icons").network[0]`.

    A step that runs once a seed gives a dict keyed by seed. Raises MissingValue, with the command
    that makes it, for a value that is out of date or was made on another disk.
    """
    from projects.spine.values import Values

    return Values(name)
