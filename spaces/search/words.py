"""What people write in the question beside the time, in Finnish, Swedish and English: how many, at what price, for how
long, with what, and what for.

Each reader takes what it understands out of a text and leaves the rest, with a mark where something was (`times.cut`).
Only plain forms are understood, and the page shows what was, so that it can be mended.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

from spaces.search.numerals import HOUR_MARK, with_digits
from spaces.search.times import MARK, cut

# A number, or two of which the larger decides, and who is counted: 25-30 henkilölle, för ungefär 20 gäster.
ABOUT = r"(?:noin|n\.|ainakin|vähintään|enintään|max\.?|ungefär|cirka|ca\.?|runt|minst|högst|about|around|roughly|approximately|approx\.?|at least|up to)"
PEOPLE = re.compile(
    rf"(?:\b(?:för|for)\s+)?(?:\b{ABOUT}\s+)?(?:\b(?:a|ett|en)\s+)?(?<![\d.:,–-])\b(\d{{1,5}})(?:\s*(?:-|–|—|to|till|tai)\s*(\d{{1,5}}))?\s*"
    r"(?:hen(?:keä|kee|gelle|gen|kilöä|kilölle|kilön|kilöllä)|henk?\b\.?|hlö(?:ä|lle|n)?\b\.?|ihmi(?:stä|selle|sen)|osallistuja[an]?\w*|viera(?:sta|alle|an)"
    r"|lasta|lapselle|lapsen|aikuista|aikuiselle|jäsentä|jäsenelle|pelaaja[an]?\w*|soittaja\w*|laulaja\w*|oppila(?:sta|alle)"
    r"|personers?|pers\b\.?|gäster|deltagare|barn\b|vuxna|spelare|medlemmar|elever"
    r"|people|persons?\b|guests?|participants?|attendees|pax|kids|children|adults|players|members|students)",
    re.IGNORECASE,
)
# "hall for 100": a number after "for" counts people unless it counts money or time.
FOR_NUMBER = re.compile(
    rf"\b(?:för|for)\s+(?:{ABOUT}\s+)?(\d{{1,5}})(?:\s*(?:-|–)\s*(\d{{1,5}}))?\b"
    r"(?!\s*(?:[€.:/,-]|e\b|eur|h\b|hours?|hrs?\b|min|days?|timm|tim\b|dag|weeks?|veck|months?|månad|am\b|pm\b))",
    re.IGNORECASE,
)
BARE_NUMBER = re.compile(r"\D*(\d{1,5})\D*")

LIMIT = (
    r"(?:enintään|alle|max(?:imissaan)?|maksimi|korkeintaan|halvempi kuin|högst|upp till|under|billigare än|mindre än"
    r"|at most|up to|below|less than|cheaper than|no more than)"
)
CURRENCY = r"(?:€(?!\w)|(?:euroa|euron|euros|euro|eur|e)\b)"
AN_HOUR = r"(?:\s*(?:/|per)\s*(?:h|t|tunti|timme|tim|hour|hr)\b|\s+(?:tunnilta|tunti|tunnissa|i timmen|timmen|an hour|an h)\b)"
PRICE = re.compile(
    rf"\b{LIMIT}\.?\s*(?:€\s*(\d{{1,5}})(?![\d])|(\d{{1,5}})\s*{CURRENCY}){AN_HOUR}?|\b(\d{{1,5}})\s*{CURRENCY}{AN_HOUR}",
    re.IGNORECASE,
)

# "free" alone means that nobody has booked it.
FREE_OF_CHARGE = re.compile(
    r"\b(?:maksut(?:on|tom\w*|ta)|ilmai(?:nen|se\w*|st\w*)|ilmaiseksi|veloituksetta|avgiftsfri\w*|kostnadsfri\w*|gratis|free of charge|for free|no charge|at no cost)\b",
    re.IGNORECASE,
)

WHOLE_DAY = re.compile(
    r"\b(?:koko päivä\w*|päiväksi|(?:för )?en (?:hel )?dag|(?:för )?hela dagen|heldag\w*|for (?:a|one) (?:whole |full )?day"
    r"|(?:for )?(?:the )?(?:whole|full|all) day)\b",
    re.IGNORECASE,
)
WHOLE_DAY_MINUTES = 480
LONGEST_HOURS = 24
HOURS = re.compile(
    r"(?:\b(?:for|i|under|minst|ainakin|vähintään|at least)\s+)?(?<![\d.,:–/€-])\b(\d{1,2})(?:[,.]([05]))?\s*"
    r"(?:h|t|tim|tuntia|tunti|tunnin|tunniksi|tunnille|timmar|timme|timmes|hours?|hrs?)\b(?!\s*(?:sitten|päästä|ago))",
    re.IGNORECASE,
)
MINUTES = re.compile(
    r"(?:\b(?:for|i)\s+)?(?<![\d.,:–-])\b(\d{2,3})\s*(?:min|minuuttia|minuutiksi|minuutin|minuter|minutes?|mins)\b\.?",
    re.IGNORECASE,
)

# Whom the place must suit, facts that it must have, and its equipment: the words of three languages for our codes. The
# first that fits takes its words, so the narrower ones stand first.
Codes = tuple[tuple[str, str], ...]
ACCESS_WORDS: Codes = (
    ("accessible_toilet", r"(?:esteet(?:ön|tömä\w*)|inva)[ -]?(?:wc|vessa\w*)|invavessa\w*|(?:tillgänglig\w*|handikapp)[ -]?(?:toalett\w*|wc)|rwc|(?:accessible|disabled) (?:toilets?|wc|bathrooms?)"),
    ("accessible_parking", r"(?:esteet(?:ön|tömä\w*)|inva)[ -]?(?:pysäköin\w*|parkki\w*|paikoitus)|(?:tillgänglig\w*|handikapp)[ -]?parkering\w*|(?:accessible|disabled) parking"),
    ("induction_loop", r"(?:induktio|kuulo)silmuk\w*|(?:hör|hörsel|induktions|teleslinga)slinga\w*|hörslinga\w*|teleslinga\w*|(?:hearing|induction) loops?"),
    ("lift", r"hissi|hissillä|hissin|hissiä|hiss(?:en)?|lifts?|elevators?"),
    ("step_free_entrance", r"esteet(?:ön|tömä\w*|tä)|esteettömyys|portaat(?:on|tom\w*)|tillgänglig\w*|stegfri\w*|accessible|step-free"),
)  # fmt: skip
SUITS_WORDS: Codes = (
    ("wheelchair", r"pyörätuoli\w*(?:\s+pääsee|\s+pääsy)?|rullstol\w*(?:användare)?|wheelchairs?(?:[ -](?:users?|accessible|access|friendly))?"),
    ("rollator", r"rollaattor\w*|rollator\w*"),
)  # fmt: skip
EQUIPMENT_WORDS: Codes = (
    ("projector", r"projektor\w*|videotyk\w*|datatyk\w*|projectors?|beamer"),
    ("screen", r"valkokan\w*|näyttö|näytöllä|(?:tv-?|storbilds|bild)?skärm(?:en)?|screens?"),
    ("whiteboard", r"valkotaulu\w*|fläppitaulu\w*|skrivtavl\w*|whiteboard\w*"),
    ("video_conference", r"videoneuvottelu\w*|etäyhtey\w*|videokonferens\w*|video ?conferenc\w*"),
    ("sound_system", r"äänentoisto\w*|kaiuttim\w*|ljudanläggning\w*|högtalare|sound systems?|speakers"),
    ("microphone", r"mikrofon\w*|mikki|microphones?"),
    ("piano", r"piano\w*|flyyge\w*|flyge\w*"),
    ("kitchen", r"keittiö\w*|kök|köket|kitchen\w*"),
    ("coffee_maker", r"kahvinkeit\w*|kaffe(?:kokare|bryggare)\w*|coffee (?:maker|machine)s?"),
    ("tables", r"pöydät|pöytiä|pöydillä|bord|tables?(?! tennis)"),
    ("chairs", r"tuolit|tuoleja|tuoleilla|stolar|chairs"),
    ("wifi", r"wi-?fi|wlan|langaton verkko"),
    ("floorball_sticks", r"sählymail\w*|innebandyklubbor|floorball sticks?"),
    ("mirror_wall", r"peiliseinä\w*|peilit|peilejä|spegelvägg\w*|mirror walls?|mirrors"),
    ("drum_kit", r"rummu(?:t|illa)|rumpuja|rumpusetti\w*|trummor\w*|trumset\w*|drums?|drum kits?"),
    ("amplifiers", r"vahvistim\w*|vahvistin|förstärkare\w*|amplifiers?|amps"),
    ("sewing_machine", r"ompelukone\w*|symaskin\w*|sewing machines?"),
    ("electricity", r"sähköt|sähköä|sähköliit\w*|eluttag|elström|electricity"),
    ("water", r"vesipiste\w*|juokseva vesi|rinnande vatten|running water"),
    ("lighting", r"valaistus|valaistu|belysning|floodlights"),
    ("showers", r"suihku\w*|dusch\w*|showers?"),
    ("changing_rooms", r"pukuhuone\w*|omklädningsrum\w*|changing rooms?"),
    ("toilet", r"wc|vessa\w*|toalett\w*|toilets?"),
    ("parking", r"pysäköinti\w*|parkkipai\w*|parkering\w*|parking"),
    ("bike_racks", r"pyöräteline\w*|cykelställ\w*|bike racks?"),
    ("lockers", r"lokerik\w*|säilytyslokero\w*|lockers"),
    ("air_conditioning", r"ilmastoin\w*|ilmastoitu|luftkonditioner\w*|air[ -]?condition\w*"),
)  # fmt: skip
AT_ONCE = re.compile(
    r"\b(?:heti (?:vahvist\w+|varattav\w+|varmist\w+)|suoraan varattav\w+|ilman (?:hyväksyntää|vahvistusta)|pikavara\w+"
    r"|direktbokning\w*(?: av)?|direktbokad?\w*|(?:som )?(?:bekräftas|bokas|godkänns) (?:direkt|genast)|utan godkännande"
    r"|instant(?:ly)?(?: (?:book\w*|confirm\w*))?|book(?:able|ed)? at once|immediate confirmation|without approval)\b",
    re.IGNORECASE,
)
# One's own position, which the page has to ask the browser for.
NEAR_ME = re.compile(
    r"\b(?:lähellä minua|minua lähellä|minun lähellä\w*|lähelläni|lähistölläni|lähin|nära mig|i närheten av mig|i min närhet|i mitt område"
    r"|near ?by me|near me|close to me|around me|in my (?:area|neighbou?rhood))\b",
    re.IGNORECASE,
)
NEAR = re.compile(r"\b(?:lähellä|lähistöllä|i närheten|nearby|close by)\s*(?=[,.|]|$)", re.IGNORECASE)


def compiled(codes: Codes) -> dict[str, re.Pattern[str]]:
    return {code: re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE) for code, words in codes}


ACCESS, SUITS, EQUIPMENT = compiled(ACCESS_WORDS), compiled(SUITS_WORDS), compiled(EQUIPMENT_WORDS)


def read_people(text: str, *, alone: bool = False) -> tuple[int | None, str]:
    """(how many, the rest of the text). With `alone` the field holds nothing else and a bare number will do."""
    plain = with_digits(text)
    if match := PEOPLE.search(plain) or FOR_NUMBER.search(plain):
        return max(int(match[1]), int(match[2] or 0)), cut(plain, match)
    if alone and (match := BARE_NUMBER.fullmatch(plain)):
        return int(match[1]), ""
    return None, text


def read_codes(text: str, words: Mapping[str, re.Pattern[str]]) -> tuple[frozenset[str], str]:
    """(the codes whose words the text has, the rest of the text)."""
    found = set()
    for code, pattern in words.items():
        rest = pattern.sub(MARK, text)
        if rest != text:
            found.add(code)
            text = rest
    return frozenset(found), text


def read_at_once(text: str) -> tuple[bool, str]:
    """(whether it must be bookable without an answer, the rest of the text)."""
    rest = AT_ONCE.sub(MARK, text)
    return rest != text, rest


def read_near(text: str) -> tuple[bool, str]:
    """(whether one's own position is meant, the rest of the text)."""
    rest = NEAR_ME.sub(MARK, text)
    return rest != text, rest


def read_price(text: str) -> tuple[int | None, str]:
    """(most euros an hour, the rest of the text); 0 is free of charge."""
    if match := FREE_OF_CHARGE.search(text):
        return 0, cut(text, match)
    if match := PRICE.search(text):
        return int(match[1] or match[2] or match[3]), cut(text, match)
    return None, text


def read_length(text: str) -> tuple[int | None, str]:
    """(minutes that the booking shall last, the rest of the text)."""
    if match := WHOLE_DAY.search(text):
        return WHOLE_DAY_MINUTES, cut(text, match)
    plain = with_digits(text)
    if match := HOURS.search(plain):
        minutes = int(match[1]) * 60 + (30 if match[2] == "5" else 0)
    elif match := MINUTES.search(plain):
        minutes = int(match[1])
    else:
        return None, text
    if not 5 <= minutes <= LONGEST_HOURS * 60:
        return None, text
    return minutes, cut(plain, match)


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
        ("yhtiökoko", "annual_meeting meeting"), ("bolagsstämma", "annual_meeting meeting"), ("stämma", "annual_meeting meeting"), ("agm", "annual_meeting meeting"),
        ("board meeting", "meeting meeting_room"), ("general meeting", "annual_meeting meeting"), ("meeting room", "meeting_room meeting"),
        ("club room", "community_room"), ("community room", "community_room"), ("music room", "music music_studio"),
        ("library room", "library_room"), ("youth centre", "youth_work youth_space"),
        ("youth center", "youth_work youth_space"), ("sports hall", "sports_hall school_hall exercise"), ("lecture hall", "classroom course meeting"),
        ("luento", "classroom course meeting"), ("föreläsning", "classroom course meeting"), ("valmistujais", "party"), ("ylioppilas", "party"),
        ("ristiäis", "party"), ("rippijuhl", "party"), ("examensfest", "party"), ("studentfest", "party"), ("dop", "party"),
        ("graduation", "party"), ("christening", "party"), ("quiz", "party gaming"), ("visailu", "party gaming"),
        ("gymnastiksal", "sports_hall school_hall exercise"), ("board game", "gaming"), ("spelkväll", "gaming"),
        ("harjoitustila", "music music_studio exercise dance"), ("treenikämp", "music music_studio"), ("bändikämp", "music music_studio"),
        ("bandrep", "music music_studio"), ("bandövning", "music music_studio"), ("gatufest", "street outdoor_event"),
        ("katujuhl", "street outdoor_event"), ("kulturhus", "concert exhibition"), ("ballroom", "banquet_hall dance party"),
        ("band practice", "music music_studio"), ("choir practice", "choir music"), ("musikrum", "music music_studio"),
        ("kokous", "meeting meeting_room"), ("juhla", "party banquet_hall"), ("kokouk", "meeting meeting_room"),
        ("vene", "berth"), ("båt", "berth"), ("boat", "berth"), ("berth", "berth"), ("laituri", "berth"),
        ("katu", "street outdoor_event"), ("gatu", "street outdoor_event"), ("street", "street outdoor_event"),
    )
)  # fmt: skip

