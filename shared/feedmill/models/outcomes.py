"""How a request to the outside can end, and what a person can do about it.

Whatever a site, a parser, a model or a file does is one of these values, never an exception.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a poll, a fetch, a distillation or an import did not give what was asked for."""

    URL_INVALID = "url_invalid"
    ADDRESS_FORBIDDEN = "address_forbidden"
    HOST_UNKNOWN = "host_unknown"
    LOOK_UP_FAILED = "look_up_failed"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    NOT_HTTP = "not_http"
    TIMED_OUT = "timed_out"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    TRUNCATED = "truncated"
    BAD_ENCODING = "bad_encoding"
    HTTP_STATUS = "http_status"
    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    GONE = "gone"
    LOGIN_NEEDED = "login_needed"
    ROBOTS_DISALLOWED = "robots_disallowed"
    SITE_BROKEN = "site_broken"
    PAGE_MISSING = "page_missing"
    PAGE_BLOCKED = "page_blocked"
    LOGIN_WALL = "login_wall"
    CONSENT_WALL = "consent_wall"
    PAYWALL = "paywall"
    NEEDS_BROWSER = "needs_browser"
    NOT_A_FEED = "not_a_feed"
    PARSER_FAILED = "parser_failed"
    UNSUPPORTED_TYPE = "unsupported_type"
    PICTURE = "picture"
    RECORDING = "recording"
    ARCHIVE = "archive"
    NO_URL = "no_url"
    NO_ARTICLE = "no_article"
    EXTRACTOR_FAILED = "extractor_failed"
    NO_TEXT = "no_text"
    MODEL_UNAUTHORIZED = "model_unauthorized"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_NO_CREDIT = "model_no_credit"
    MODEL_REQUEST_REFUSED = "model_request_refused"
    MODEL_REFUSED = "model_refused"
    MODEL_ANSWER_INVALID = "model_answer_invalid"
    MODEL_CONTEXT_EXCEEDED = "model_context_exceeded"
    WAITED_TOO_LONG = "waited_too_long"
    NOT_A_LIST = "not_a_list"
    LIST_UNREADABLE = "list_unreadable"
    LIST_TOO_LARGE = "list_too_large"
    OUTLINE_UNREADABLE = "outline_unreadable"
    NO_FEED_URL = "no_feed_url"
    NESTED_TOO_DEEP = "nested_too_deep"
    OUTLINE_REFUSED = "outline_refused"


