"""Downloads the pages behind entries, and keeps the article of each, clean."""
