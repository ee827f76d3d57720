import aiohttp
import psycopg

from feedmill_cli.stack.part import HttpAnswers, PostgresAccepts, Readiness

_HTTP_SECONDS = aiohttp.ClientTimeout(total=5)
_POSTGRES_SECONDS = 3


async def is_ready(session: aiohttp.ClientSession, readiness: Readiness | None) -> bool:
    """Ask a part whether it can be used now; a step never can, it is only ever done."""
    match readiness:
        case None:
            return False
        case HttpAnswers(url=url):
            return await _answers(session, url)
        case PostgresAccepts(url=url):
            return await _accepts(url)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=_HTTP_SECONDS) as answer:
            return answer.status == 200  # noqa: PLR2004 - HTTP's own number
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _accepts(url: str) -> bool:
    try:
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=_POSTGRES_SECONDS)
    except psycopg.OperationalError:
        return False
    await connection.close()
    return True
