"""Server-sent events, as the HTML standard reads them."""

from feedmill.models.base import Model


class Message(Model):
    """One message. `id` is the last one seen, by this message or an earlier one."""

    event: str = "message"
    data: str = ""
    id: str | None = None


class MessageReader:
    """Puts lines together into messages.

    Attributes
    ----------
    last_id
        What to resume after; None before the first numbered message.
    retry_seconds
        How long the server wants us to wait before we come back, if it said so.
    """

    def __init__(self) -> None:
        self.last_id: str | None = None
        self.retry_seconds: float | None = None
        self._event = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Message | None:
        """Take a line without its end; return the message that it completes."""
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self.last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_seconds = int(value) / 1_000
        return None

    def forget_unfinished(self) -> None:
        """Drop a message that a broken connection cut off."""
        self._event = ""
        self._data = []

    def _dispatch(self) -> Message | None:
        event, data = self._event or "message", self._data
        self.forget_unfinished()
        return Message(event=event, data="\n".join(data), id=self.last_id) if data else None
