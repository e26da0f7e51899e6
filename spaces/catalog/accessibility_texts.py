"""What the accessibility facts say, as the Helsinki accessibility register writes its sentences: one when a fact holds,
one when it does not, one for its measure. In data, not in the translations: imported sentences have the same shape.
"""

from marketplace.db import Localised


def say(fi: str, sv: str, en: str) -> Localised:
    return {"fi": fi, "sv": sv, "en": en}


# Code: (it is so, it is not so).
SENTENCES: dict[str, tuple[Localised, Localised]] = {
    "accessible_parking": (
        say(
            "Sisäänkäynnin läheisyydessä on liikkumisesteisten autopaikkoja.",
            "Det finns parkeringsplatser för rörelsehindrade i närheten av ingången.",
            "There are accessible parking spaces near the entrance.",
        ),
        say(
            "Sisäänkäynnin läheisyydessä ei ole liikkumisesteisten autopaikkoja.",
            "Det finns inga parkeringsplatser för rörelsehindrade i närheten av ingången.",
            "There are no accessible parking spaces near the entrance.",
        ),
    ),
    "drop_off": (
        say(
            "Saattoliikenteelle on pysähtymispaikka sisäänkäynnin läheisyydessä.",
            "Det finns en plats för av- och påstigning i närheten av ingången.",
            "There is a place for setting down and picking up passengers near the entrance.",
        ),
        say(
            "Saattoliikenteelle ei ole pysähtymispaikkaa sisäänkäynnin läheisyydessä.",
            "Det finns ingen plats för av- och påstigning i närheten av ingången.",
            "There is no place for setting down and picking up passengers near the entrance.",
        ),
    ),
    "accessible_route": (
        say(
            "Kulkureitti sisäänkäynnille on tasainen ja riittävän leveä sekä valaistu.",
            "Rutten till ingången är jämn, tillräckligt bred och belyst.",
            "The route to the entrance is smooth, sufficiently wide and illuminated.",
        ),
        say(
            "Kulkureitti sisäänkäynnille on epätasainen, kapea tai jyrkkä.",
            "Rutten till ingången är ojämn, smal eller brant.",
            "The route to the entrance is rough, narrow or steep.",
        ),
    ),
    "guide_path": (
        say(
            "Kulkureitillä sisäänkäynnille on näkövammaisia ohjaava pinta.",
            "Rutten till ingången har ett ledstråk för synskadade.",
            "The route to the entrance has a surface that guides people with poor sight.",
        ),
        say(
            "Kulkureitillä sisäänkäynnille ei ole näkövammaisia ohjaavaa pintaa.",
            "Rutten till ingången har inget ledstråk för synskadade.",
            "The route to the entrance has no surface that guides people with poor sight.",
        ),
    ),
    "step_free_entrance": (
        say(
            "Sisäänkäynnin yhteydessä ei ole tasoeroja eikä yli 2 cm korkeita kynnyksiä.",
            "Vid ingången finns inga nivåskillnader och inga trösklar som är över 2 cm höga.",
            "The entrance has no differences in level and no thresholds over 2 cm high.",
        ),
        say(
            "Sisäänkäynnin yhteydessä on portaita tai yli 2 cm korkeita kynnyksiä.",
            "Vid ingången finns trappsteg eller trösklar som är över 2 cm höga.",
            "The entrance has steps or thresholds over 2 cm high.",
        ),
    ),
    "ramp": (
        say(
            "Sisäänkäynnin yhteydessä on luiska.",
            "Vid ingången finns en ramp.",
            "The entrance has a ramp.",
        ),
        say(
            "Sisäänkäynnin yhteydessä ei ole luiskaa.",
            "Vid ingången finns ingen ramp.",
            "The entrance has no ramp.",
        ),
    ),
    "automatic_doors": (
        say(
            "Sisäänkäynnin ovi avautuu automaattisesti.",
            "Dörren vid ingången öppnas automatiskt.",
            "The entrance door opens automatically.",
        ),
        say(
            "Sisäänkäynnin ovi ei avaudu automaattisesti.",
            "Dörren vid ingången öppnas inte automatiskt.",
            "The entrance door does not open automatically.",
        ),
    ),
    "wide_doors": (
        say(
            "Ovista mahtuu kulkemaan pyörätuolilla.",
            "Dörrarna är så breda att man kommer in med rullstol.",
            "The doors are wide enough for a wheelchair.",
        ),
        say(
            "Ovet ovat pyörätuolille liian kapeat.",
            "Dörrarna är för smala för en rullstol.",
            "The doors are too narrow for a wheelchair.",
        ),
    ),
    "clear_entrance": (
        say(
            "Sisäänkäynti erottuu selkeästi.",
            "Ingången är lätt att urskilja.",
            "The entrance stands out clearly.",
        ),
        say(
            "Sisäänkäynti ei erotu selkeästi.",
            "Ingången är svår att urskilja.",
            "The entrance does not stand out clearly.",
        ),
    ),
    "lift": (
        say(
            "Tiloissa on hissi, johon mahtuu pyörätuolilla.",
            "Lokalerna har en hiss som är rymlig nog för en rullstol.",
            "There is a lift with room for a wheelchair.",
        ),
        say(
            "Tiloissa ei ole hissiä, johon mahtuu pyörätuolilla.",
            "Lokalerna har ingen hiss som är rymlig nog för en rullstol.",
            "There is no lift with room for a wheelchair.",
        ),
    ),
    "step_free_interior": (
        say(
            "Tilojen keskeisillä kulkureiteillä ei ole portaita.",
            "De centrala gångvägarna inomhus har inga trappsteg.",
            "The main indoor walkways have no steps.",
        ),
        say(
            "Tilojen keskeisillä kulkureiteillä on portaita.",
            "De centrala gångvägarna inomhus har trappsteg.",
            "The main indoor walkways have steps.",
        ),
    ),
    "clear_signs": (
        say(
            "Toimipisteessä on selkeät opasteet eri tiloihin.",
            "Vid verksamhetsstället finns tydliga skyltar till olika lokaler.",
            "There are clear signs to the different facilities.",
        ),
        say(
            "Toimipisteessä ei ole selkeitä opasteita eri tiloihin.",
            "Vid verksamhetsstället finns inga tydliga skyltar till olika lokaler.",
            "There are no clear signs to the different facilities.",
        ),
    ),
    "tactile_signs": (
        say(
            "Opasteissa on kohokirjaimia tai pistekirjoitusta.",
            "Skyltarna har upphöjda bokstäver eller punktskrift.",
            "The signs have raised letters or braille.",
        ),
        say(
            "Opasteissa ei ole kohokirjaimia eikä pistekirjoitusta.",
            "Skyltarna har varken upphöjda bokstäver eller punktskrift.",
            "The signs have neither raised letters nor braille.",
        ),
    ),
    "contrast_markings": (
        say(
            "Portaat ja lasiovet on merkitty kontrastiraidoin.",
            "Trappor och glasdörrar är markerade med kontrastränder.",
            "Stairs and glass doors are marked with contrasting stripes.",
        ),
        say(
            "Portaita ja lasiovia ei ole merkitty kontrastiraidoin.",
            "Trappor och glasdörrar är inte markerade med kontrastränder.",
            "Stairs and glass doors are not marked with contrasting stripes.",
        ),
    ),
    "accessible_toilet": (
        say(
            "Tilassa on esteetön wc.",
            "I lokalerna finns en tillgänglig toalett.",
            "The facility has an accessible toilet.",
        ),
        say(
            "Tilassa ei ole esteetöntä wc:tä.",
            "I lokalerna finns ingen tillgänglig toalett.",
            "The facility does not have an accessible toilet.",
        ),
    ),
    "accessible_changing_room": (
        say(
            "Tilassa on esteetön pukutila.",
            "I lokalerna finns ett tillgängligt omklädningsrum.",
            "The facility has an accessible dressing room.",
        ),
        say(
            "Tilassa ei ole esteetöntä pukutilaa.",
            "I lokalerna finns inget tillgängligt omklädningsrum.",
            "The facility does not have an accessible dressing room.",
        ),
    ),
    "accessible_shower": (
        say(
            "Pesutilassa on väljempi ja esteetön suihkupaikka.",
            "I duschrummet finns en rymligare och tillgänglig duschplats.",
            "The shower room has a more spacious and accessible showering spot.",
        ),
        say(
            "Pesutilassa ei ole esteetöntä suihkupaikkaa.",
            "I duschrummet finns ingen tillgänglig duschplats.",
            "The shower room has no accessible showering spot.",
        ),
    ),
    "induction_loop": (
        say(
            "Tilassa on induktiosilmukka.",
            "I lokalen finns en induktionsslinga.",
            "The facility has an induction loop.",
        ),
        say(
            "Tilassa ei ole induktiosilmukkaa.",
            "I lokalen finns ingen induktionsslinga.",
            "The facility does not have an induction loop.",
        ),
    ),
}

# What a measure adds to the sentence of its fact.
MEASURED: dict[str, Localised] = {
    "parking_places": say(
        "Liikkumisesteisten autopaikkojen määrä: %(number)d.",
        "Antal parkeringsplatser för rörelsehindrade: %(number)d.",
        "Number of accessible parking spaces: %(number)d.",
    ),
    "route_slope_percent": say(
        "Kulkureitin kaltevuus on enintään %(number)d %%.",
        "Ruttens lutning är högst %(number)d %%.",
        "The slope of the route is %(number)d%% at most.",
    ),
    "threshold_cm": say(
        "Kynnyksen korkeus on %(number)d cm.",
        "Tröskelns höjd är %(number)d cm.",
        "The threshold is %(number)d cm high.",
    ),
    "door_cm": say(
        "Oven vapaa leveys on %(number)d cm.",
        "Dörrens fria bredd är %(number)d cm.",
        "The clear width of the door is %(number)d cm.",
    ),
    "toilet_turning_cm": say(
        "Wc:ssä on vapaata tilaa kääntymiseen %(number)d cm.",
        "På toaletten finns fritt utrymme att vända på %(number)d cm.",
        "The toilet has %(number)d cm of free space for turning.",
    ),
}
