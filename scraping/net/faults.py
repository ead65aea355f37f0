"""What went wrong with a request, in our own words, out of a nest of library errors."""

from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead

from requests import RequestException
from urllib3.exceptions import HTTPError

from scraping.net.connection import BadAnswer, TooMuch
from scraping.outcomes import Kind

FAULTS = (RequestException, HTTPError, HTTPException, OSError, ValueError)


def explained(fault: BaseException, *, answered: bool) -> tuple[str, Kind, bool]:
    """The reason in a few words, its kind, and whether another try may do better.

    Args:
        fault: One of `FAULTS`, perhaps with its cause inside.
        answered: Whether the answer's headers had come.
    """
    cause = innermost(fault)
    reason, kind = _words(cause, answered=answered)
    return reason, kind, not isinstance(cause, (ValueError, ssl.SSLCertVerificationError))


def innermost(fault: BaseException) -> BaseException:
    """The reason in a nest of library errors."""
    while True:
        inner = (getattr(fault, "reason", None), *reversed(fault.args), fault.__cause__)
        found = next((part for part in inner if isinstance(part, BaseException)), None)
        if found is None:
            return fault
        fault = found


def _words(cause: BaseException, *, answered: bool) -> tuple[str, Kind]:
    match cause:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {cause.verify_message}", Kind.UNREACHABLE
        case ssl.SSLError():
            return f"no secure connection: {cause.reason or cause}", Kind.UNREACHABLE
        case TimeoutError():
            return "no answer in time", Kind.UNREACHABLE
        case ConnectionRefusedError():
            return "connection refused", Kind.UNREACHABLE
        case ConnectionError():  # RemoteDisconnected too
            return "connection reset", Kind.BROKEN if answered else Kind.UNREACHABLE
        case IncompleteRead() if not answered:
            return "the answer ends within its headers", Kind.BROKEN
        case TooMuch():
            return str(cause), Kind.TOO_LARGE
        case BadAnswer():
            return str(cause), Kind.BROKEN
    text = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
    lost = isinstance(cause, OSError) and not answered
    return text, Kind.UNREACHABLE if lost else Kind.BROKEN