ADVICE: dict[Reason, str] = {
    Reason.URL_INVALID: "Check the address: it must start with http:// or https:// and name a host.",
    Reason.ADDRESS_FORBIDDEN: (
        "The address is private or reserved. For a feed inside your own network, "
        "add its network to FEEDMILL_ALLOWED_NETWORKS."
    ),
    Reason.HOST_UNKNOWN: "No such host was found. Check the spelling, or try again later.",
    Reason.LOOK_UP_FAILED: "No name server could say where the host is. Feedmill will try again later.",
    Reason.CONNECT_FAILED: "The site did not accept the connection. Try again later.",
    Reason.TLS_FAILED: "The site's certificate could not be verified. Ask its owner to renew it.",
    Reason.NOT_HTTP: "What answered does not keep to HTTP. Check the address and its port.",
    Reason.TIMED_OUT: "The site was too slow. Feedmill will try again later.",
    Reason.TOO_LARGE: "The answer was larger than Feedmill reads, or never ended. Look for a smaller feed.",
    Reason.TOO_MANY_REDIRECTS: "The address redirects in a loop. Open it in a browser and use where it ends.",
    Reason.TRUNCATED: "The answer was cut short. Feedmill will try again later.",
    Reason.BAD_ENCODING: "The answer could not be decompressed. Feedmill will try again later.",
    Reason.HTTP_STATUS: "The site refused the request. Open the address in a browser to see why.",
    Reason.RATE_LIMITED: "The site asked for fewer requests. Feedmill waits as long as it asked.",
    Reason.NOT_FOUND: "Nothing is there any more. Look on the site for where its feed is now.",
    Reason.GONE: "The site says this feed is gone for good. Its entries are kept; look for a new feed of the site.",
    Reason.LOGIN_NEEDED: "The site wants a password, and Feedmill has none. Use an address that needs none.",
    Reason.ROBOTS_DISALLOWED: "The site's robots.txt asks programs to leave this page alone. Open the original.",
    Reason.SITE_BROKEN: "The site has a fault of its own. Feedmill will try again later.",
    Reason.PAGE_MISSING: "The page is not there, or not any more. The feed's own text is all there is.",
    Reason.PAGE_BLOCKED: "The site shows this page to no program. Open the original to read it.",
    Reason.LOGIN_WALL: "The site shows this page to its members only. Open the original and log in.",
    Reason.CONSENT_WALL: (
        "The site shows this page only to those who agree to be tracked. Open the original to decide."
    ),
    Reason.PAYWALL: "The site shows this article to those who pay for it. Open the original to read it.",
    Reason.NEEDS_BROWSER: (
        "The page fills itself in a browser. Open the original to read it, "
        "or let Feedmill have one: FEEDMILL_BROWSER."
    ),
    Reason.NOT_A_FEED: "This is no feed. Look on the page for a link named RSS, Atom or Feed.",
    Reason.PARSER_FAILED: "The feed could not be read safely. Tell its owner, or try another feed of the site.",
    Reason.UNSUPPORTED_TYPE: "Only web pages, PDFs and plain text can be read here. Open the original to see it.",
    Reason.PICTURE: "The entry leads to a picture and to no text. Open the original to see it.",
    Reason.RECORDING: "The entry leads to a recording and to no text. Open the original to play it.",
    Reason.ARCHIVE: "The entry leads to an archive of files. Open the original to download it.",
    Reason.NO_URL: "The entry links to no page. Its own text in the feed is all there is.",
    Reason.NO_ARTICLE: "No article was found on the page. Open the original to read it.",
    Reason.EXTRACTOR_FAILED: "The page could not be read safely. Open the original to read it.",
    Reason.NO_TEXT: "There was no text to distil.",
    Reason.MODEL_UNAUTHORIZED: "The model refused the key. Check FEEDMILL_MODEL_API_KEY.",
    Reason.MODEL_UNKNOWN: "The endpoint has no such model. Check FEEDMILL_MODEL_NAME and FEEDMILL_MODEL_URL.",
    Reason.MODEL_NO_CREDIT: "The model's account has no credit left. Add some at its provider.",
    Reason.MODEL_REQUEST_REFUSED: (
        "The endpoint has refused every request so far. "
        "Check FEEDMILL_MODEL_URL and FEEDMILL_MODEL_NAME, and look into the endpoint's own log."
    ),
    Reason.MODEL_REFUSED: "The model would not summarise this text.",
    Reason.MODEL_ANSWER_INVALID: "The model's answer could not be used, even after asking again.",
    Reason.MODEL_CONTEXT_EXCEEDED: "The text is longer than the model can read.",
    Reason.WAITED_TOO_LONG: "The site kept asking for more time. Refresh the feed later.",
    Reason.NOT_A_LIST: "Export your feeds from the other reader as OPML, and import that file.",
    Reason.LIST_UNREADABLE: (
        "The list could not be read safely. Export it again, or mend it in an editor."
    ),
    Reason.LIST_TOO_LARGE: "Split the list into files of at most 10 MB and 20,000 outlines each.",
    Reason.OUTLINE_UNREADABLE: (
        "This place is not well-formed XML. Mend it and import the file again: "
        "feeds that are followed already stay as they are."
    ),
    Reason.NO_FEED_URL: "The outline leads to no feed: it needs an xmlUrl. Look for one on the site.",
    Reason.OUTLINE_REFUSED: (
        "The database would not take this outline, the others are followed all the same. "
        "Add the feed by its address, and tell whoever makes Feedmill."
    ),
    Reason.NESTED_TOO_DEEP: "Categories are nested at most 16 deep. Move the feed further out.",
}
