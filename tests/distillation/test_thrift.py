"""What an article asks of Postgres: most of what it costs a worker besides the model's answer."""

from sqlalchemy import event

from feedmill.store import Store
from feedmill_distillation.distilling import DistillationService
from support.articles import store_articles
from support.distilling import NoDistiller, distill
from support.kitchen import open_till_model
from support.model_server import open_model_server

_ARTICLES = 20


async def test_an_article_takes_few_statements(store: Store) -> None:
    """Whether it was made before, the till twice, the stage, the distillate and the event."""
    ids = await store_articles(store, *(f"Article {n} says this." for n in range(2 * _ARTICLES)))
    said: list[str] = []
    async with open_model_server() as server, open_till_model(server, store) as model:
        running = DistillationService(store, model, local=NoDistiller(), concurrency=4)
        # The first ones find out how the endpoint is asked.
        await distill(running, ids[:_ARTICLES])
        watched = store._engine.sync_engine
        event.listen(watched, "before_cursor_execute", lambda *told: said.append(told[2]))
        await distill(running, ids[_ARTICLES:])

    # And what the slice asks as a whole.
    assert len(said) <= _ARTICLES * 6 + 10
