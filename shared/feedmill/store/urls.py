from sqlalchemy import URL, make_url


def psycopg_url(url: str) -> URL:
    """Return a plain Postgres URL as SQLAlchemy's for the psycopg driver."""
    return make_url(url).set(drivername="postgresql+psycopg")
