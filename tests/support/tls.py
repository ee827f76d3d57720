"""Certificates for servers on loopback, and clients that trust who issued them."""

import ssl
from pathlib import Path

import pytest
import trustme


class Authority:
    """Issues certificates; trusted by clients that are opened afterwards."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ca = trustme.CA()
        trusted = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(trusted))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    def server(self, name: str) -> ssl.SSLContext:
        """Return what a server of this name needs."""
        return server_side(self.ca.issue_cert(name))


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    return tls
