"""Asking for the transcript that a feed names beside a recording. Its absence fails nothing."""

from feedmill.models.entries import Content, EntryToFetch, StoredContent
from feedmill.models.feeds import Transcript
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Answer, Deferred, Refusal
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.web.robots import Robots
from feedmill_fetch.examining import Examiner
from feedmill_fetch.recordings import as_recording, known, recording_kind
from feedmill_fetch.transcripts import best_transcript
from feedmill_fetch.verdicts import of_status

_ACCEPT = (
    "text/vtt, application/json, application/srt, application/x-subrip, text/html;q=0.9, "
    "text/plain;q=0.9, */*;q=0.1"
)
# A day's talk, with a time for every word.
MAX_TRANSCRIPT_BYTES = 3_000_000
_OK = 200


class Transcriber:
    """Makes the content of recordings out of what is written about them and what is said in them."""

    def __init__(
        self, web: WebClient, governor: Governor, robots: Robots, examiner: Examiner
    ) -> None:
        self._web = web
        self._governor = governor
        self._robots = robots
        self._examiner = examiner

    async def complete(
        self,
        entry: EntryToFetch,
        content: Content,
        *,
        held: StoredContent | None = None,
        patient: bool,
    ) -> Content | Deferred:
        """Return an entry's content as it is to be stored: a recording's with its transcript.

        Parameters
        ----------
        held
            What is stored already, in case there is no transcript to be had now.
        patient
            Whether to wait for the transcript's host for a little over a minute, because the page
            has been asked for already; else, if it has no time, the entry comes back later.
        """
        if recording_kind(entry) is None:
            return content
        content = as_recording(content, entry)
        wanted = best_transcript(entry.transcripts, content.language)
        if wanted is None:
            return content
        said = await self._ask(wanted, content, patient=patient)
        if isinstance(said, Deferred) and not patient:
            return said
        if isinstance(said, Content):
            return said
        if held is not None and held.transcript:
            return await self._examiner.with_held(content, held)
        reason = said.reason if isinstance(said, Refusal) else Reason.RATE_LIMITED
        return content.model_copy(update={"transcript_reason": reason})

    async def _ask(
        self, wanted: Transcript, content: Content, *, patient: bool
    ) -> Content | Refusal | Deferred:
        reply = await self._web.get(
            wanted.url,
            purpose="transcript",
            accept=_ACCEPT,
            max_bytes=MAX_TRANSCRIPT_BYTES,
            admit=self._governor.patiently if patient else self._governor.slot,
            permit=self._robots.permit,
        )
        if not isinstance(reply, Answer):
            return reply
        await self._governor.heed(reply)
        if reply.status != _OK:
            return of_status(reply.status)
        return await self._read(reply, wanted, content)

    async def _read(
        self, answer: Answer, wanted: Transcript, content: Content
    ) -> Content | Refusal:
        found = await self._examiner.transcript(content, answer.body, answer.charset)
        if isinstance(found, Refusal):
            return found
        withheld = answer.withheld or await self._robots.withheld(answer.url)
        return known(found, language=wanted.language, withheld=withheld)
