"""One module per resource. Handlers validate, call, answer."""

from feedmill_gateway.routes import (
    entries,
    events,
    feeds,
    lists,
    pages,
    recipes,
    reextractions,
    runs,
    spend,
    websub,
)

API = (
    feeds.router,
    lists.router,
    entries.router,
    reextractions.router,
    recipes.router,
    spend.router,
    runs.router,
    events.router,
)
PAGES = pages.router
CALLBACKS = websub.router
