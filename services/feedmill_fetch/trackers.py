"""What is in pages only to count or to follow readers: addresses' parameters, and images. Data, and how to look it up."""

from urllib.parse import urlsplit

# Parameters that say where a reader came from. What a page shows does not depend on them.
_PARAMETERS = frozenset({
    "__hsfp", "__hssc", "__hstc", "__s", "__twitter_impression", "_branch_match_id",
    "_branch_referrer", "_bta_c", "_bta_tid", "_ga", "_gl", "_hsenc", "_hsmi", "_ke", "_openstat",
    "_sgm_campaign", "_sgm_source", "adgroupid", "bsft_clkid", "bsft_eid", "bsft_mid", "bsft_uid",
    "campaign_id", "cmpid", "dclid", "dm_i", "ef_id", "elqtrack", "elqtrackid", "epik", "fb_action_ids",
    "fb_action_types", "fb_ref", "fb_source", "fbclid", "gbraid", "gclid", "gclsrc", "gdffi", "gdfms",
    "gs_l", "guccounter", "guce_referrer", "guce_referrer_sig", "hsctatracking", "icid", "igsh",
    "igshid", "irclickid", "itm_campaign", "itm_medium", "itm_source", "li_fat_id", "mc_cid", "mc_eid",
    "mkt_tok", "ml_subscriber", "ml_subscriber_hash", "msclkid", "mtm_campaign", "mtm_kwd", "mtm_source",
    "mtm_medium", "mtm_content", "ncid", "nr_email_referer", "oly_anon_id", "oly_enc_id", "piwik_campaign",
    "piwik_kwd", "pk_campaign", "pk_cid", "pk_content", "pk_keyword", "pk_kwd", "pk_medium", "pk_source",
    "rb_clickid", "redirect_log_mongo_id", "redirect_mongo_id", "ref_src", "ref_url", "s_cid", "s_kwcid",
    "sb_referer_host", "sc_campaign", "sc_channel", "sc_cid", "sc_content", "sc_country", "sc_geo",
    "sc_medium", "sc_outcome", "soc_src", "soc_trk", "spm", "srsltid", "sref", "sscid", "trk_contact",
    "trk_module", "trk_msg", "trk_sid", "ttclid", "twclid", "vero_conv", "vero_id", "vgo_ee", "wbraid",
    "wickedid", "wt.mc_id", "wt_mc", "wt_zmc", "xtor", "yclid", "ysclid", "zanpid",
})  # fmt: skip
_PARAMETER_FAMILIES = (
    "utm_",
    "at_campaign",
    "at_custom",
    "at_medium",
    "ga_campaign",
    "ga_medium",
    "ga_source",
    "hsa_",
    "stm_",
)

# Hosts that serve nothing but counters; their subdomains as well.
_COUNTERS = frozenset({
    "2o7.net", "adform.net", "adnxs.com", "adsrvr.org", "amazon-adsystem.com", "analytics.twitter.com",
    "analytics.yahoo.com", "atdmt.com", "bat.bing.com", "bluekai.com", "casalemedia.com", "chartbeat.net",
    "clicky.com", "criteo.com", "demdex.net", "doubleclick.net", "effectivemeasure.net", "everesttech.net",
    "feedsportal.com", "google-analytics.com", "googleadservices.com", "googletagmanager.com", "histats.com",
    "hs-analytics.net", "imrworldwide.com", "ioam.de", "mathtag.com", "mc.yandex.ru", "met.vgwort.de",
    "mixpanel.com", "nr-data.net", "omtrdc.net", "outbrain.com", "parsely.com", "pixel.wp.com",
    "pixel.quantserve.com", "px.ads.linkedin.com", "quantserve.com", "rfihub.com", "rubiconproject.com",
    "sb.scorecardresearch.com", "scorecardresearch.com", "sharethis.com", "statcounter.com",
    "stats.wordpress.com", "stats.g.doubleclick.net", "taboola.com", "tapad.com", "top-fwz1.mail.ru",
    "turn.com", "webtrekk.net", "xiti.com", "zemanta.com",
})  # fmt: skip
# On hosts that serve other things too: what the path begins with or ends in.
_COUNTER_PATHS = {
    "facebook.com": ("/tr",),
    "feeds.feedburner.com": ("/~r/", "/~ff/"),
    "feeds.wordpress.com": ("/1.0/",),
    "medium.com": ("/_/stat",),
}
_COUNTER_NAMES = (
    "/matomo.php",
    "/piwik.php",
    "/pixel.gif",
    "/pixel.png",
    "/1x1.gif",
    "/1x1.png",
    "/spacer.gif",
    "/blank.gif",
    "/clear.gif",
    "/count.gif",
    "/counter.gif",
    "/trackingpixel.gif",
)


def without_tracking(url: str) -> str:
    """Return the address without what follows readers; every other character stays as it is."""
    address, hash_mark, fragment = url.partition("#")
    path, question_mark, query = address.partition("?")
    return path + _kept(question_mark, query) + _kept(hash_mark, fragment)


def is_counter(url: str) -> bool:
    """Tell whether an image is there to be counted, not to be seen."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    domains = _with_parents(host)
    if not _COUNTERS.isdisjoint(domains) or parts.path.lower().endswith(_COUNTER_NAMES):
        return True
    return any(
        parts.path.startswith(_COUNTER_PATHS[each]) for each in domains if each in _COUNTER_PATHS
    )


def _kept(mark: str, query: str) -> str:
    parts = query.split("&")
    kept = [part for part in parts if not _is_tracking(part)]
    return "" if parts and not kept else mark + "&".join(kept)


def _is_tracking(part: str) -> bool:
    name = part.partition("=")[0].removeprefix("amp;").lower()
    return name in _PARAMETERS or name.startswith(_PARAMETER_FAMILIES)


def _with_parents(host: str) -> set[str]:
    labels = host.lower().split(".")
    return {".".join(labels[at:]) for at in range(len(labels) - 1)}
