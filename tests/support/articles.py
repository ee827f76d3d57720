"""Articles as a distiller gets them."""

import uuid

from feedmill.models.distillates import ContentToDistill
from feedmill.models.entries import Content, Stage
from feedmill.models.feeds import SnapshotEntry
from feedmill.store import Store
from feedmill.store.contents import hash_text


def article(
    text: str, *, title: str = "A title", entry_id: int = 1, language: str | None = "en"
) -> ContentToDistill:
    return ContentToDistill(
        entry_id=entry_id,
        feed_id=1,
        title=title,
        text=text,
        language=language,
        content_hash=hash_text(text),
    )


ENGLISH = """\
Harbour opens its new tidal power station
By Ann Example
The harbour of Norwick opened a tidal power station on Monday that will supply 12,500 homes. \
The station took six years to build and cost 84.5 million euros, twice what was planned. \
Its four turbines stand on the sea floor, where the current runs at up to 3.2 metres a second.
"We learned everything the hard way," said Mira Holt, the engineer who led the work. \
Two of the first blades broke in the winter storms of 2021, and the makers had to begin again. \
The new blades are shorter and thicker, and they have turned for 400 days without a fault.
Share this article
Fishermen had opposed the station because they feared for the herring that spawn nearby. \
A study by the university found no change in the number of fish during the first year. \
The fishermen's union says that one year proves little, and wants the study to go on until 2030.
The harbour plans a second station with eight turbines if the first one keeps its promises. \
The council will vote on the money in March, and the mayor expects a close result.
Subscribe to our newsletter"""

JAPANESE = """\
北浜港は月曜日、1万2500世帯に電力を供給する潮力発電所の運転を始めた。建設には6年かかり、費用は当初の予定の2倍になった。
4基のタービンは海底に設置され、毎秒3.2メートルの潮流で回る。「すべてを苦労して学びました」と技師の森さんは話した。
最初の羽根は2021年の冬の嵐で折れ、メーカーは設計をやり直した。新しい羽根は短く厚く、400日間故障なく回り続けている。
漁師たちはニシンへの影響を心配して発電所に反対していた。大学の調査では、最初の1年間で魚の数に変化はなかった。"""

RUSSIAN = """\
В понедельник порт Норвик открыл приливную электростанцию, которая обеспечит током 12 500 домов. \
Строительство заняло шесть лет и обошлось вдвое дороже, чем планировали, сообщил д. т. н. И. Петров.
Четыре турбины стоят на морском дне, где скорость течения достигает 3,2 метра в секунду. \
«Мы всему научились на своих ошибках», — сказала инженер Мира Хольт, руководившая работами. \
Первые лопасти сломались во время зимних штормов 2021 года, и производителю пришлось начать заново.
Рыбаки выступали против станции, потому что боялись за сельдь, которая нерестится рядом. \
Исследование университета не нашло изменений в количестве рыбы за первый год."""  # noqa: RUF001 - Russian

ARABIC = """\
افتتح ميناء نورويك يوم الاثنين محطة لتوليد الكهرباء من المد والجزر ستزود 12500 منزل بالطاقة. \
استغرق البناء ست سنوات وبلغت التكلفة ضعف ما كان مخططا له في البداية.
تقف التوربينات الأربعة في قاع البحر حيث تصل سرعة التيار إلى 3.2 متر في الثانية. \
هل كان الأمر سهلا؟ لقد تعلمنا كل شيء بالطريقة الصعبة كما قالت المهندسة ميرا هولت. \
انكسرت الشفرات الأولى في عواصف شتاء عام 2021 واضطر المصنعون إلى البدء من جديد.
عارض الصيادون المحطة لأنهم خافوا على أسماك الرنجة التي تتكاثر في الجوار. \
وجدت دراسة أجرتها الجامعة أن عدد الأسماك لم يتغير خلال السنة الأولى."""


async def store_articles(store: Store, *texts: str, withheld: str | None = None) -> list[int]:
    """Store entries of one feed, fetched and waiting for distillation; return their ids in order."""
    ids = []
    for text in texts:
        async with store.transaction() as tx:
            feed_id = await tx.feeds.add("https://example.org/feed")
            shown = SnapshotEntry(guid=uuid.uuid4().hex, title="A title")
            [entry_id] = (await tx.entries.add_new({feed_id: [shown]}))[feed_id]
            content = Content(
                url="https://example.org/page",
                html=f"<p>{text}</p>",
                text=text,
                word_count=len(text.split()),
                language="en",
                extractor="test",
                withheld=withheld,
            )
            await tx.contents.save(entry_id, content)
            await tx.entries.move(entry_id, before=Stage.NEW, after=Stage.FETCHED)
        ids.append(entry_id)
    return ids
