"""The practice site: a small web of its own, served on this machine, to learn scraping on.

`http://sandbox/…` in a project's code is this site. Each wing is a module of this package.
"""

from scraping.sandbox.server import PortTaken, port, serve

__all__ = ["PortTaken", "port", "serve"]
