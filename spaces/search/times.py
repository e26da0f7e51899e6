"""When: days, windows of days and hours in what people write, in Finnish, Swedish and English.

Days are local dates of the city, hours minutes of its wall clock from midnight. A wrong guess would book the wrong day,
so only plain forms are understood, and the page shows what was understood so that it can be mended. Rules: a weekday is
the coming one, today counted unless "next" is said; several weekdays or "every" make a window of four weeks unless a
period is said; an hour in words is of the afternoon up to eight; a date without a year is the coming one.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from spaces.search.numerals import HOUR_MARK, with_digits

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
# How long a repeated weekday is looked for, and the longest window that may be asked.
DEFAULT_DAYS = 28
MOST_YEARS = 9  # nobody means a month of a later year
MOST_WINDOW_DAYS = 92
# A beginning without an end or a length.
OPEN_MINUTES = 240

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
WEEKDAYS, WEEKEND = frozenset(range(5)), frozenset({5, 6})

# Parts of the day as minutes from midnight.
MORNING, FORENOON, AFTERNOON, EVENING = (
    (7 * 60, 12 * 60),
    (9 * 60, 12 * 60),
    (12 * 60, 17 * 60),
    (17 * 60, 22 * 60),
)
# The first pattern names a time wherever it stands, and "in the evening" without a day means today's; the second only at
# the beginning of a piece, behind a weekday that was read: a "party evening" is no time.
PARTS: tuple[tuple[str, str, tuple[int, int]], ...] = (
    (r"aamupäiv(?:ällä|isin)|på förmiddag(?:en|arna)", r"aamupäiv\w*|ap|förmiddag\w*|fm", FORENOON),
    (
        r"iltapäiv(?:ällä|isin)|på eftermiddag(?:en|arna)|in the afternoons?",
        r"iltapäiv\w*|ip|eftermiddag\w*|em|afternoons?",
        AFTERNOON,
    ),
    (
        r"illalla|iltaisin|på kväll(?:en|arna)|in the evenings?|tonight",
        r"(?:ilta|iltana|iltaisin|illaksi|illoin|iltoina|iltojen|illoille|illoista|illan)|kväll(?:en|ar|arna|s)?|evenings?|nights?",
        EVENING,
    ),
    (
        r"aamulla|aamuisin|på (?:morgonen|morgnarna)|in the mornings?",
        r"(?:aamu|aamuna|aamuisin|aamun|aamuksi)|morgon(?:en|nar)?|morgnar|bitti|mornings?",
        MORNING,
    ),
)

I = re.IGNORECASE  # noqa: E741 - one letter keeps the tables readable
AT = r"(?:kello|klo\.?|klockan|kl\.?|at|from|between|från|mellan|alkaen|mistä)"
CLOCK = r"([01]?\d|2[0-4])(?:[.:]([0-5]\d))?(?:\s*(am|pm|a\.m\.|p\.m\.)(?!\w))?"
RANGE = re.compile(
    rf"(?<![\d.:€])(?:\b{AT}\s+){{0,2}}(?:\b{AT}\s*)?\b{CLOCK}\s*(?:-|–|—|to|till|til|until|och|and|ja)\s*(?:\b{AT}\s*)?{CLOCK}(?![.:]?\d)(?!\s*(?:€|eur|h\b|%))",
    I,
)
FROM = re.compile(
    rf"(?<![\d.:])(?:\b{AT}\s+){{0,2}}\b{AT}\s*{CLOCK}(?![.:]?\d)(?:\s+(?:alkaen|lähtien|eteenpäin|onwards|och framåt))?"
    r"|(?<![\d.:])\b([01]?\d)(?:[.:]([0-5]\d))?\s*(am|pm|a\.m\.|p\.m\.)(?!\w)"
    r"|(?<![\d.:])\b([01]?\d|2[0-3])[.:]([0-5]\d)()(?![.:]?\d)\s+(?:alkaen|lähtien|onwards)",
    I,
)
# Spoken hours, made into clocks before the rest is read: puoli seitsemän, halv sju, half past six, kvart över sex.
SPOKEN: tuple[tuple[re.Pattern[str], int, int], ...] = tuple(
    (re.compile(pattern, I), hours, minute)
    for pattern, hours, minute in (
        (rf"(?:\b{AT}\s*)?\b(?:puoli|halv)\s+(\d{{1,2}})\b{HOUR_MARK}?(?![.:]\d)", -1, 30),
        (rf"(?:\b{AT}\s*)?\bhalf past (\d{{1,2}})\b{HOUR_MARK}?", 0, 30),
        (
            rf"(?:\b{AT}\s*)?\b(?:varti?n? yli|varttia yli|kvart över|(?:a )?quarter past) (\d{{1,2}})\b{HOUR_MARK}?",
            0,
            15,
        ),
        (rf"(?:\b{AT}\s*)?\b(?:varttia? vaille|kvart i|(?:a )?quarter to) (\d{{1,2}})\b{HOUR_MARK}?", -1, 45),
        (rf"(?:\b{AT}\s*)?\b(\d{{1,2}}){HOUR_MARK}", 0, 0),
    )
)
SPOKEN_UNTIL = 8  # an hour in words before this is after noon, unless morning is said
NOON = re.compile(r"\b(?:noon|midday|keskipäivällä|keskipäivästä|kl\.? tolv på dagen)\b", I)
MIDNIGHT = re.compile(r"\b(?:midnight|keskiyöhön|keskiyöllä|midnatt)\b", I)

SEP = r"\s*(?:-|–|—|to|till|until|asti)\s*"
SAID_CLOCK = r"\b(?:kello|klo\.?|klockan|kl\.?)\s*"
ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
DOTTED_DATE = re.compile(
    r"(?<![\d.:/])(\d{1,2})[./](\d{1,2})(?:[./](\d{4}|\d{2})\b(?![.:]\d)|\.(?!\d)|(?=[\s,|–—-]|$))"
)
# "marraskuuta", "november"; Swedish and English also cut them to three letters.
MONTH_NAME = (
    "(?:" + "|".join(name for names in MONTHS for name in names) + r")\w*"
    r"|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|okt|nov|dec)\b\.?"
)
ORDINAL = r"(?:\.|st|nd|rd|th|:e|:a)?"
NAMED_DATE = re.compile(
    rf"\b(\d{{1,2}}){ORDINAL}\s+(?:of\s+|päivä(?:nä)?\s+)?({MONTH_NAME})(?:,?\s+(\d{{4}}))?"
    rf"|\b({'|'.join(name for names in MONTHS for name in (names[0] + 'n', names[2]))}|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)\s+(\d{{1,2}})(?:\.\s+päivä\w*|\.?:?(?:st|nd|rd|th)|\.|(?![.:]?\d))(?:,?\s+(\d{{4}}))?",
    I,
)
# 7.-11.12. · 7–11 december · joulukuun 7.–11. · December 7-11
DAYS_DOTTED = re.compile(
    rf"(?<![\d.:])(\d{{1,2}})\.{SEP}(\d{{1,2}})\.(\d{{1,2}})(?:\.(\d{{4}})\b|\.|(?=[\s,|]|$))", I
)
DAYS_NAMED = re.compile(
    rf"\b(\d{{1,2}}){ORDINAL}{SEP}(?:den\s+)?(\d{{1,2}}){ORDINAL}\s+(?:of\s+)?({MONTH_NAME})(?:,?\s+(\d{{4}}))?",
    I,
)
DAYS_AFTER_MONTH = re.compile(
    rf"\b({'|'.join(name for names in MONTHS for name in (names[0] + 'n', names[2]))})\s+(\d{{1,2}}){ORDINAL}{SEP}(\d{{1,2}})(?:st|nd|rd|th|\.)?(?![.:]?\d)(?:,?\s+(\d{{4}}))?",
    I,
)
LEADING_DAY = (
    r"(?:(?:"
    + "|".join(name for names in (*MONDAY_FIRST, *SHORT_DAYS) for name in names)
    + r")(?:na|n|en)?[.,]?\s+)?"
)

AHEAD: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern, I), days)
    for pattern, days in (
        (r"\b(?:ylihuomen\w*|ylihuomis\w*|i ?övermorgon|(?:the )?day after tomorrow)\b", 2),
        (r"\b(?:huomen\w*|huomis\w*|i ?morgon|tomorrow)\b", 1),
        (r"\b(?:tänään|täksi päiväksi|i ?dag|today|juuri nyt|nyt|just nu|nu|right now|now)\b", 0),
    )
)
TONIGHT = re.compile(
    r"\b(?:tänä (?=iltana|aamuna)|i ?(?=kväll\b)|(?=tonight\b)|this (?=evening|morning|afternoon))", I
)
LATER = re.compile(
    r"\b(\d{1,2}|yhden)? ?(viikon|päivän|kuukauden) (?:päästä|päähän|kuluttua)"
    r"|\bom (\d{1,2}|en) (veck\w+|dag\w*|månad\w*)|\bin (\d{1,2}|an?) (weeks?|days?|months?)(?: time|['’] time)?\b",
    I,
)
PERIOD = re.compile(
    r"\b(?:seuraavien|seuraavat|seuraavan|tulevien|lähimmän|lähimpien|lähinnä|ensi)?\s*\b(\d{1,2})?\s*(viikon|viikkoa|kuukauden|kuukautta|päivän) (?:aikana|ajan|ajaksi|sisällä|kuluessa)\b"
    r"|\b(?:seuraavat|seuraavien|tulevat|tulevien|lähimmät) (\d{1,2}) (viikkoa|viikon|kuukautta|kuukauden|päivää|päivän)\b"
    r"|\b(?:(?:under|inom|i|för) )?(?:de )?(?:närmaste|nästa|kommande|följande) (\d{1,2}|en|ett)? ?(veckor\w*|dagar\w*|månader\w*|månaden)\b"
    r"|\b(?:inom|under) (\d{1,2}|en|ett) (veck\w+|dagar|månad\w*)\b|\bi (\d{1,2}|en) (veckor|vecka|månader|månad)\b"
    r"|\b(?:(?:for|in|over|during|within) )?(?:the )?(?:next|coming|following) (\d{1,2}) (weeks|days|months)\b"
    r"|\b(?:for|within) (\d{1,2}|an?) (weeks?|months?)\b",
    I,
)
NEXT = re.compile(r"\b(?:ensi|seuraava(?:na|lla|n)?|nästa|next)\s*$", I)
NEXT_WEEK = re.compile(
    r"\b(?:ensi viikon|ensi viikolla|ensi viikoksi|ensi viikko|nästa veckas?|next week(?:['’]?s)?)\b", I
)
THIS_WEEK = re.compile(
    r"\b(?:tällä viikolla|tämän viikon|denna vecka|den här veckan|(?:in )?this week(?:['’]?s)?)\b", I
)
NEXT_MONTH = re.compile(r"\b(?:ensi kuussa|ensi kuun aikana|nästa månad|next month)\b", I)
THIS_MONTH = re.compile(r"\b(?:tässä kuussa|denna månad|den här månaden|this month)\b", I)
WEEK_NUMBER = re.compile(
    r"\b(?:viiko(?:lla|illa|n)|viikot|veckorna|veckan?|weeks?|vko|v\.)\s*(\d{1,2})(?:\s*[-–]\s*(\d{1,2}))?\b(?![.:]\d)",
    I,
)
MONTH_WINDOW = re.compile(
    r"(?:\b(?:(?P<since>" + "|".join(names[0][:-3] for names in MONTHS) + r")\s*[-–]\s*)?("
    + "|".join(names[0] for names in MONTHS) + r")(?:ssa|n aikana|lle|ksi)\b"
    + r"|\b(?:in|i|during|under|this|next)\s+(" + "|".join(dict.fromkeys(name for names in MONTHS for name in names[1:])) + r")\b(?!\s+\d{1,2}\b(?!\d))"
    + r")(?:\s+(\d{4}))?",
    I,
)  # fmt: skip
ORDINAL_WEEKS = (
    ("ensimmäise", "första", "first"),
    ("toise", "andra", "second"),
    ("kolmanne", "tredje", "third"),
    ("viimeise", "sista", "last"),
)
WEEK_OF_MONTH = re.compile(
    r"\b(" + "|".join(names[0] for names in MONTHS) + r")n\s+(ensimmäise|toise|kolmanne|viimeise)\w+ viiko\w+"
    r"|\b(?:(?:under |i |den )?(första|andra|tredje|sista) veckan i|(?:in |during )?(?:the )?(first|second|third|last) week (?:of|in))\s+("
    + "|".join(dict.fromkeys(name for names in MONTHS for name in names[1:])) + r")\b",
    I,
)  # fmt: skip

WEEKEND_WORD = re.compile(
    r"\b(?:(ensi|tulevana|tänä|nästa|next|this|the|i|på)\s+)?(?:at\s+)?(viikonlop(?:puna|un|uksi|puisin|pu|ulle)|helger(?:na)?|helgen|helg|weekends?)\b",
    I,
)
ON_WEEKDAYS = re.compile(
    r"\b(?:on\s+|på\s+)?(?:arki(?:päivä\w*|sin|na)?|vardags?(?:ar(?:na)?|en)?|(?:every\s+)?weekdays?)(?=\b|-?ilta|-?illat|-?aamu|-?kväll)", I
)  # fmt: skip
LONG_DAY = (
    r"(?:" + "|".join(f"(?P<d{number}>{'|'.join(names)})" for number, names in enumerate(MONDAY_FIRST)) + ")"
)
EVERY = r"(?:joka|jokaisena|varje|every|each|alla)\s+"
ONE_DAY = re.compile(
    rf"(?:\b(?:on|på)\s+)?(?P<every>\b{EVERY})?\b{LONG_DAY}(?P<many>sin|isin|ar(?:na)?|s)?(?:na|n|lla|ksi|sta|hin|in|en)?"
    r"(?=\b|ilta|illa|aamu|kväll|morgon|eftermiddag|förmiddag|-)",
    I,
)
SHORT_DAY = re.compile(
    r"(?:"
    + "|".join(f"(?P<d{number}>{'|'.join(names)})" for number, names in enumerate(SHORT_DAYS))
    + r")\b\.?",
    I,
)
# A short name counts in a sentence only where a time follows, or another one does.
SHORT_IN_SENTENCE = re.compile(
    rf"\b{SHORT_DAY.pattern}(?=\s*(?:-|–)?\s*(?:klo|kello|kl\b|at\b|\d|\||$))",
    I,
)
SHORT_PAIR = re.compile(
    r"\b(" + "|".join(name for names in SHORT_DAYS for name in names) + r")\.?\s*(-|–|,|ja|och|and|&|to|till)\s*("
    + "|".join(name for names in SHORT_DAYS for name in names) + r")\b\.?(?:\s*(?:,|ja|och|and|&)\s*("
    + "|".join(name for names in SHORT_DAYS for name in names) + r")\b\.?)?",
    I,
)  # fmt: skip
JOINED = re.compile(r"\s*(?:,|ja|och|and|&|tai|eller|or|\+|/)\s*(?:(?:on|på)\s+)?", I)
FILLERS = re.compile(
    r"\b(ensi|seuraavana|tulevana|tänä|nästa|på|den här|den|kommande|denna|next|this|coming|on|the|in|i|alkaen|kello|klo|kl)\b\.?",
    I,
)
MARK = " | "


@dataclass(frozen=True)
class When:
    """A local day and a window of it, in minutes from midnight; the whole day where no time was said.

    With `last_day`, every day up to it that is one of `weekdays` (0 is Monday; none means all) is meant; `day` is the
    first of them.
    """

    day: date
    start_minute: int = 0
    end_minute: int = 1440
    last_day: date | None = None
    weekdays: frozenset[int] = frozenset()

    @property
    def has_time(self) -> bool:
        return (self.start_minute, self.end_minute) != (0, 1440)


def window_of(first: date, last: date, weekdays: frozenset[int] = frozenset()) -> When | None:
    """The days from `first` to `last` that are such weekdays; None where there is none."""
    if last.year == date.max.year:
        return None
    day = first
    while weekdays and day.weekday() not in weekdays and day <= last:
        day += DAY
    if day > last:
        return None
    return When(day) if day == last else When(day, last_day=last, weekdays=weekdays)


def days_of(when: When) -> Iterator[date]:
    """The days meant, in order."""
    day = when.day
    while day <= (when.last_day or when.day):
        if not when.weekdays or day.weekday() in when.weekdays:
            yield day
        day += DAY


def read_when(
    text: str, *, today: date, alone: bool = False, minutes: int | None = None
) -> tuple[When | None, str]:
    """(days and hours, the rest of the text). A time without a day means today.

    With `alone` the field holds nothing else, and short names of weekdays count everywhere; in a sentence "la" or "to"
    may mean anything, and "peli-ilta" is no evening of today. `minutes` is the length said, which ends what only begins.
    """
    spoken = speak_clocks(with_digits(text))
    when, rest = _read_dates(spoken, today)
    hours, rest = _read_clock(rest, minutes)
    if when is None:
        when, rest = _read_days(rest, today, alone=alone)
    by_clock = hours is not None
    hours, plain, rest = _read_part(rest, hours)
    if when is None and (hours is None or not (alone or by_clock or plain)):
        return None, text
    rest = tidy(FILLERS.sub(" ", rest)) if alone else rest
    start, end = hours or (0, 1440)
    return replace(when or When(today), start_minute=start, end_minute=end), rest


def speak_clocks(text: str) -> str:
    """ "halv sju" as a clock: kl 18.30. An hour in words before eight is after noon unless morning is said."""
    is_morning = re.search(r"\b(?:aamu\w*|morgon\w*|bitti|mornings?|am|a\.m\.)\b", text, I) is not None

    def clock(hour: int, minute: int) -> str:
        late = not is_morning and hour < SPOKEN_UNTIL
        return f"kl {hour + 12 if late else hour}.{minute:02d}"

    text = MIDNIGHT.sub("24.00", NOON.sub("12.00", text))
    for pattern, hours, minute in SPOKEN:
        text = pattern.sub(
            lambda match, hours=hours, minute=minute: (  # type: ignore[misc]
                clock((int(match[1]) + hours) % 24, minute) if int(match[1]) <= 12 else match[0]
            ),
            text,
        )
    return text


def _read_dates(text: str, today: date) -> tuple[When | None, str]:
    """Dates in figures and by month: one, a run of them, or two with a line between."""
    if match := DAYS_DOTTED.search(text):
        first, last = int(match[1]), int(match[2])
        found = _run(first, last, int(match[3]), _year(match[4]), today)
        if found is not None:
            return found, cut_date(text, match)
    match = DAYS_NAMED.search(text)
    if match is not None and not _is_hour(text, match):
        found = _run(int(match[1]), int(match[2]), month_number(match[3]), _year(match[4]), today)
        if found is not None:
            return found, cut_date(text, match)
    match = DAYS_AFTER_MONTH.search(text)
    # Of "4 December 18-21" the 18 is an hour.
    if match is not None and not re.search(rf"\d{ORDINAL}\s+(?:of\s+)?$", text[: match.start()], I):
        found = _run(int(match[2]), int(match[3]), month_number(match[1]), _year(match[4]), today)
        if found is not None:
            return found, cut_date(text, match)
    found_date = _find_date(text, today)
    if found_date is None:
        return None, text
    day, match = found_date
    line = re.match(rf"(?:{SEP})(?:den\s+)?{LEADING_DAY}", text[match.end() :], I)
    if line is not None:
        at = match.end() + line.end()
        other = _find_date(text[at:], day)
        if other is not None and other[1].start() == 0:
            weekdays, *_, rest = _read_weekdays(
                before_date(text, match) + MARK + text[at + other[1].end() :], alone=False
            )
            when = window_of(day, other[0], weekdays)
            if when is not None:
                return when, rest
    return When(day), cut_date(text, match)


def _find_date(text: str, today: date) -> tuple[date, re.Match[str]] | None:
    if match := ISO_DATE.search(text):
        found = _date(int(match[1]), int(match[2]), int(match[3]))
        return None if found is None else (found, match)
    candidates = []
    match = NAMED_DATE.search(text)
    if match is not None and not (match[1] and _is_hour(text, match)):
        name, number, year = match[2] or match[4], match[1] or match[5], match[3] or match[6]
        found = _coming(int(number), month_number(name), _year(year), today)
        if found is not None:
            candidates.append((match.start(), found, match))
    for match in DOTTED_DATE.finditer(text):
        if re.search(r"\b(?:klo|kello|kl\.?|klockan|at)\s*$", text[: match.start()], I):
            continue
        found = _coming(int(match[1]), int(match[2]), _year(match[3]), today)
        if found is not None:
            candidates.append((match.start(), found, match))
            break
    if not candidates:
        return None
    _, day, match = min(candidates, key=lambda candidate: candidate[0])
    return day, match


def _run(first: int, last: int, month: int, year: int | None, today: date) -> When | None:
    """The days from `first` to `last` of one month."""
    end = _coming(last, month, year, today)
    if end is None or not 1 <= first <= end.day:
        return None
    return window_of(end.replace(day=first), end)


def _read_days(text: str, today: date, *, alone: bool) -> tuple[When | None, str]:
    """Days by their distance, their weekday or the week or month they lie in."""
    for pattern, ahead in AHEAD:
        if match := pattern.search(text):
            return When(today + ahead * DAY), cut(text, match)
    if match := TONIGHT.search(text):
        return When(today), cut(text, match)
    if match := LATER.search(text):
        day, rest = _later(match, today), cut(text, match)
        weekdays, *_, after = _read_weekdays(rest, alone=alone)
        if len(weekdays) == 1:  # in a week, on Tuesday
            return When(day + (min(weekdays) - day.weekday()) * DAY), after
        return When(day), rest
    period, rest = _read_period(text, today)
    weekdays, repeated, is_next, rest = _read_weekdays(rest, alone=alone)
    if period is None and not weekdays:
        return None, text
    first, last, kind = period or (today, today + (DEFAULT_DAYS - 1) * DAY, "")
    if not weekdays:
        return window_of(max(first, today), last), rest
    if len(weekdays) == 1 and not repeated and kind in {"", "week"}:
        (number,) = weekdays
        start = first if kind else today
        day = next_weekday(start, number)
        if is_next and not kind and day == today:
            day += WEEK
        if kind and day > last:
            return None, text
        return When(day), rest
    if weekdays == WEEKEND and not repeated and period is None:
        return _weekend(today, is_next=is_next), rest
    when = window_of(max(first, today), last, weekdays)
    if when is not None and period is None and when.last_day is not None:
        when = replace(when, last_day=max(days_of(when)))
    return when, rest


def _weekend(today: date, *, is_next: bool) -> When | None:
    """The coming weekend, or what is left of this one."""
    saturday = next_weekday(today, 5) if today.weekday() < 6 else today - DAY
    if is_next and today.weekday() >= 5:
        saturday += WEEK
    sunday = saturday + DAY
    return window_of(max(saturday, today), sunday, WEEKEND)


def _read_period(text: str, today: date) -> tuple[tuple[date, date, str] | None, str]:
    """((first day, last day, "week" or "long"), rest)."""
    monday = today - today.weekday() * DAY
    if match := PERIOD.search(text):
        groups = [group for group in match.groups() if group]
        count = int(groups[0]) if groups and groups[0].isdigit() else 1
        unit = groups[-1].lower()
        if unit.startswith(("viik", "veck", "week")):
            last = today + (7 * count - 1) * DAY
        elif unit.startswith(("päiv", "dag", "day")):
            last = today + (count - 1) * DAY
        else:
            last = _months_on(today, count) - DAY
        return (today, last, "long"), cut(text, match)
    if match := NEXT_WEEK.search(text):
        return (monday + WEEK, monday + 13 * DAY, "week"), cut(text, match)
    if match := THIS_WEEK.search(text):
        return (today, monday + 6 * DAY, "week"), cut(text, match)
    if match := WEEK_OF_MONTH.search(text):
        return _week_of_month(match, today), cut(text, match)
    if match := WEEK_NUMBER.search(text):
        weeks = _numbered(int(match[1]), int(match[2] or match[1]), today)
        if weeks is not None:
            return weeks, cut(text, match)
    for pattern, ahead in ((NEXT_MONTH, 1), (THIS_MONTH, 0)):
        if match := pattern.search(text):
            first = _months_on(today.replace(day=1), ahead)
            return (first, _months_on(first, 1) - DAY, "long"), cut(text, match)
    if match := MONTH_WINDOW.search(text):
        month, year = month_number(match[2] or match[3]), _year(match[4])
        if year is not None and year > today.year + MOST_YEARS:
            return None, text
        first = _month_from(month, year, today)
        last = _months_on(first, 1) - DAY
        if match["since"]:
            first = _month_from(month_number(match["since"] + "kuu"), year, today)
        return (first, last, "long"), cut(text, match)
    return None, text


def _week_of_month(match: re.Match[str], today: date) -> tuple[date, date, str]:
    name, said = match[1] or match[5], (match[2] or match[3] or match[4]).lower()
    first = _month_from(month_number(name), None, today)
    number = next(n for n, words in enumerate(ORDINAL_WEEKS) if said in words)
    if number == 3:
        last = _months_on(first, 1) - DAY
        return last - 6 * DAY, last, "long"
    return first + number * WEEK, first + number * WEEK + 6 * DAY, "long"


def _month_from(month: int, year: int | None, today: date) -> date:
    """The first day of that month; of the coming one where no year is said."""
    return date(year or (today.year if month >= today.month else today.year + 1), month, 1)


def _numbered(first: int, last: int, today: date) -> tuple[date, date, str] | None:
    """ISO weeks of this year, or of the next where they have passed."""
    for year in (today.year, today.year + 1):
        try:
            monday, sunday = date.fromisocalendar(year, first, 1), date.fromisocalendar(year, last, 7)
        except ValueError:
            continue
        if monday <= sunday and sunday >= today:
            return monday, sunday, "week" if first == last else "long"
    return None


def _later(match: re.Match[str], today: date) -> date:
    number, unit = next((match[n], match[n + 1]) for n in (1, 3, 5) if match[n + 1])
    count = int(number) if number and number.isdigit() else 1
    if unit.lower().startswith(("viik", "veck", "week")):
        return today + count * WEEK
    if unit.lower().startswith(("päiv", "dag", "day")):
        return today + count * DAY
    return _months_on(today, count)


def _read_weekdays(text: str, *, alone: bool) -> tuple[frozenset[int], bool, bool, str]:
    """(weekdays, whether they are meant again and again, whether "next" is said, rest)."""
    if match := ON_WEEKDAYS.search(text):
        return WEEKDAYS, True, False, cut(text, match)
    if match := WEEKEND_WORD.search(text):
        word, before = match[2].lower(), (match[1] or "").lower()
        repeated = word.endswith(("sin", "er", "erna", "ends")) and before != "i"
        return WEEKEND, repeated, before in {"ensi", "nästa", "next"}, cut(text, match)
    if match := ONE_DAY.search(text):
        return _joined_days(text, match)
    if match := SHORT_PAIR.search(text):
        first, last = short_number(match[1]), short_number(match[3])
        if match[2] in {"-", "–", "to", "till"}:
            days = frozenset((first + n) % 7 for n in range((last - first) % 7 + 1))
        else:
            days = frozenset({first, last} | ({short_number(match[4])} if match[4] else set()))
        return days, True, False, cut(text, match)
    short = re.search(rf"\b{SHORT_DAY.pattern}", text, I) if alone else SHORT_IN_SENTENCE.search(text)
    if short is not None:
        return frozenset({_weekday(short)}), False, False, cut(text, short)
    return frozenset(), False, False, text


def _joined_days(text: str, match: re.Match[str]) -> tuple[frozenset[int], bool, bool, str]:
    """tiistaisin ja torstaisin; måndag–fredag; every Monday."""
    days, end = {_weekday(match)}, match.end()
    repeated = bool(match["every"] or match["many"] in {"sin", "isin", "ar", "arna", "s"})
    before = NEXT.search(text[: match.start()])
    start = before.start() if before else match.start()
    while True:
        line = re.compile(r"\s*(?:-|–|to|till)\s*").match(text, end)
        other = ONE_DAY.match(text, line.end()) if line else None
        if other is not None:
            first = _weekday(match)
            days |= {(first + n) % 7 for n in range((_weekday(other) - first) % 7 + 1)}
            end, repeated = other.end(), True
            continue
        joint = JOINED.match(text, end)
        other = ONE_DAY.match(text, joint.end()) if joint else None
        if other is None:
            break
        days.add(_weekday(other))
        end, repeated = other.end(), True
    return frozenset(days), repeated, before is not None, text[:start] + MARK + text[end:]


def _weekday(match: re.Match[str]) -> int:
    return next(number for number in range(7) if match[f"d{number}"])


def short_number(name: str) -> int:
    return next(number for number, names in enumerate(SHORT_DAYS) if name.lower() in names)


def _read_clock(text: str, minutes: int | None) -> tuple[tuple[int, int] | None, str]:
    is_morning = re.search(r"\b(?:aamu\w*|morgon\w*|bitti|mornings?)\b", text, I) is not None
    for match in RANGE.finditer(text):
        start, end = _minutes(*match.group(1, 2, 3)), _minutes(*match.group(4, 5, 6))
        if is_pm(match[6]) and not match[3] and start + 720 < end:
            start += 720
        if (
            _is_english(match[0])
            and not (match[3] or match[6] or is_morning or match[2])
            and end < SPOKEN_UNTIL * 60
        ):
            start, end = start + 720, end + 720
        if 0 <= start < end <= 1440:
            return (start, end), cut(text, match)
    since = FROM.search(text)
    if since is None:
        return None, text
    hour, minute, half = next(since.group(n, n + 1, n + 2) for n in (1, 4, 7) if since[n])
    start = _minutes(hour, minute, half)
    is_vague = not half and not minute and not is_morning
    if is_vague and start < SPOKEN_UNTIL * 60 and re.match(r"at\b", since[0], I):
        start += 720
    if start >= 1440:
        return None, text
    return (start, min(start + (minutes or OPEN_MINUTES), 1440)), cut(text, since)


def _is_english(text: str) -> bool:
    return re.search(r"\b(?:from|between|at)\b", text, I) is not None


def is_pm(half: str | None) -> bool:
    return bool(half) and str(half).lower().startswith("p")


def _read_part(text: str, hours: tuple[int, int] | None) -> tuple[tuple[int, int] | None, bool, str]:
    """(hours, whether a part of the day is named by itself, rest). Beside a clock a part tells which half of the day the
    clock means: kello kuusi illalla."""
    for anywhere, behind, window in PARTS:
        match = re.search(rf"(?<![\w-])(?:{anywhere})(?![\w-])", text, I)
        plain = match is not None
        match = match or re.search(rf"(?:^|(?<=[|,]))\s*-?(?:{behind})(?![\w-])", text, I)
        if match is None:
            continue
        if hours is None:
            return window, plain, cut(text, match)
        # "10-13 in the evening" is no time of an evening; a mere beginning has an end that nobody said.
        is_morning = hours[1] <= 720 or (hours[0] < 720 and hours[1] - hours[0] == OPEN_MINUTES)
        if window in (EVENING, AFTERNOON) and is_morning and hours[0] + 720 >= window[0] - 60:
            hours = (hours[0] + 720, min(hours[1] + 720, 1440))
        return hours, plain, cut(text, match)
    return hours, False, text


def _minutes(hour: str, minute: str | None, half: str | None) -> int:
    hours = int(hour)
    if is_pm(half) and hours < 12:
        hours += 12
    if half and not is_pm(half) and hours == 12:
        hours = 0
    return hours * 60 + int(minute or 0)


def next_weekday(today: date, number: int) -> date:
    """The first such weekday from today on (0 is Monday); today counts."""
    return today + timedelta(days=(number - today.weekday()) % 7)


def month_number(word: str) -> int:
    word = word.lower().rstrip(".")
    return next(number for number, names in enumerate(MONTHS, 1) if _names_month(word, names))


def _names_month(word: str, names: tuple[str, str, str]) -> bool:
    return any(word.startswith(name) or (name.startswith(word[:3]) and len(word) <= 5) for name in names)


def _is_hour(text: str, match: re.Match[str]) -> bool:
    """Whether the first number is one of the clock: of "klo 19-20 joulukuussa" neither is a day."""
    return re.search(rf"{SAID_CLOCK}(?:[\d.:]+{SEP})?$", text[: match.start()], I) is not None


def _year(text: str | None) -> int | None:
    """27 is 2027."""
    return None if not text else int(text) + (2000 if len(text) == 2 else 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(day: int, month: int, year: int | None, today: date) -> date | None:
    """The date in the year said, else the first such date that is not past."""
    if year is not None:
        return _date(year, month, day)
    for candidate in range(today.year, min(today.year + 9, 9999)):  # 29 February waits up to eight years
        found = _date(candidate, month, day)
        if found is not None and found >= today:
            return found
    return None


def _months_on(day: date, count: int) -> date:
    """The same day so many months later, or the last of a shorter month."""
    months = day.year * 12 + day.month - 1 + count
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def before_date(text: str, match: re.Match[str]) -> str:
    """What stands before a date, without the weekday that belongs to it, as in "ti 11.5."."""
    names = "|".join(name for names in (*MONDAY_FIRST, *SHORT_DAYS) for name in names)
    before = re.sub(
        rf"(?:\b(?:on|på)\s+)?\b(?:{names})(?:na|n|en|ksi)?[.,]?\s*(?:den\s+|the\s+)?$",
        " ",
        text[: match.start()],
        flags=I,
    )
    return re.sub(r"\b(?:den|on the)\s*$", " ", before, flags=I)


def cut_date(text: str, match: re.Match[str]) -> str:
    """The text without the date and its weekday."""
    after = re.sub(r"^\s*päivä(?:nä)?\b", " ", text[match.end() :], flags=I)
    return before_date(text, match) + MARK + after


def cut(text: str, match: re.Match[str]) -> str:
    """The text without this piece, and a mark where it was, so that what stood on its sides is not read as one."""
    return text[: match.start()] + MARK + text[match.end() :]


def tidy(text: str) -> str:
    """One line without the marks of what was cut and without lone punctuation."""
    text = text.replace("|", " ")
    return re.sub(r"\s+", " ", re.sub(r"(^|\s)[,;.\-–]+(?=\s|$)", " ", text)).strip(" ,;.-–")