# Those that may be the end of a compound: a skateboard is no meeting.
SHORTEST_END = 4
ENDS = tuple(
    (prefix, codes)
    for prefix, codes in SYNONYMS
    if (len(prefix) > SHORTEST_END or prefix in {"möte", "fest"}) and prefix != "board"
)

# Words that say nothing about which space is meant.
STOP = frozenset(
    (
        "tila tilan tilaa tilat paikka paikan huone sopiva varata lähellä luona ja tai vapaa ensi tulevana tänä"
        " lokal lokaler utrymme rum plats nära vid och eller ledig för en ett som på nästa kommande denna i den här"
        " space spaces room rooms place venue near by at for with and or free a an the of to in my our us we need looking"
        " taloyhtiö taloyhtiön bostadsbolag bostadsbolaget bostadsbolagets"
        " vuoro vuoron vuorot pass slot yhdistys yhdistyksen yhdistyksemme seura seuran förening föreningen föreningens"
        " association association's residents residents' residents’ resident tenants club club's clubs klubb klubbens urheiluseuran urheiluseura asukasyhdistyksen asukasyhdistys asukkaiden asukkaat invånarförening invånarföreningen invånarföreningens invånare idrottsförening idrottsföreningens klubb kautta meille oss ryhmä ryhmälle grupp gruppe group person"
        " päivä päivän päiväksi dag dagar day days arki vardag weekday"
        " find book next this coming on under over before after klo kl"
        " jossa jolla missä jonne med där with where any some kanssa varten till etsin etsimme varaisin varaamme haluan haluaisin haluamme tarvitsen"
        " tarvitsemme tarvitaan olisiko onko löytyykö jotain joku jokin söker sökes vill vi jag behöver behövs hyra boka finns någon något några"
        " etsitään haetaan vapaata vapaana tilassa tiloja huoneessa det ni du finnas ledigt lediga är are olemme meitä somewhere jonnekin någonstans till i'm am i want would like there is hire rent require suitable tilalle tilaan huonetta tilat lokalen rummet av"
    ).split()
)


