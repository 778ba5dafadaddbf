"""Which addresses we talk to: encrypted ones, and plain ones only on this machine."""

import ipaddress

import httpx


class InsecureAddressError(ValueError):
    """A plain HTTP address that does not stay on this machine."""


def is_loopback(url: str) -> bool:
    """Whether the host is this machine: 127.0.0.0/8, ::1 or localhost."""
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(url: str) -> httpx.URL:
    """The address, if tokens and invoices may travel to it.

    Raises InsecureAddressError: books and tokens never cross a network unencrypted.
    """
    address = httpx.URL(url)
    if address.scheme == "https" and address.host:
        return address
    if address.scheme == "http" and is_loopback(url):
        return address
    shown = f"{address.scheme or '?'}://{address.host or '?'}"
    raise InsecureAddressError(
        f"{shown} is refused: use https, or http on this machine only (127.0.0.1, ::1, localhost)"
    )


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: a token made for one origin is not sent to another."""
    return (url.scheme, url.host, url.port)
