"""Tests stay on this machine."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_a_connection_beyond_loopback_is_refused() -> None:
    # pytest-socket warns and then refuses; here warnings are errors, so the warning comes first.
    with socket.socket() as away, pytest.raises((SocketConnectBlockedError, UserWarning), match="192.0.2.1"):
        away.connect(("192.0.2.1", 80))  # TEST-NET-1, which nobody has (RFC 5737)
