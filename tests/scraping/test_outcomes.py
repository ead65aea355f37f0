"""Every way in which an address can end has a next lawful step."""

from __future__ import annotations

import pytest

from scraping.outcomes import NEXT, Kind

# What was left out, or is no page of its own, was so by wish: there is nothing to do.
DONE = {Kind.SCHEME, Kind.LEFT_OUT, Kind.DUPLICATE}


@pytest.mark.parametrize("kind", Kind)
def test_every_end_but_a_wished_one_has_a_next_step(kind):
    assert (kind in NEXT) is (kind not in DONE)