# What a sentence is built with: taken off the ends of the pieces that are left once the rest is understood.
EDGE = STOP - frozenset(
    "taloyhtiö taloyhtiön bostadsbolag bostadsbolaget bostadsbolagets yhdistys yhdistyksen yhdistyksemme seura seuran"
    " förening föreningen föreningens association association's club klubb our my ryhmä ryhmälle grupp gruppe group till".split()
)
# Two words that are one thing.
MULTI = tuple(prefix for prefix, _ in SYNONYMS if " " in prefix)


def without_edges(text: str) -> str:
    """What is left of a sentence, the pieces between what was understood: "hall for | next" is a hall."""
    return " ".join(
        piece for part in text.replace(HOUR_MARK, "").split("|") if (piece := _without_edges(part))
    )


def _without_edges(text: str) -> str:
    words = [word for word in text.split() if _bare(word)]
    while words and (_bare(words[0]) in EDGE or _is_tie(words)):
        del words[0]
    while words and _bare(words[-1]) in EDGE and not _is_pair(words[-2:]):
        del words[-1]
    return " ".join(words).strip(" ,;.?!-–")


def _is_tie(words: list[str]) -> bool:
    """ "till en kör", but not "till salu"."""
    return _bare(words[0]) == "till" and (len(words) == 1 or _bare(words[1]) in EDGE)


