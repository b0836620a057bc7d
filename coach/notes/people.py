"""Who is who in notes: what can be a name, who a list names, and which written form means whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from coach.schema import Attendee


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


TITLES = words(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend canon father sister brother cllr councillor "
    "mayor frau herr madame monsieur señor señora hon judge justice sergeant sgt captain capt major colonel inspector "
    "rabbi imam chef minister senator phd postdoc grad ing dipl"
)
PARTICLES = words("van von de der den del della di da dos la le al el bin ibn ter ten y af zu of the from and")
ROLES = words(
    "chair chairman chairwoman chairperson chairs co-chair facilitator moderator president vice-president treasurer "
    "secretary clerk coordinator convener head headteacher dean director manager host scribe minutes notes note-taker "
    "deputy principal governor editor captain coach registrar warden presenter interviewer interviewee participant "
    "speaker everyone all audience unknown agent customer client resident member cfo ceo cto coo hr gm pm operator "
    "doctor nurse teacher parent union"
)
_NOT_NAMES = words(
    "a about above action actions add agenda agreed aim all also am an and announcement announcements any aob "
    "apologies approved as assumption assumptions at attachment attachments attendance attendees attending background "
    "bcc because before blocked blocker blockers body budget but by cc check-in checkin clarification close closing "
    "comment comments conclusion conclusions consent consequence context cost costs currently date dates day deadline "
    "decided decision decisions deferred definition deliverables dependencies description details disclaimer "
    "discussed discussion done draft due duration edit eg email estimate etc example examples fact facts feedback "
    "finally first fixed follow-up followup followups for from ftp generally goal goals going he help here hint how "
    "however http https i idea ideas if impact important in info information input intro introduction is issue issues "
    "it item items its label labels last later lead length link links list location maybe me meanwhile meeting method "
    "minuted minutes mood motion name names need needs new news next no none not note notes now objective objectives "
    "of ok old on one only open option options or org other our outcome outcomes output overall owner page parked "
    "part participants people phone place plan plans point points poll possible present problem problems proposal "
    "proposals pros purpose q question questions quorum quote ranking re reason reasons recap recommendation "
    "reference references regards regrets remark remarks remember reminder reply reported request requirement "
    "requirements resolution resolved response result results risk risks role roles room rule rules same schedule "
    "scope second section seconded see shortly similarly slides so solution sources start starting started state "
    "statement status step steps still story subject suggestion suggestions summary takeaway takeaways task tasks tbd "
    "team tests that the their then there these they third this those though thus time timeline times tip title to "
    "today todo together tomorrow tonight topic topics total tricky update updates url venue vote votes warning was "
    "we website week weekly what whatever when where whether which who why with work worked working wrote www "
    "yes yesterday yet you your zoom monday tuesday wednesday thursday friday saturday sunday january february march "
    "july september october november december mon tue tues wed weds thu thur thurs fri sat sun feb mar apr jul aug "
    "sep sept oct nov dec spring summer autumn winter"
)
_SOFT = words("all chair head from and the notes minutes scribe lead chairs may")
_CONTRACTED = re.compile(r"['’](?:s|ve|re|ll|d|m|t)$", re.I)
_WORD = re.compile(r"[^\W\d_][\w'’.\-]*\.?|\d{1,3}")


def looks_like_name(written: str, listed: bool = False) -> bool:
    """Whether the parts could name who speaks: by their shape alone, ``Action`` and ``Date`` left out.

    In a list of people (``listed``) a surname may be such a word, too: ``Susan Page``.
    """
    if not 0 < len(written) <= 48 or written[0] in "(\"'“‘" or "//" in written or "@" in written:
        return False
    parts = written.split()
    if len(parts) > 6:
        return False
    lower = [w.strip(".,'’").casefold() for w in parts]
    if _CONTRACTED.search(parts[0]) or (len(parts) == 1 and lower[0].endswith("ing") and len(lower[0]) > 5):
        return False
    if len(parts) == 1 or lower[0] in ("the", "a"):
        if lower[-1] in ROLES and lower[-1] not in ("minutes", "notes", "all") and len(parts) <= 3:
            return written[0].isupper()
        if lower[0] in ("the", "a") and len(parts) > 1 and not parts[1][0].isupper():
            return False
    if lower[0] in _NOT_NAMES and not (len(parts) > 1 and lower[0] in _SOFT) and not initials(parts[0]):
        return False
    unlikely = len(parts) > 1 and lower[-1] in _NOT_NAMES and not listed
    if unlikely and lower[0] not in TITLES and not initials(parts[-1]):
        return False
    proper = 0
    for word, low in zip(parts, lower, strict=True):
        if word in ("&", "+", "/", "–", "-"):
            continue
        if not _WORD.fullmatch(word.strip(",")) and not re.fullmatch(r"[^\W\d_][\w'’.\-/&+]*,?", word):
            return False
        if low in PARTICLES and word.islower():
            continue
        if word.isdigit():
            if proper == 0:
                return False
            continue
        if not (word[0].isupper() or not (word[0].islower())):
            return low in ROLES and proper > 0
        proper += 1
    return proper > 0


def looks_like_handle(written: str) -> bool:
    """Whether one lower-case word could be a name or chat handle (``oli``, ``kelp_``)."""
    return bool(re.fullmatch(r"@?[^\W\d][\w.\-]{1,24}", written)) and written.casefold() not in _NOT_NAMES


def initials(word: str) -> bool:
    letters = word.replace(".", "")
    return 1 < len(letters) <= 4 and letters.isalpha() and letters.isupper()


@dataclass
class People:
    """The people of one text while it is read: everyone listed, and the forms under which they are written."""

    listed: list[Attendee] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)
    _forms: dict[str, str | None] | None = None
    _heard: dict[str, str] = field(default_factory=dict)
    _used: dict[str, dict[str, None]] = field(default_factory=dict)

    def list(self, attendees: Iterable[Attendee]) -> None:
        """Add those of an attendance list; the same name twice keeps what each line adds."""
        for new in attendees:
            known = next((i for i, a in enumerate(self.listed) if a.name.casefold() == new.name.casefold()), None)
            if known is None:
                self.listed.append(new)
            else:
                old = self.listed[known]
                role = ", ".join(dict.fromkeys(r for r in (old.role, new.role) if r)) or None
                self.listed[known] = old.model_copy(
                    update={"role": role, "aliases": tuple(dict.fromkeys(old.aliases + new.aliases))}
                )
        self._forms = None

    def know(self, name: str, role: str | None = None) -> None:
        """Take a label as the name of someone who speaks; ``role`` is what stands in brackets behind it."""
        if name not in self.labels:
            self.labels[name] = role
            if self._forms is not None:
                self._add(name, self._forms)
        elif role and not self.labels[name]:
            self.labels[name] = role

    def resolve(self, written: str) -> str | None:
        """The name of the one person that a written form can mean, or ``None``."""
        return self._lookup().get(_key(written))

    def speaker(self, written: str) -> str:
        """The name to show for a label: the listed one when it is clear who that is, else as written."""
        name = self.resolve(written) or written
        self._used.setdefault(name, {})[written] = None
        return name

    def attendees(self, speakers: Iterable[str]) -> tuple[Attendee, ...]:
        """Everyone listed, with the forms the text uses for them, then speakers that no list names."""
        found = []
        for attendee in self.listed:
            forms = (*attendee.aliases, *self._used.get(attendee.name, ()))
            aliases = tuple(dict.fromkeys(f for f in forms if f != attendee.name))
            found.append(attendee.model_copy(update={"aliases": aliases}))
        names = {a.name for a in found}
        for speaker in dict.fromkeys(speakers):
            if speaker not in names:
                aliases = tuple(f for f in self._used.get(speaker, ()) if f != speaker)
                found.append(Attendee(name=speaker, role=self.labels.get(speaker), aliases=aliases))
        return tuple(found)

    def _lookup(self) -> dict[str, str | None]:
        if self._forms is None:
            full: dict[str, str] = {}
            short: dict[str, set[str]] = {}
            everyone = [(a.name, a.role, a.aliases) for a in self.listed]
            for name, role, aliases in everyone:
                full.setdefault(_key(name), name)
                for form in (*_short_forms(name), *aliases, *_role_forms(role)):
                    short.setdefault(_key(form), set()).add(name)
            forms: dict[str, str | None] = {k: next(iter(v)) if len(v) == 1 else None for k, v in short.items()}
            forms.update(full)
            self._heard = {}
            for label in self.labels:
                self._add(label, forms)
            self._forms = forms
        return self._forms

    def _add(self, label: str, forms: dict[str, str | None]) -> None:
        key = _key(label)
        if forms.get(key) is not None and key not in self._heard:
            return
        forms[key] = label
        for form in _short_forms(label):
            short = _key(form)
            if short not in forms:
                forms[short] = self._heard[short] = label
            elif short in self._heard and self._heard[short] != label and forms[short] != form:
                forms[short] = None


def _key(written: str) -> str:
    parts = [w.strip(".,") for w in written.casefold().split()]
    if len(parts) > 1 and parts[0] == "the":
        parts = parts[1:]
    return " ".join(parts)


def _short_forms(name: str) -> list[str]:
    parts = [w for w in name.split() if w]
    title = parts[0] if parts[0].strip(".").casefold() in TITLES else None
    rest = parts[1:] if title else parts
    forms: list[str] = []
    if not rest:
        return forms
    last = rest[-1]
    if title:
        forms += [f"{title} {last}", last, " ".join(rest)]
    if len(rest) > 1:
        first = rest[0]
        if len(first.strip(".")) > 1:
            forms.append(first)
        if len(last.strip(".")) > 1:
            forms.append(last)
            forms += [first[0] + last]
            if not title:
                forms += [f"{t} {last}" for t in ("mr", "mrs", "ms", "miss", "dr", "prof")]
        initials = "".join(w[0] for w in re.split(r"[\s\-]+", " ".join(rest)) if w[:1].isalpha())
        forms += [initials] if len(initials) > 1 else []
    return forms


def _role_forms(role: str | None) -> list[str]:
    if not role:
        return []
    parts = [p.strip() for p in re.split(r"[,;/]|\band\b", role)]
    return [p for p in parts if p and p.split()[-1].casefold() in ROLES]
