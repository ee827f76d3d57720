"""Files and pictures of an entry: enclosures, podcasts, Media RSS. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from feedmill_ingestion.shown import ShownFile, ShownTranscript
from feedmill_ingestion.texts import own_text_of, text_of
from feedmill_ingestion.xml_links import resolved
from feedmill_ingestion.xml_names import name_of


@dataclass(slots=True)
class Media:
    """What was found so far."""

    enclosures: list[ShownFile] = field(default_factory=list)
    contents: list[ShownFile] = field(default_factory=list)
    thumbnails: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)
    transcripts: list[ShownTranscript] = field(default_factory=list)
    duration: str = ""
    video_id: str = ""

    def add(self, name: str, element: etree._Element) -> None:
        """Take what an element says about files; it may be any element."""
        take = _TAKERS.get(name)
        if take is not None:
            take(self, element)

    def add_link(self, url: str, element: etree._Element) -> None:
        """Take a link or an `enclosure` to a file."""
        kind = element.get("type", "").strip().lower()
        self.enclosures.append(ShownFile(url, kind, element.get("length", "")))
        if kind.startswith("image/"):
            self.covers.append(url)

    def all_files(self) -> tuple[ShownFile, ...]:
        """Return the files, those first that the entry is about."""
        return tuple(self._with_duration(file) for file in (*self.enclosures, *self.contents))

    def _with_duration(self, file: ShownFile) -> ShownFile:
        # iTunes says how long an episode is, and not which file that is.
        lasts = not file.duration and not file.media_type.startswith("image/")
        return file._replace(duration=self.duration) if self.duration and lasts else file

    def all_pictures(self) -> tuple[str, ...]:
        """Return the pictures, those first that were made to be shown beside the entry."""
        return (*self.thumbnails, *self.pictures, *self.covers)


def _enclosure(media: Media, element: etree._Element) -> None:
    url = element.get("url") or element.get("href")
    if url:
        media.add_link(resolved(url, element), element)


def _content(media: Media, element: etree._Element) -> None:
    url = resolved(element.get("url", ""), element)
    kind = element.get("type", "").strip().lower()
    if url and (element.get("medium") == "image" or kind.startswith("image/")):
        media.pictures.append(url)
    elif url:
        size, duration = element.get("fileSize", ""), element.get("duration", "")
        media.contents.append(ShownFile(url, kind, size, duration))


def _thumbnail(media: Media, element: etree._Element) -> None:
    url = element.get("url") or text_of(element)
    if url:
        media.thumbnails.append(resolved(url, element))


def _image(media: Media, element: etree._Element) -> None:
    nested = (text_of(child) for child in element if name_of(child.tag, child.prefix) == "url")
    url = element.get("href") or element.get("url") or own_text_of(element) or next(nested, "")
    if url:
        media.covers.append(resolved(url, element))


def _duration(media: Media, element: etree._Element) -> None:
    media.duration = text_of(element)


def _transcript(media: Media, element: etree._Element) -> None:
    url = element.get("url")
    if url:
        kind, language = element.get("type", ""), element.get("language", "")
        rel = element.get("rel", "")
        media.transcripts.append(ShownTranscript(resolved(url, element), kind, language, rel))


def _video(media: Media, element: etree._Element) -> None:
    media.video_id = text_of(element)


_TAKERS: dict[str, Callable[[Media, etree._Element], None]] = {
    "enclosure": _enclosure,
    "image": _image,
    "itunes:duration": _duration,
    "itunes:image": _image,
    "media:content": _content,
    "media:thumbnail": _thumbnail,
    "podcast:transcript": _transcript,
    "yt:videoid": _video,
}
