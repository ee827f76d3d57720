"""One module per resource. Handlers validate, call, answer."""

from feedmill_gateway.routes import entries, events, feeds, pages, runs

API = (feeds.router, entries.router, runs.router, events.router)
PAGES = pages.router
