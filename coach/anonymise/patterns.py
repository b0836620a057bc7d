"""What can be recognised by its form: addresses of the net, telephone numbers, cards, accounts, birthdays, streets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from coach.identities.index import Match

_EMAIL = re.compile(r"[^\W_][\w.+'%-]{0,63}@[^\W_](?:[\w-]{0,62}\.)[\w.-]{0,189}[^\W_]")
_AT = re.compile(r"[\w.+'%-]{1,64}\Z")
_URL = re.compile(
    r"(?:https?|ftp|sftp|ssh|file)://[^\s<>\"'`|\\^{}\[\]]+|\bwww\.[^\W_][^\s<>\"'`|\\^{}\[\]]*\.[^\s<>\"'`|"
    r"\\^{}\[\]]+",
    re.I,
)
_HANDLE = re.compile(r"(?<![\w@./])@[^\W_](?:[\w-]{0,38}[^\W_])?(?![\w]*@)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9a-f]*:[0-9a-f:]*:)[0-9a-f:]{3,39}(?:%\w+)?(?![\w:])", re.I)
_VERSION = re.compile(r"(?:version|release|section|v\.?)[ ]?\Z", re.I)
_CARD = re.compile(r"(?<![\w])\d(?:[ -]?\d){12,18}(?![\w])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){2,9}(?![A-Za-z0-9])", re.I)
_PHONE = re.compile(
    r"(?<![\w#.,:/-])(?:\+|\(\+?|00)?\d[\d ().\u00a0/\u2010\u2011\u2013-]{5,22}\d(?:[ ]?(?:x|ext\.?|"
    r"Durchwahl)[ ]?\d{1,5})?(?![\w])",
    re.I,
)
_PHONE_CUE = re.compile(
    r"(?:phone|tel(?:ephone|efon)?|mobile|mob|cell|fax|call|ring|text|dial|number|whatsapp|signal|sms|reach|"
    r"handy|hotline|"
    r"contact|móvil|komórka|nr)\W{0,4}(?:\w{1,30}\W{1,3}){0,4}\Z",
    re.I,
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|"
    r"\d{1,2}(?:st|nd|rd|th|\.)?[ ](?:of[ ])?[A-Za-zäöüéûç]{3,12}\.?,?[ ]\d{4}|"
    r"[A-Z][a-zäöüéûç]{2,11}\.?[ ]\d{1,2}(?:st|nd|rd|th)?,?[ ]\d{4})"
)
_BIRTH = re.compile(
    r"\b(?:born|birth ?dates?|birthdays?|date of birth|d\.?o\.?b\.?|geb(?:\.|oren)|geburtsdatum|né[e]?|"
    r"nacid[oa]|ur\.|urodzon[ya])"
    r"[^\w\n]{0,4}(?:(?:is|was|on|the|am|le|el)[^\w\n]{1,2}){0,2}(" + _DATE + r")",
    re.I,
)
_STREET_WORD = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Close|Crescent|Cres|Terrace|"
    r"Square|Sq|Way|"
    r"Place|Pl|Parkway|Pkwy|Highway|Hwy|Gardens|Grove|Mews|Walk|Row|Hill|Quay)"
)
_STREETS = (
    # 12 Long Acre Road, Flat 3, 90210
    re.compile(
        r"(?<![\w.:-])\d{1,5}[A-Za-z]?(?:[-/]\d{1,4})?,?[ ](?:[A-Z][\w'’-]{1,20}[ ]){1,3}" + _STREET_WORD + r"\b\.?"
        r"(?:,?[ ](?:Apt|Apartment|Flat|Suite|Unit|Floor|#)\.?[ ]?\w{1,5})?(?:,[ ](?:[A-Z][a-z]{2,20}[ ]?){1,2})?"
        r"(?:,?[ ][A-Z]{2}[ ]\d{5}(?:-\d{4})?|,?[ ][A-Z]{1,2}\d[A-Z\d]?[ ]\d[A-Z]{2})?"
    ),
    # Hauptstraße 12a, 10115 Berlin; Kerkweg 5
    re.compile(
        r"\b[A-ZÄÖÜ][\wäöüß-]{2,30}(?:straße|strasse|str\.|weg|gasse|allee|platz|damm|ufer|ring|straat|laan|"
        r"gracht|plein|gatan|vej|veien)"
        r"[ ]\d{1,4}[ ]?[a-zA-Z]?\b(?:,?[ ]\d{4,5}[ ](?:[A-Z]{2}[ ])?[A-ZÄÖÜ][\wäöüß-]{2,25})?"
    ),
    # 5 rue de la Paix, calle Mayor 3, ul. Długa 7/2, via Roma 4
    re.compile(
        r"(?<![\w.:-])\d{1,4}(?:[ ]?(?:bis|ter))?,?[ ](?:rue|avenue|boulevard|place|quai|chemin)[ ](?:(?:de|du|"
        r"des|la|le|les)[ ])*[A-Z][\w'’-]{2,25}"
    ),
    re.compile(
        r"\b(?:[Cc]alle|[Aa]venida|[Vv]ia|[Pp]iazza|[Rr]ua|ul\.|al\.|[Uu]lica)[ ](?:(?:de|del|la|los|do|"
        r"da)[ ])*[A-ZŁŚŻ][\w'’-]{2,25},?[ ](?:n[ºo°.]?[ ]?)?\d{1,4}(?:/\d{1,4})?\b"
    ),
)  # fmt: skip
_TRAILING = ".,;:!?)]}'\"»”’*_>"
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "IN", "AU", "CH", "AT", "SE", "IE", "BR", "JP", "ZA", "NG")
_DATELIKE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|(?:19|20)\d\d ?[-–/] ?(?:19|20)?\d\d")


def patterns(text: str) -> Iterator[Match]:
    """The stretches of text recognised by form; where two overlap, the first one yielded is the better reading."""
    yield from _emails(text)
    for match in _URL.finditer(text):
        yield Match(match.start(), match.start() + len(_without_trailing(match.group())), "url", None)
    if _has_digits(text):
        for found in _IBAN.finditer(text):
            if (end := _iban_end(found.group())) is not None:
                yield Match(found.start(), found.start() + end, "iban", None)
        for found in _CARD.finditer(text):
            if is_card(found.group()):
                yield Match(found.start(), found.end(), "card", None)
        for found in _BIRTH.finditer(text):
            yield Match(found.start(1), found.end(1), "birth_date", None)
        yield from _addresses_of_hosts(text)
        for street in _STREETS:
            for found in street.finditer(text):
                yield Match(found.start(), found.end(), "address", None)
        yield from _phones(text)
    for match in _HANDLE.finditer(text):
        yield Match(match.start(), match.end(), "handle", None)


def leaks(text: str) -> Iterator[Match]:
    """What no text may hold when it leaves the machine, whoever it belongs to: e-mail, phone, card, IBAN."""
    for match in _emails(text):
        if not text[match.start : match.end].endswith("@example.invalid"):
            yield match
    if _has_digits(text):
        for found in _IBAN.finditer(text):
            if _iban_end(found.group()) is not None:
                yield Match(found.start(), found.end(), "iban", None)
        for found in _CARD.finditer(text):
            if is_card(found.group()):
                yield Match(found.start(), found.end(), "card", None)
        yield from _phones(text)


def _has_digits(text: str) -> bool:
    return any(digit in text for digit in "0123456789")


def _emails(text: str) -> Iterator[Match]:
    position = text.find("@")
    while position != -1:
        before = _AT.search(text[max(0, position - 64) : position])
        local = before.group().lstrip(".+'%-_") if before else ""
        match = _EMAIL.match(text, position - len(local)) if local else None
        if match is not None and match.end() > position:
            yield Match(match.start(), match.end(), "email", None)
            position = match.end()
        position = text.find("@", position + 1)


def is_card(number: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1) and begin as payment cards do."""
    digits = [int(digit) for digit in number if digit.isdecimal()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6) or len(set(digits)) == 1:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) if i % 2 else digit for i, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether the text passes the IBAN check (ISO 13616, modulo 97) and has a possible length."""
    compact = re.sub(r"[ -]", "", text).upper()
    # To a pattern that ignores case, İ is a letter like i; to this check it is none.
    if not compact.isascii() or not 15 <= len(compact) <= 34 or not compact[:2].isalpha() or not compact[2:4].isdigit():
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _iban_end(text: str) -> int | None:
    """Where the IBAN at the start of the text ends; what follows it may look like one more group."""
    ends = [len(text), *(m.start() for m in re.finditer(r"[ -]", text))]
    return next((end for end in sorted(ends, reverse=True) if is_iban(text[:end])), None)


def _addresses_of_hosts(text: str) -> Iterator[Match]:
    import ipaddress

    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            try:
                ipaddress.ip_address(found.group())
            except ValueError:
                continue
            if len(found.group()) > 3 and not _VERSION.search(text[max(0, found.start() - 12) : found.start()]):
                yield Match(found.start(), found.end(), "ip", None)


def _phones(text: str) -> Iterator[Match]:
    for found in _PHONE.finditer(text):
        number = found.group()
        if _is_phone(number) or (
            _PHONE_CUE.search(text[max(0, found.start() - 50) : found.start()]) and _is_possible(number)
        ):
            yield Match(found.start(), found.end(), "phone", None)


@lru_cache(maxsize=4096)
def _is_phone(number: str) -> bool:
    """Whether a number is a valid one somewhere, written like a telephone number and not like a date or an amount."""
    import phonenumbers

    digits = sum(c.isdigit() for c in number)
    if not 7 <= digits <= (17 if number.startswith(("+", "(+", "00")) else 12) or _DATELIKE.fullmatch(number.strip()):
        return False
    international = number.lstrip("(").startswith(("+", "00"))
    grouped = len(re.findall(r"\d+", number)) > 1
    if not international and (digits < 9 or not (grouped or number.startswith("0"))):
        return False
    for region in (None,) if number.lstrip("(").startswith("+") else _REGIONS:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed) or (international and phonenumbers.is_possible_number(parsed)):
            return True
    return bool(re.fullmatch(r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}", number.strip()))


def _is_possible(number: str) -> bool:
    digits = sum(c.isdigit() for c in number)
    return 6 <= digits <= 15 and not _DATELIKE.fullmatch(number.strip())


def _without_trailing(url: str) -> str:
    while url and url[-1] in _TRAILING and not (url[-1] == ")" and url.count("(") >= url.count(")")):
        url = url[:-1]
    return url
