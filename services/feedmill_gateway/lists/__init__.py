"""Lists of feeds as readers exchange them: OPML 1.0, 1.1 and 2.0."""
