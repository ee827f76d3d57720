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


GERMAN = """\
Von Anna Beispiel
Der Hafen von Norwick hat am Montag ein Gezeitenkraftwerk eröffnet, das 12.500 Haushalte mit Strom versorgt. \
Der Bau dauerte sechs Jahre und kostete 84,5 Mio. Euro, doppelt so viel wie geplant.
Foto: Das Kraftwerk im Hafen von Norwick bei seiner feierlichen Eröffnung am Montag.
Die vier Turbinen stehen auf dem Meeresgrund, wo die Strömung bis zu 3,2 Meter in der Sekunde erreicht. \
„Wir haben alles auf die harte Tour gelernt“, sagte die Ingenieurin Mira Holt bei der Eröffnung.
Zwei der ersten Rotorblätter brachen in den Winterstürmen, und der Hersteller musste von vorn beginnen. \
Die Fischer hatten das Kraftwerk abgelehnt, weil sie um den Hering im Hafen von Norwick fürchteten.
Abonnieren Sie unseren Newsletter, damit Sie keine Nachricht mehr verpassen."""

FRENCH = """\
Le port de Norvic a inauguré lundi une centrale marémotrice qui alimentera 12 500 foyers de la région. \
Sa construction a duré six ans et coûté 84,5 millions d'euros, deux fois plus que prévu.
Abonnez-vous à notre lettre pour recevoir chaque matin le meilleur de nos articles.
Les quatre turbines de la centrale sont posées au fond de la mer, où le courant est le plus fort. \
Deux des premières pales se sont brisées lors des tempêtes, et le fabricant a dû tout recommencer.
Les pêcheurs s'opposaient à la centrale de Norvic parce qu'ils craignaient pour le hareng. \
Une étude de l'université n'a constaté aucun changement du nombre de poissons la première année."""

SPANISH = """\
El puerto de Norvico inauguró el lunes una central mareomotriz que abastecerá a 12.500 hogares de la región. \
Su construcción duró seis años y costó 84,5 millones de euros, el doble de lo previsto.
Las cuatro turbinas de la central están en el fondo del mar, donde la corriente es más fuerte. \
Suscríbete a nuestro boletín para no perderte ninguna noticia de tu ciudad.
Dos de las primeras palas se rompieron en las tormentas, y el fabricante tuvo que empezar de nuevo.
Los pescadores se oponían a la central de Norvico porque temían por el arenque que desova cerca. \
Un estudio de la universidad no encontró ningún cambio en el número de peces durante el primer año."""

CHINESE = """\
北滨港周一启用了一座潮汐发电站，可为1.25万户家庭供电。建设历时六年，耗资8450万欧元，是原计划的两倍。
四台涡轮机安装在海底，那里的海流速度最高可达每秒3.2米。工程师林美华说：“我们吃尽了苦头才学会这一切。”
点击这里订阅我们的公众号，不要错过任何新闻。首批叶片在冬季的风暴中折断，制造商不得不重新开始。
渔民曾反对建设发电站，因为他们担心附近产卵的鲱鱼。大学的一项研究没有发现第一年鱼类数量的变化。"""  # noqa: RUF001 - Chinese

THAI = """\
ท่าเรือนอร์วิกเปิดโรงไฟฟ้าพลังน้ำขึ้นน้ำลงเมื่อวันจันทร์ซึ่งจะจ่ายไฟให้บ้าน 12,500 หลัง การก่อสร้างใช้เวลาหกปีและมีค่าใช้จ่ายมากกว่าที่วางแผนไว้สองเท่า
กังหันสี่ตัวตั้งอยู่บนพื้นทะเลในบริเวณที่กระแสน้ำไหลแรงที่สุดของท่าเรือ ใบพัดชุดแรกหักในพายุฤดูหนาวและผู้ผลิตต้องเริ่มต้นใหม่ทั้งหมด
ชาวประมงคัดค้านโรงไฟฟ้าเพราะกลัวว่าปลาเฮอริงจะหายไปจากท่าเรือ การศึกษาของมหาวิทยาลัยไม่พบการเปลี่ยนแปลงของจำนวนปลาในปีแรก
สภาเมืองจะลงคะแนนเรื่องเงินสำหรับโรงไฟฟ้าแห่งที่สองในเดือนมีนาคม นายกเทศมนตรีคาดว่าผลจะใกล้เคียงกันมาก"""


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
