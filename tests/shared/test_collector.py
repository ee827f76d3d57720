import gc

from feedmill.worker import spare_collector


def test_what_was_loaded_at_the_start_is_looked_through_no_more() -> None:
    before = gc.get_freeze_count()
    try:
        spare_collector()

        assert gc.get_freeze_count() > before + 10_000
        # Next to nothing is left to look through.
        assert len(gc.get_objects()) < 10_000
    finally:
        gc.unfreeze()
