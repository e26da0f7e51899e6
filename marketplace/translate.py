"""Translations: one catalogue per package and language, extracted from its code and templates.

English is the language of the source texts. `update` finds new texts, `check` fails on one that is missing, fuzzy or
broken, `compile` writes what the program reads.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile

import click
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from flask.cli import AppGroup

from marketplace.settings import ROOT

PACKAGES = ("marketplace", "spaces", "bookings", "partners")
LOCALES = ("fi", "sv")
METHODS = [
    ("**.py", "python"),
    ("**.html", "jinja2.ext:babel_extract"),
    ("**.txt", "jinja2.ext:babel_extract"),
]
OPTIONS = {
    name: {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for name in ("**.html", "**.txt")
}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
}

translations_group = AppGroup("translations", help="Texts in Finnish and Swedish.")


def catalogue_path(package: str, locale: str) -> Path:
    return ROOT / package / "translations" / locale / "LC_MESSAGES" / "messages.po"


def extracted(package: str) -> Catalog:
    """All texts of a package, sorted, without line numbers so that moving code changes nothing."""
    catalog = Catalog(charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        ROOT / package, METHODS, OPTIONS, KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    )
    for filename, _, message, comments, context in found:
        if Path(filename).parts[0] in {"static", "assets", "translations"}:
            continue
        catalog.add(message, None, [(f"{package}/{filename}", 0)], auto_comments=comments, context=context)
    return catalog


def read_catalogue(package: str, locale: str) -> Catalog:
    path = catalogue_path(package, locale)
    if not path.exists():
        return Catalog(locale=locale, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


@translations_group.command("update")
def update() -> None:
    """Bring the catalogues in step with the code."""
    for package in PACKAGES:
        template = extracted(package)
        for locale in LOCALES:
            catalog = read_catalogue(package, locale)
            # The day of the last run says nothing; without it, an update that finds nothing changes nothing.
            template.creation_date = catalog.creation_date
            catalog.update(template, no_fuzzy_matching=True)
            catalog.obsolete.clear()
            path = catalogue_path(package, locale)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(
                    file,
                    catalog,
                    width=110,
                    omit_header=False,
                    sort_output=True,
                    ignore_obsolete=True,
                    include_lineno=False,
                )
            missing = sum(1 for message in catalog if message.id and not translated(message.string))
            click.echo(f"{package} {locale}: {len(catalog)} texts, {missing} missing")


def translated(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


@translations_group.command("check")
def check() -> None:
    """Fail when a text is missing, left over, fuzzy or has other placeholders than its source."""
    problems = []
    for package in PACKAGES:
        template = extracted(package)
        wanted = {message.id for message in template if message.id}
        for locale in LOCALES:
            catalog = read_catalogue(package, locale)
            have = {message.id for message in catalog if message.id}
            problems += [
                f"{package} {locale}: not in the catalogue: {text!r}"
                for text in sorted(wanted - have, key=str)
            ]
            problems += [
                f"{package} {locale}: no longer used: {text!r}" for text in sorted(have - wanted, key=str)
            ]
            for message in catalog:
                if message.id and not translated(message.string):
                    problems.append(f"{package} {locale}: not translated: {message.id!r}")
                if message.id and message.fuzzy:
                    problems.append(f"{package} {locale}: fuzzy: {message.id!r}")
                problems += [
                    f"{package} {locale}: {message.id!r}: {error}" for error in message.check(catalog)
                ]
    for line in problems:
        click.echo(line, err=True)
    if problems:
        raise SystemExit(1)


@translations_group.command("compile")
def compile_catalogues() -> None:
    """Write the .mo files."""
    for package in PACKAGES:
        for locale in LOCALES:
            path = catalogue_path(package, locale)
            if path.exists():
                # Written beside and moved, so that a running server never reads half a file.
                with NamedTemporaryFile(dir=path.parent, delete=False) as file:
                    write_mo(file, read_catalogue(package, locale))
                Path(file.name).replace(path.with_suffix(".mo"))
                path.with_suffix(".mo").chmod(0o644)
