"""What people write in the question, in Finnish, Swedish and English: how many, when, and what for.

Each reader takes what it understands out of a text and leaves the rest. A wrong guess would book the wrong day, so
only plain forms are understood, and the page shows what was understood so that it can be mended.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

DAY = timedelta(days=1)

MONDAY_FIRST = (
    ("maanantai", "måndag", "monday"),
    ("tiistai", "tisdag", "tuesday"),
    ("keskiviikko", "onsdag", "wednesday"),
    ("torstai", "torsdag", "thursday"),
    ("perjantai", "fredag", "friday"),
    ("lauantai", "lördag", "saturday"),
    ("sunnuntai", "söndag", "sunday"),
)
SHORT_DAYS: tuple[tuple[str, ...], ...] = (
    ("ma", "mån", "mon"),
    ("ti", "tis", "tue", "tues"),
    ("ke", "ons", "wed", "weds"),
    ("to", "tor", "tors", "thu", "thurs"),
    ("pe", "fre", "fri"),
    ("la", "lör", "sat"),
    ("su", "sön", "sun"),
)
MONTHS = (
    ("tammikuu", "januari", "january"),
    ("helmikuu", "februari", "february"),
    ("maaliskuu", "mars", "march"),
    ("huhtikuu", "april", "april"),
    ("toukokuu", "maj", "may"),
    ("kesäkuu", "juni", "june"),
    ("heinäkuu", "juli", "july"),
    ("elokuu", "augusti", "august"),
    ("syyskuu", "september", "september"),
    ("lokakuu", "oktober", "october"),
    ("marraskuu", "november", "november"),
    ("joulukuu", "december", "december"),
)

# Parts of the day as minutes from midnight.
MORNING, FORENOON, AFTERNOON, EVENING = (
    (7 * 60, 12 * 60),
    (9 * 60, 12 * 60),
    (12 * 60, 17 * 60),
    (17 * 60, 22 * 60),
)
PARTS: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"aamupäiv\w*|ap\b|förmiddag\w*|fm\b", FORENOON),
    (r"iltapäiv\w*|ip\b|eftermiddag\w*|em\b|afternoons?", AFTERNOON),
    (r"ilta\w*|illalla|illaksi|kväll\w*|evenings?|tonight", EVENING),
    (r"aamu\w*|morgon(?:en)?|bitti|mornings?", MORNING),
)

PEOPLE = re.compile(
    r"(?:\b(?:för|for)\s+)?\b(\d{1,5})\s*"
    r"(?:henkeä|hengelle|hengen|henkilöä|henkilölle|henkilön|hlö\b|ihmistä|ihmiselle|osallistujaa|osallistujalle|vierasta|vieraalle"
    r"|personer|pers\b\.?|gäster|deltagare|people|persons?|guests?|participants?|pax)",
    re.IGNORECASE,
)
# "hall for 100": a number after "for" counts people unless it counts money or time.
FOR_NUMBER = re.compile(
    r"\b(?:för|for)\s+(\d{1,5})\b(?!\s*(?:[€.:/-]|e\b|eur|h\b|hours?|min|days?|timm|tim\b|dag|weeks?|veck|am\b|pm\b))",
    re.IGNORECASE,
)
# Round numbers in words, where people follow: "sadalle hengelle", "för hundra personer", "twenty people".
NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, words in (
        (2, "kaksi kahdelle två two"), (3, "kolme kolmelle tre three"), (4, "neljä neljälle fyra four"),
        (5, "viisi viidelle fem five"), (6, "kuusi kuudelle sex six"), (8, "kahdeksan kahdeksalle åtta eight"),
        (10, "kymmenen kymmenelle tio ten"), (12, "kaksitoista kahdelletoista tolv twelve"),
        (15, "viisitoista viidelletoista femton fifteen"), (20, "kaksikymmentä kahdellekymmenelle tjugo twenty"),
        (30, "kolmekymmentä kolmellekymmenelle trettio thirty"), (40, "neljäkymmentä neljällekymmenelle fyrtio forty"),
        (50, "viisikymmentä viidellekymmenelle femtio fifty"), (60, "kuusikymmentä kuudellekymmenelle sextio sixty"),
        (80, "kahdeksankymmentä kahdeksallekymmenelle åttio eighty"), (100, "sata sadalle hundra hundred"),
    )
    for word in words.split()
}  # fmt: skip
NUMBER_IN_WORDS = re.compile(
    r"\b(?:a\s+|ett\s+)?("
    + "|".join(NUMBER_WORDS)
    + r")(?=\s+(?:hen[kg]|hlö|ihmis|osallistuj|viera|person|pers\b|gäst|deltag|people|guest|participant))",
    re.IGNORECASE,
)
BARE_NUMBER = re.compile(r"\D*(\d{1,5})\D*")

PRICE = re.compile(
    r"\b(?:enintään|alle|max(?:imissaan)?|korkeintaan|högst|under|at most|up to|below)\.?\s*€?\s*(\d{1,4})\s*(?:€|euroa|euro|euros|e\b)"
    r"(?:\s*/\s*(?:h|t|tunti|timme|hour)\b|\s+(?:tunnilta|tunti|i timmen|an hour|per hour))?"
    r"|\b(?:under|below|at most|up to)\s+€(\d{1,4})\b",
    re.IGNORECASE,
)

# "free" alone means that nobody has booked it.
FREE_OF_CHARGE = re.compile(
    r"\b(?:maksut(?:on|tom\w*)|ilmai(?:nen|se\w*|st\w*)|avgiftsfri\w*|kostnadsfri\w*|gratis|free of charge|for free|no charge)\b",
    re.IGNORECASE,
)

WHOLE_DAY = re.compile(
    r"\b(?:koko päivä\w*|päiväksi|(?:för )?en (?:hel )?dag|hela dagen|heldag\w*|for (?:a|one) (?:whole |full )?day"
    r"|(?:for )?(?:the )?(?:whole|full|all) day)\b",
    re.IGNORECASE,
)
WHOLE_DAY_MINUTES = 480

ACCESS = re.compile(
    r"\b(?:esteet(?:ön|tömä\w*)|pyörätuoli\w*|tillgänglig\w*|rullstol\w*|wheelchairs?(?: |-)?(?:users?|accessible)?"
    r"|accessible|step-free)(?=\W|$)",
    re.IGNORECASE,
)

CLOCK = r"([01]?\d|2[0-4])(?:[.:]([0-5]\d))?\s*(am|pm)?"
RANGE = re.compile(
    rf"(?:\b(?:kello|klo|kl\.?|at|from|between)\s*)?\b{CLOCK}\s*(?:-|–|—|to|till|til|until|och|and)\s*{CLOCK}(?![.\d])"
)
FROM = re.compile(
    rf"\b(?:kello|klo|kl\.?|at|from|alkaen)\s*{CLOCK}(?![.\d])|\b([01]?\d)(?:[.:]([0-5]\d))?\s*(am|pm)\b"
)
ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
DOTTED_DATE = re.compile(r"\b(\d{1,2})[./](\d{1,2})(?:[./](\d{4})\b|\.|(?=[\s,]|$))")
# "marraskuuta", "november"; Swedish and English also cut them to three letters.
MONTH_NAME = (
    "(?:" + "|".join(name for names in MONTHS for name in names) + r")\w*"
    r"|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|okt|nov|dec)\b\.?"
)
NAMED_DATE = re.compile(
    rf"\b(\d{{1,2}})(?:\.|st|nd|rd|th)?\s+({MONTH_NAME})(?:,?\s+(\d{{4}}))?"
    r"|\b(" + "|".join(names[2] for names in MONTHS) + r")\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?"
)
NEXT_WEEK = re.compile(r"\b(ensi viikon|ensi viikolla|nästa veckas?|next week(?:'s|s)?)\b")
FILLERS = re.compile(
    r"\b(ensi|seuraavana|tulevana|tänä|nästa|på|den här|den|kommande|denna|next|this|coming|on|the|in|i|alkaen|kello|klo|kl)\b\.?"
)


@dataclass(frozen=True)
class When:
    """A local day and a window of it, in minutes from midnight; the whole day where no time was said."""

    day: date
    start_minute: int = 0
    end_minute: int = 1440

    @property
    def has_time(self) -> bool:
        return (self.start_minute, self.end_minute) != (0, 1440)


def read_people(text: str, *, alone: bool = False) -> tuple[int | None, str]:
    """(how many, the rest of the text). With `alone` the field holds nothing else and a bare number will do."""
    text = NUMBER_IN_WORDS.sub(lambda match: str(NUMBER_WORDS[match[1].lower()]), text)
    if match := PEOPLE.search(text) or FOR_NUMBER.search(text):
        return int(match[1]), cut(text, match)
    if alone and (match := BARE_NUMBER.fullmatch(text)):
        return int(match[1]), ""
    return None, text


def read_access(text: str) -> tuple[bool, str]:
    """(whether step-free access is asked for, the rest of the text)."""
    rest = ACCESS.sub(" ", text)
    return rest != text, rest


def read_price(text: str) -> tuple[int | None, str]:
    """(most euros an hour, the rest of the text); 0 is free of charge."""
    if match := FREE_OF_CHARGE.search(text):
        return 0, cut(text, match)
    if match := PRICE.search(text):
        return int(match[1] or match[2]), cut(text, match)
    return None, text


def read_length(text: str) -> tuple[int | None, str]:
    """(minutes that the booking shall last, the rest of the text)."""
    if match := WHOLE_DAY.search(text):
        return WHOLE_DAY_MINUTES, cut(text, match)
    return None, text


def read_when(text: str, *, today: date, alone: bool = False) -> tuple[When | None, str]:
    """(day and window, the rest of the text). A time without a day means today. With `alone` short names of weekdays
    count too; in a sentence "la" or "to" may mean anything, and "peli-ilta" is no evening of today."""
    rest = text.lower()
    day, rest = _read_day(rest, today, alone=alone)
    by_clock = RANGE.search(rest) or FROM.search(rest)
    window, rest = _read_window(rest)
    if day is None and (window is None or not (alone or by_clock)):
        return None, text
    rest = FILLERS.sub(" ", rest) if alone else rest
    start, end = window or (0, 1440)
    return When(day or today, start, end), tidy(rest)


def _read_day(text: str, today: date, *, alone: bool) -> tuple[date | None, str]:
    if match := ISO_DATE.search(text):
        return _date(int(match[1]), int(match[2]), int(match[3])), cut_date(text, match)
    if match := NAMED_DATE.search(text):
        name = match[2] or match[4]
        month = next(n for n, names in enumerate(MONTHS, 1) if _names_month(name, names))
        number, year = int(match[1] or match[5]), match[3] or match[6]
        return _coming(number, month, int(year) if year else None, today), cut_date(text, match)
    if match := DOTTED_DATE.search(text):
        found = _coming(int(match[1]), int(match[2]), int(match[3]) if match[3] else None, today)
        if found is not None:
            return found, cut_date(text, match)
    for pattern, ahead in (
        (r"\b(ylihuomen\w*|i ?övermorgon|day after tomorrow)\b", 2),
        (r"\b(huomen\w*|i ?morgon|tomorrow)\b", 1),
        (r"\b(tänään|i ?dag|today)\b", 0),
    ):
        if match := re.search(pattern, text):
            return today + ahead * DAY, cut(text, match)
    if match := re.search(r"\b(tänä iltana|i ?kväll|tonight)\b", text):
        return today, text
    if match := re.search(r"\b(viikonlop\w*|i helgen|helgen|weekend)\b", text):
        return next_weekday(today, 5), cut(text, match)
    if match := re.search(
        r"\b(?:arki(?:päivä\w*|sin)?|vardags?(?:ar\w*)?|weekdays?)(?=\b|-?ilta|-?aamu|kväll)", text
    ):
        day = today if today.weekday() < 5 else next_weekday(today, 0)
        return day, cut(text, match)
    for number, names in enumerate(MONDAY_FIRST):
        if match := re.search(
            r"\b(?:"
            + "|".join(names)
            + r")(?:na|n|lla|ksi|sta|in|en|s)?(?=\b|ilta|aamu|kväll|morgon|eftermiddag|förmiddag|-)",
            text,
        ):
            day, rest = next_weekday(today, number), cut(text, match)
            if week := NEXT_WEEK.search(rest):
                day = today - timedelta(days=today.weekday()) + timedelta(days=7 + number)
                rest = cut(rest, week)
            return day, rest
    if alone:
        for number, cut_names in enumerate(SHORT_DAYS):
            if match := re.search(r"\b(?:" + "|".join(cut_names) + r")\b\.?", text):
                return next_weekday(today, number), cut(text, match)
    return None, text


def _read_window(text: str) -> tuple[tuple[int, int] | None, str]:
    if match := RANGE.search(text):
        start, end = _minutes(*match.group(1, 2, 3)), _minutes(*match.group(4, 5, 6))
        if match[6] == "pm" and not match[3] and start + 720 < end:
            start += 720
        if 0 <= start < end <= 1440:
            return (start, end), cut(text, match)
    if match := FROM.search(text):
        parts = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
        start = _minutes(*parts)
        if start < 1440:
            return (start, min(start + 240, 1440)), cut(text, match)
    for pattern, window in PARTS:
        # A part of the day may hang on the weekday: lauantai-iltana, lördagkväll.
        if match := re.search(rf"(?:\b|(?<=-))(?:{pattern})\b", text) or re.search(rf"(?:{pattern})\b", text):
            return window, cut(text, match)
    return None, text


def _minutes(hour: str, minute: str | None, half: str | None) -> int:
    hours = int(hour)
    if half == "pm" and hours < 12:
        hours += 12
    if half == "am" and hours == 12:
        hours = 0
    return hours * 60 + int(minute or 0)


def next_weekday(today: date, number: int) -> date:
    """The first such weekday from today on (0 is Monday); today counts."""
    return today + timedelta(days=(number - today.weekday()) % 7)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(day: int, month: int, year: int | None, today: date) -> date | None:
    """The date in the year said, else the first such date that is not past."""
    if year is not None:
        return _date(year, month, day)
    for candidate in range(today.year, today.year + 5):  # 29 February waits up to four years
        found = _date(candidate, month, day)
        if found is not None and found >= today:
            return found
    return None


def _names_month(word: str, names: tuple[str, str, str]) -> bool:
    return any(word.startswith(name) or (name.startswith(word[:3]) and len(word) <= 5) for name in names)


def cut_date(text: str, match: re.Match[str]) -> str:
    """The text without the date and without the weekday that stood before it, as in "ti 11.5."."""
    names = "|".join(name for names in (*MONDAY_FIRST, *SHORT_DAYS) for name in names)
    before = re.sub(rf"\b(?:{names})(?:na|n|en)?[.,]?\s*$", " ", text[: match.start()])
    return before + " " + text[match.end() :]


def cut(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " + text[match.end() :]


def tidy(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"(^|\s)[,;.\-–]+(?=\s|$)", " ", text)).strip(" ,;.-–")


# What people call the things they want to do, by the beginning of the word, and the codes they mean.
SYNONYMS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (prefix, frozenset(codes.split()))
    for prefix, codes in (
        ("vuosikoko", "annual_meeting meeting"), ("årsmöte", "annual_meeting meeting"), ("annual meeting", "annual_meeting meeting"),
        ("koko", "meeting meeting_room"), ("palaver", "meeting meeting_room"), ("möte", "meeting meeting_room"),
        ("mötesrum", "meeting_room meeting"), ("meeting", "meeting meeting_room"), ("neuvottelu", "meeting meeting_room"),
        ("sähly", "ball_games"), ("innebandy", "ball_games"), ("floorball", "ball_games"), ("futis", "ball_games"),
        ("jalkapallo", "ball_games sports_field"), ("fotboll", "ball_games sports_field"), ("football", "ball_games sports_field"),
        ("koripallo", "ball_games"), ("korgboll", "ball_games"), ("basket", "ball_games"), ("lentopallo", "ball_games"),
        ("volleyboll", "ball_games"), ("volleyball", "ball_games"), ("pallopeli", "ball_games"), ("bollspel", "ball_games"),
        ("ball game", "ball_games"), ("tennis", "ball_games"), ("sulkapallo", "ball_games"), ("badminton", "ball_games"),
        ("synttär", "childrens_party party"), ("syntymäpäiv", "childrens_party party"), ("lastenkutsu", "childrens_party"),
        ("barnkalas", "childrens_party"), ("födelsedag", "childrens_party party"), ("birthday", "childrens_party party"),
        ("juhl", "party banquet_hall"), ("bile", "party"), ("fest", "party banquet_hall"), ("party", "party banquet_hall"),
        ("parties", "party banquet_hall"), ("häät", "party banquet_hall"), ("bröllop", "party banquet_hall"), ("wedding", "party banquet_hall"),
        ("jumppa", "exercise"), ("jooga", "exercise"), ("yoga", "exercise"), ("gympa", "exercise"), ("liikun", "exercise ball_games"),
        ("treeni", "exercise ball_games"), ("träning", "exercise ball_games"), ("exercise", "exercise"), ("training", "exercise ball_games"),
        ("tanss", "dance dance_studio"), ("dans", "dance dance_studio"), ("danc", "dance dance_studio"),
        ("kuoro", "choir music"), ("kör", "choir music"), ("choir", "choir music"), ("bändi", "music music_studio"),
        ("musiik", "music music_studio"), ("musik", "music music_studio"), ("music", "music music_studio"), ("band", "music music_studio"),
        ("soitto", "music music_studio"), ("kurssi", "course classroom"), ("kurs", "course classroom"), ("course", "course classroom"),
        ("luokka", "classroom course"), ("koulutus", "course classroom"), ("käsity", "crafts"), ("hantverk", "crafts"), ("craft", "crafts"),
        ("ompelu", "crafts"), ("kirpp", "market"), ("kirpputori", "market"), ("loppis", "market"), ("flea", "market"),
        ("myynti", "market market_stall"), ("torip", "market market_stall"), ("torgplats", "market market_stall"),
        ("stall", "market market_stall"), ("market", "market market_stall square"), ("marknad", "market market_stall square"),
        ("tori", "square market market_stall"), ("torg", "square market market_stall"), ("square", "square"), ("aukio", "square"),
        ("puisto", "park"), ("park", "park"), ("ulkoilma", "outdoor_event"), ("utomhus", "outdoor_event"), ("outdoor", "outdoor_event"),
        ("tapahtum", "outdoor_event concert"), ("evenemang", "outdoor_event concert"), ("konsert", "concert"), ("concert", "concert"),
        ("keikka", "concert"), ("näyttely", "exhibition"), ("utställning", "exhibition"), ("exhibition", "exhibition"),
        ("leikki", "play playground"), ("lek", "play playground"), ("play", "play playground"), ("nuoriso", "youth_work youth_space"),
        ("ungdom", "youth_work youth_space"), ("youth", "youth_work youth_space"), ("sauna", "sauna"), ("bastu", "sauna"),
        ("grilli", "barbecue barbecue_spot"), ("grill", "barbecue barbecue_spot"), ("barbecue", "barbecue barbecue_spot"),
        ("bbq", "barbecue barbecue_spot"), ("nuotio", "barbecue barbecue_spot"), ("valokuv", "photography"), ("foto", "photography"),
        ("photo", "photography"), ("peli-ilta", "gaming"), ("lautapeli", "gaming"), ("brädspel", "gaming"), ("gaming", "gaming"),
        ("opiskel", "study"), ("studie", "study"), ("study", "study"), ("koira", "dogs dog_field"), ("hund", "dogs dog_field"),
        ("dog", "dogs dog_field"), ("luistel", "rink"), ("skridsko", "rink"), ("skating", "rink"), ("jää", "rink"), ("kenttä", "sports_field"),
        ("plan", "sports_field"), ("field", "sports_field"), ("kirjasto", "library_room"), ("bibliotek", "library_room"), ("library", "library_room"),
        ("liikuntasali", "sports_hall school_hall exercise"), ("liikuntahalli", "sports_hall exercise"), ("idrottshall", "sports_hall exercise"),
        ("gym", "sports_hall school_hall exercise"), ("hall", "sports_hall school_hall banquet_hall"), ("halli", "sports_hall"),
        ("sali", "sports_hall school_hall banquet_hall dance_studio"), ("studio", "music_studio art_studio dance_studio"),
        ("hallitu", "meeting meeting_room"), ("styrelse", "meeting meeting_room"), ("board", "meeting meeting_room"),
        ("lapsi", "childrens_party play"), ("lasten", "childrens_party play"), ("barn", "childrens_party play"),
        ("child", "childrens_party play"), ("kids", "childrens_party play"), ("kutsut", "party"), ("kalas", "party childrens_party"),
        ("harjoit", "exercise ball_games music dance choir"), ("practice", "exercise ball_games music dance choir"),
        ("rehears", "music dance choir"), ("repetition", "music dance choir"), ("urheilu", "exercise ball_games sports_hall sports_field"),
        ("idrott", "exercise ball_games sports_hall sports_field"), ("sport", "exercise ball_games sports_hall sports_field"),
        ("flea market", "market"), ("garage sale", "market"), ("asukas", "meeting party community_room"),
        ("asukastila", "community_room"), ("kerhohuone", "community_room"), ("kerho", "community_room meeting"),
        ("klubbrum", "community_room"), ("invånar", "community_room meeting"), ("community", "community_room meeting"),
        ("koulun sali", "school_hall"), ("koulu", "school_hall classroom"), ("skolsal", "school_hall"), ("skola", "school_hall classroom"),
        ("school", "school_hall classroom"), ("esiintymis", "stage concert"), ("lava", "stage concert"), ("scen", "stage concert"),
        ("stage", "stage concert"), ("taide", "art_studio crafts"), ("ateljé", "art_studio"), ("konst", "art_studio crafts exhibition"),
        ("art", "art_studio crafts exhibition"), ("etätyö", "coworking"), ("yhteistyö", "coworking"), ("työtila", "coworking study"),
        ("distansarbet", "coworking"), ("arbetsrum", "coworking"), ("co-working", "coworking"), ("coworking", "coworking"),
        ("kaukalo", "rink"), ("rink", "rink"), ("isbana", "rink"), ("ishall", "rink"), ("luistin", "rink"),
        ("klassrum", "classroom"), ("opetus", "classroom course"), ("undervisning", "classroom course"), ("pihapeli", "play"),
        ("leikkipuisto", "playground"), ("lekplats", "playground"), ("lekpark", "playground"), ("playground", "playground"),
        ("grillplats", "barbecue_spot"), ("grillipaikka", "barbecue_spot"), ("ulko", "outdoor_event park"),
        ("videopeli", "gaming"), ("pelaami", "gaming ball_games"), ("spel", "gaming ball_games"), ("game", "gaming ball_games"),
        ("syyskoko", "annual_meeting meeting"), ("kevätkoko", "annual_meeting meeting"), ("vårmöte", "annual_meeting meeting"),
        ("höstmöte", "annual_meeting meeting"), ("general meeting", "annual_meeting meeting"), ("class", "course exercise dance"), ("sångkör", "choir music"),
        ("replokal", "music music_studio"), ("repsal", "music_studio dance_studio"), ("peilisali", "dance_studio"), ("spegelsal", "dance_studio"),
        ("banquet hall", "banquet_hall"), ("barbecue spot", "barbecue_spot"), ("dog field", "dog_field"), ("classroom", "classroom course"),
        ("children’s", "childrens_party play"), ("children's party", "childrens_party party"), ("children’s party", "childrens_party party"),
        ("children's birthday", "childrens_party party"), ("children’s birthday", "childrens_party party"),
        ("lasten juhl", "childrens_party party"), ("lasten synttär", "childrens_party party"), ("lasten syntymäp", "childrens_party party"),
        ("outdoor event", "outdoor_event"), ("youth work", "youth_work youth_space"), ("sauna evening", "sauna"),
        ("street party", "street outdoor_event"), ("gata", "street outdoor_event"), ("motion", "exercise"),
        ("työskentely", "coworking study"), ("myyjäi", "market market_stall"), ("sports club", "exercise ball_games meeting"),
        ("vene", "berth"), ("båt", "berth"), ("boat", "berth"), ("berth", "berth"), ("laituri", "berth"),
        ("katu", "street outdoor_event"), ("gatu", "street outdoor_event"), ("street", "street outdoor_event"),
    )
)  # fmt: skip

# Words that say nothing about which space is meant.
STOP = frozenset(
    (
        "tila tilan tilaa tilat paikka paikan huone sopiva varata lähellä luona ja tai vapaa ensi tulevana tänä"
        " lokal lokaler utrymme rum plats nära vid och eller ledig för en ett som på nästa kommande denna i den här"
        " space spaces room rooms place venue near by at for with and or free a an the of to in my our us we need looking"
        " taloyhtiö taloyhtiön bostadsbolag bostadsbolaget bostadsbolagets"
        " vuoro vuoron vuorot pass slot yhdistys yhdistyksen yhdistyksemme seura seuran förening föreningen föreningens"
        " association association's club klubb kautta meille oss ryhmä ryhmälle grupp gruppe group person"
        " päivä päivän päiväksi dag dagar day days arki vardag weekday"
        " find book next this coming on under over before after klo kl"
    ).split()
)


def meanings(word: str) -> frozenset[str]:
    """Codes of purposes and kinds that the word stands for; the longest beginning that fits decides."""
    fitting = [(len(prefix), codes) for prefix, codes in SYNONYMS if word.startswith(prefix)]
    return max(fitting, default=(0, frozenset()), key=lambda pair: pair[0])[1]


def search_words(text: str) -> list[str]:
    """The words worth looking for, at most eight."""
    words = re.findall(r"[^\W_][\w’'-]*", text.lower())
    for n, pair in reversed(list(enumerate(pairwise(words)))):
        # "annual meeting" is one thing, and no room is described as annual.
        if any(" " in prefix and " ".join(pair).startswith(prefix) for prefix, _ in SYNONYMS):
            words[n : n + 2] = [" ".join(pair)]
    return [word for word in words if word not in STOP and len(word) > 1][:8]
