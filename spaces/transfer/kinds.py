"""What a place is, told from its Finnish, Swedish or English name, for sources that do not say it in our words."""

import re

# The first match decides; the whole name is looked at in lower case.
NAME_KINDS = (
    (r"koira|hundpark|\bdog", "dog_field"),
    (r"venesatama|venepaik|småbåtshamn|båtplats|\bberths?\b|boat harbou?r|\bmarina\b", "berth"),
    (r"leikkipuisto|leikkipaikka|lekpark|lekplats|playground|play area", "playground"),
    (r"kirjasto|bibliotek|library", "library_room"),
    (r"nuoriso|ungdoms|youth", "youth_space"),
    (r"jäähalli|luistel|tekojää|ishall|skridsko|\brink\b|ice hall", "rink"),
    (
        r"uimahalli|liikuntahalli|urheiluhalli|palloiluhalli|palloilu|simhall|idrottshall|sports hall|swimming hall|liikuntasali",
        "sports_hall",
    ),
    (r"tanssi|dans|dance", "dance_studio"),
    (r"äänitys|bändi|musiikki|soitin|\bmusic|inspelning", "music_studio"),
    (r"ateljee|työpaja|verstas|atelj[ée]|workshop", "art_studio"),
    (r"koulu|skola|school|lukio|gymnasi", "school_hall"),
    (r"sauna|bastu", "sauna"),
    (r"grilli|nuotio|keittokatos|grillplats|barbecue|campfire", "barbecue_spot"),
    (r"juhla|bankett|fest|banquet", "banquet_hall"),
    (r"teatteri|esiintymis|lava\b|teater|theatre|\bscen", "stage"),
    (r"kokous|neuvottelu|toimisto|möte|konferens|meeting|conference", "meeting_room"),
    (r"coworking|yhteistyötila", "coworking"),
    (r"luokka|klassrum|classroom", "classroom"),
    (r"kenttä|kentät|idrottsplan|bollplan|\bfield|\bpitch", "sports_field"),
    (r"puisto|park", "park"),
    (r"tori\b|torg\b|aukio|plats\b|square", "square"),
    (r"katu\b|\btie\b|gata\b|gatan\b|street", "street"),
)
DEFAULT_KIND = "community_room"
COMPILED = tuple((re.compile(pattern), kind) for pattern, kind in NAME_KINDS)

# What people come for, where the source does not say.
KIND_PURPOSES = {
    "sports_hall": ("ball_games", "exercise"),
    "school_hall": ("ball_games", "exercise", "course"),
    "dance_studio": ("dance", "exercise"),
    "music_studio": ("music",),
    "art_studio": ("crafts", "course"),
    "sports_field": ("ball_games", "exercise"),
    "rink": ("ball_games", "exercise"),
    "library_room": ("meeting", "study"),
    "meeting_room": ("meeting", "annual_meeting"),
    "youth_space": ("youth_work", "meeting"),
    "community_room": ("meeting", "party", "course"),
    "banquet_hall": ("party", "annual_meeting"),
    "stage": ("concert", "exhibition"),
    "park": ("outdoor_event", "exercise"),
    "square": ("outdoor_event", "market", "concert"),
    "market_stall": ("market",),
    "playground": ("play", "childrens_party"),
    "sauna": ("sauna", "party"),
    "barbecue_spot": ("barbecue",),
    "dog_field": ("dogs",),
    "street": ("outdoor_event", "market"),
    "coworking": ("meeting", "study"),
    "classroom": ("course", "study"),
}


def kind_of_name(*names: str) -> str | None:
    """The kind that the first telling name says, or None."""
    for name in names:
        low = name.lower()
        for pattern, kind in COMPILED:
            if pattern.search(low):
                return kind
    return None
