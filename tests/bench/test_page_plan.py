import gzip

from feedmill_fetch.extraction import examine
from page_plan import pages


def test_the_same_seed_gives_the_same_pages_and_each_is_another() -> None:
    first, second, other = pages(8, 1), pages(8, 1), pages(8, 2)

    assert first == second
    assert len({page.plain for page in first + other}) == 16


def test_pages_are_as_large_and_as_packed_as_real_ones() -> None:
    planned = pages(24, 1)

    sizes = sorted(len(page.plain) for page in planned)
    assert 60_000 < sizes[len(sizes) // 2] < 200_000
    assert sizes[-1] > 200_000
    assert all(gzip.decompress(page.packed) == page.plain for page in planned)
    assert all(len(page.packed) < len(page.plain) / 2 for page in planned)


def test_an_article_is_found_on_each_of_them_and_nothing_beside_it() -> None:
    for page in pages(8, 3):
        content = examine(page.plain, charset="utf-8", url="http://a.example/page/1").content

        assert content is not None
        assert 0.8 * page.words < content.word_count < 1.8 * page.words
        assert "Most read" not in content.text
        assert content.site_name == "The Daily Mill"