def _bare(word: str) -> str:
    return word.strip(",.;:!?()").casefold()


def _is_pair(words: list[str]) -> bool:
    return " ".join(_bare(word) for word in words) in MULTI


def meanings(word: str) -> frozenset[str]:
    """Codes of purposes and kinds that the word stands for; the longest beginning that fits decides, else the end of a
    compound: kesäjuhlat are juhlat."""
    return _by_beginning(word, SYNONYMS) or next(
        (
            codes
            for at in range(3, len(word) - SHORTEST_END + 1)
            if (codes := _by_beginning(word[at:], ENDS)) and " " not in word
        ),
        frozenset(),
    )


def _by_beginning(word: str, synonyms: tuple[tuple[str, frozenset[str]], ...]) -> frozenset[str]:
    fitting = [(len(prefix), codes) for prefix, codes in synonyms if word.startswith(prefix)]
    return max(fitting, default=(0, frozenset()), key=lambda pair: pair[0])[1]


def search_words(text: str) -> list[str]:
    """The words worth looking for, at most eight."""
    words = re.findall(r"[^\W_][\w’'-]*", text.lower())
    for n, pair in reversed(list(enumerate(pairwise(words)))):
        # "annual meeting" is one thing, and no room is described as annual.
        if any(" " in prefix and " ".join(pair).startswith(prefix) for prefix, _ in SYNONYMS):
            words[n : n + 2] = [" ".join(pair)]
    return [word for word in words if word not in STOP and len(word) > 1][:8]
