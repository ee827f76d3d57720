from ipaddress import ip_address, ip_network

import pytest

from feedmill.errors import UrlRefusedError
from feedmill.models.outcomes import Reason
from feedmill.web.addresses import check_url, is_forbidden, may_connect
from support.vectors import DNS, VECTORS, Vector

FORBIDDEN = [
    "http://127.0.0.1/",
    "http://127.255.255.254/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://sub.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0X7F.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",  # noqa: RUF001 - full-width digits are the trick
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://169.16689662/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://example.com:22/",
    "http://example.com:6379/",
    "http://8.8.8.8:25/",
]

INVALID = [
    "",
    "example.com",
    "//example.com/feed",
    "http://",
    "http:///feed",
    "http:/example.com/",
    "file:///etc/passwd",
    "ftp://example.com/f",
    "gopher://127.0.0.1:6379/_INFO",
    "data:text/xml,<rss/>",
    "javascript:alert(1)",
    "jar:http://example.com!/",
    "http://user:pw@example.com/",
    "http://user@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://exa mple.com/",
    "http://example.com\t.evil.test/",
    "http://example.com\r\nHost: x/",
    "http://example.com\x00.evil.test/",
    "http://example.com/\ud800",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[::ffff:10.0.0.1].test/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://1.2.3.09/",
    "http://127.0.0.0x100/",
    "http://4294967296/",
    "http://localhost%2e/",
    "http://example..com/",
    "http://-example.com/",
    "http://xn--\u00fc.example/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 130}example/",
    "http://example.com:port/",
    "http://example.com:99999/",
    "http://example.com:0/",
]

ALLOWED = {
    "http://example.com/feed.xml": "http://example.com/feed.xml",
    "http://example.com": "http://example.com/",
    "HTTP://Example.COM./Feed": "http://example.com/Feed",
    "http://example.com?x=1": "http://example.com/?x=1",
    "https://example.com:443/": "https://example.com/",
    "https://example.com:8443/": "https://example.com:8443/",
    "http://example.com:443/": "http://example.com:443/",
    "http://example.com/a#part": "http://example.com/a",
    "http://example.com/a%20b%2f?x=1&y=[1]&z=%2F+": "http://example.com/a%20b%2f?x=1&y=[1]&z=%2F+",
    "http://example.com/feed?": "http://example.com/feed?",
    "http://example.com/../a//b;c": "http://example.com/../a//b;c",
    "http://example.com/straße?q=ü%C3%BC": "http://example.com/stra%C3%9Fe?q=%C3%BC%C3%BC",
    "http://münchen.example/feed": "http://xn--mnchen-3ya.example/feed",
    "http://faß.example/": "http://xn--fa-hia.example/",
    "http://ΠΑΡΆΔΕΙΓΜΑ.example/": "http://xn--hxajbheg2az3al.example/",
    "http://xn--mnchen-3ya.example/": "http://xn--mnchen-3ya.example/",
    "http://my_feed.example.com/": "http://my_feed.example.com/",
    "http://127.0.0.1.example.com/": "http://127.0.0.1.example.com/",
    "http://8.8.8.8/": "http://8.8.8.8/",
    "http://0x08080808/": "http://8.8.8.8/",
    "http://172.15.255.255/": "http://172.15.255.255/",
    "http://172.32.0.1/": "http://172.32.0.1/",
    "http://100.63.255.255/": "http://100.63.255.255/",
    "http://100.128.0.1/": "http://100.128.0.1/",
    "http://223.255.255.255/": "http://223.255.255.255/",
    "http://[2001:4860:4860:0::8888]/": "http://[2001:4860:4860::8888]/",
    "http://[64:ff9b::808:808]:8080/": "http://[64:ff9b::808:808]:8080/",
}


def verdict(url: str, *networks: str) -> str:
    try:
        return check_url(url, [ip_network(network) for network in networks])
    except UrlRefusedError as error:
        return error.reason


@pytest.mark.parametrize("url", FORBIDDEN)
def test_private_and_reserved_addresses_are_refused_however_they_are_spelt(url: str) -> None:
    assert verdict(url) == Reason.ADDRESS_FORBIDDEN


@pytest.mark.parametrize("url", INVALID)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert verdict(url) == Reason.URL_INVALID


@pytest.mark.parametrize(("url", "asked"), ALLOWED.items())
def test_everything_else_is_asked_as_it_was_given(url: str, asked: str) -> None:
    assert verdict(url) == asked
    assert verdict(asked) == asked


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.layer != DNS], ids=str)
def test_collected_tricks(vector: Vector) -> None:
    blocked = verdict(vector.url) in {Reason.ADDRESS_FORBIDDEN, Reason.URL_INVALID}

    assert ("block" if blocked else "allow") == vector.expect


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://127.0.0.1:9999/", "http://127.0.0.1:9999/", id="literal, any port"),
        pytest.param("http://0x7f.1/", "http://127.0.0.1/", id="literal, odd spelling"),
        pytest.param("http://[::ffff:7f00:1]/", "http://[::ffff:7f00:1]/", id="its IPv6 form"),
        pytest.param("http://localhost:9999/", "http://localhost:9999/", id="names wait for DNS"),
        pytest.param("http://10.0.0.1/", Reason.ADDRESS_FORBIDDEN, id="another private network"),
        pytest.param("http://8.8.8.8:25/", Reason.ADDRESS_FORBIDDEN, id="ports outside stay shut"),
        pytest.param("file:///etc/passwd", Reason.URL_INVALID, id="only the web"),
    ],
)
def test_an_allowed_network_may_be_asked(url: str, expected: str) -> None:
    assert verdict(url, "127.0.0.0/8") == expected


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        ("93.184.215.14", 443, True),
        ("93.184.215.14", 22, False),
        ("10.1.2.3", 5000, True),
        ("10.2.2.3", 80, False),
        ("::ffff:10.1.2.3", 80, True),
        ("fe80::1%eth0", 80, False),
        ("2606:4700::1111", 80, True),
    ],
)
def test_the_address_connected_to_has_the_last_word(
    address: str, port: int, *, expected: bool
) -> None:
    assert may_connect(address, port, [ip_network("10.1.0.0/16")]) is expected


def test_a_port_does_not_make_an_address_forbidden() -> None:
    assert not is_forbidden(ip_address("93.184.215.14"))
    assert is_forbidden(ip_address("10.0.0.1"))
    assert not is_forbidden(ip_address("10.0.0.1"), [ip_network("10.0.0.0/8")])
