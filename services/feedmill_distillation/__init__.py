"""Makes the short form of an article: by a language model, or by picking its own sentences."""
