"""What the three programs share: an epoch is run when a line comes in, its cost goes out.

Standard library only, since PyTorch's environment need not have ours.
"""

from __future__ import annotations

import json
import sys
import time


class Gate:
    """Stands at the end of each epoch."""

    def __init__(self) -> None:
        self.begun: float | None = None
        self.parameters = 0

    def epoch_done(self) -> None:
        """Tell what the epoch cost, in seconds of processor time, and wait for the next word."""
        used = None if self.begun is None else time.process_time() - self.begun
        print(json.dumps({"processor": used, "parameters": self.parameters}), flush=True)
        if sys.stdin.readline().strip() != "go":
            # Without a farewell: TensorFlow takes seconds for one.
            sys.stdout.flush()
            import os

            os._exit(0)
        self.begun = time.process_time()
