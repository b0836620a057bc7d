"""Every English sentence of the page. To translate it, translate this file, and ``coach.labels`` for the words that the
page shares with reports and the terminal; what the coach says about notes is in ``coach/data``."""

from __future__ import annotations

TITLE = "Unheard"
TAGLINE = "Hear what the meeting did not."
PRIVATE = "Everything stays on this machine"
PRIVATE_LLM = "A model may be asked; it sees pseudonyms only"

SIGN_IN = "Sign in to your coach."
SERVING = "The coach is at {address} – press Ctrl+C to stop it."

PLACE_REVIEW = "Review"
PLACE_PREPARE = "Prepare"
PLACE_LIBRARY = "Library"
PLACE_EVALS = "Evals"

# Review: what to paste
PASTE_LABEL = "Meeting notes or transcript"
PASTE_HINT = "Paste minutes, a transcript, a chat or an e-mail thread – or drop a file here."
REVIEW = "Review"
OPEN_FILE = "Open a file"
STOP = "Stop"
SAMPLES = "Or try a meeting that we made up"
SAMPLE_FIRST = "Start here"
EMPTY_TITLE = "What it listens for"
KIND_HINTS = {
    "unheard_objection": "A worry that nobody took up: passed over, argued away, parked, or taken for a yes.",
    "unaddressed_need": "Something a person would have needed, and no question, thanks or help came back.",
    "categorical_phrasing": "An opinion put as beyond question, so that little room is left for another.",
}
KIND_EXAMPLES = {
    "unheard_objection": ("I am not sure we can staff it in May.", "“Thanks. Next item.”"),
    "unaddressed_need": ("I find these things out from the noticeboard.", "“So, the rota …”"),
    "categorical_phrasing": ("Everybody knows this is the only way.", "It could be: “From where I sit …”"),
}

# A model on this machine
MODELS_TITLE = "A model on this machine could read between the lines"
MODELS_WHICH = "Which model"
MODEL_SMALL = "small"
MODEL_USE = "Use it"
NOT_NOW = "Not now"
MODEL_GONE = "That model is not there any more. Start its server again, or choose another one."
MODEL_USED = "From now on your reviews ask {name}."
MODEL_CHOSEN = "Reviews ask {name} ({server} on this machine), with pseudonyms for everybody."
MODEL_FORGET = "Stop using it"
MODEL_FORGOTTEN = "Forgotten: reviews are made without a model again."
MODELS_LOOK = "A model on this machine could help …"
FETCH = "Fetch it ({size:g} GB)"
FETCHING = "Asking Ollama"
FETCHING_TITLE = "Ollama fetches {name} ({size:g} GB, licence {licence})"
FETCH_CANCEL = "Cancel"
FETCH_STOPPED = "Stopped. Ollama keeps what it has, and goes on from there next time."

# While it works
READING = "Reading the notes"
STOPPED = "Stopped. Your notes are still here; nothing was kept."
NOTHING_PASTED = "There is nothing to review yet: paste some notes, open a file, or pick a meeting below."
BROKEN = (
    "Something went wrong on our side ({name}). Your notes are still here; the terminal that runs the coach says more."
)
BUSY = "The coach is busy with other people's notes. Please try again in a moment."

# The review
UNTITLED = "A meeting without a title"
UNTITLED_WITH = "With {people}"
TURNS = ("{n} turn", "{n} turns")
PEOPLE = ("{n} voice", "{n} voices")
READ_HERE = "read on this machine in {seconds} s"
READ_MODEL = "read with {model} in {seconds} s"
FELL_BACK = "The model did not answer, so this machine read the notes alone. {reason}"
NOTES = "The notes"
NOTES_REGION = "The notes, with the passages marked"
TO_RAISE = "What you might raise"
LOOKS = ("Worth a look ({n})", "Worth a look ({n})")
LOOKS_HINT = "Less sure. Read them where they stand before you use them."
ALL = "All"
FILTER = "Show"
NOTHING_TITLE = "Nothing to raise"
NOTHING_SURE = "Nothing to raise for sure; a few passages are worth a look."
SHOW_IN_NOTES = "Show in the notes"
WHY = "What the record shows"
ASK = "To ask next time"
REWRITE = "Another way to say it"
EARLIER = ("Said before ({n})", "Said before ({n})")
COPY = "Copy"
COPY_MARKDOWN = "Copy as Markdown"
DOWNLOAD_MARKDOWN = "Markdown"
DOWNLOAD_HTML = "HTML"
DOWNLOAD = "Download"
COPIED = "Copied"
NOT_COPIED = "Could not copy; select the text instead"
DOWNLOADED = "Downloaded"
AGAIN = "Review other notes"
EDIT = "Back to the text"
CONFIDENCE = "{percent} % sure"
HEARD_BY = {"local": "heard on this machine", "llm": "heard by the model", "both": "heard by both engines"}
SET_ASIDE = ("{n} finding set aside", "{n} findings set aside")

# The board
BOARD = "Where people stand"
BOARD_HINT = (
    "Seeing things alike and being ready to act are two different things. Unknown means that the notes do not say: "
    "silence is not consent."
)
BOARD_CAPTION = "Who sees it alike, and who is ready to act, as far as the notes say"
SILENT = "silent"
SILENT_LONG = "Said nothing that was written down"
NOBODY = "nobody"
IN_THEIR_WORDS = "In their words"
BOARD_EMPTY = "The notes name nobody, so there is no telling who stands where."

# The charts
GLANCE = "The meeting at a glance"
VOICES = "Who spoke, and how much"
VOICES_HINT = "Words. A bubble is a concern that went unheard; ↩ one that had been said before."
ROOM = "Room for another view"
ROOM_HINT = "How tentative the words were, as the meeting went on. The numbers are the passages."
ROOM_LABEL = "A line from {start} at the beginning to {end} at the end, out of 100. The table has every turn."
ROOM_OPEN = "leaves room"
ROOM_CLOSED = "leaves little"
ROOM_VALUE = "Room (0 to 100)"
AS_TABLE = "As a table"
WHO = "Who"
WORDS = "Words"
SHARE = "Share"
UNHEARD = "Unheard"
CAME_BACK = "Said before"
SAID = "What was said"

# Keeping notes, and what leaves the machine
KEEP = "Keep in the library"
PREVIEW = "See it with pseudonyms"
KEEPING = "With pseudonyms"
WITH_PSEUDONYMS = "The notes with pseudonyms"
KEEP_YES = "Keep them"
KEEP_NO = "Not now"
GOES_NOWHERE = (
    "Nothing leaves this machine. What is kept is the text below, in {home}; who is who is kept beside it, encrypted."
)
GOES_LOCAL_MODEL = (
    "Nothing leaves this machine: {model} runs on it. What is kept is the text below, in {home}; who is who is kept "
    "beside it, encrypted."
)
GOES_MODEL = (
    "A review asks {model} at {endpoint}, which gets the text below and never the names. What is kept stays in {home}; "
    "who is who is kept beside it, encrypted, and is never sent."
)
REPLACED = ("{n} name or number replaced", "{n} names and numbers replaced")
IN_NOTES = "In your notes"
BECOMES = "Becomes"
EXEMPT = "Leave as it is"
CORRECT = "Correct the names"
HIDE_MORE = "Something was overlooked"
HIDE_WHAT = "As it stands in the notes"
HIDE_TYPE = "It is a"
HIDE = "Replace it"
TYPES = {"person": "person", "company": "company", "customer": "customer", "project": "project", "place": "place"}
SAME_PERSON = "Two names of one person"
NOT_SAME = "Wrongly taken for another"
THIS = "This"
AND_THIS = "and this"
MERGE = "Are one person"
SPLIT = "Is somebody else"
KEPT = "Kept: {title}. You find it in the library."
KEPT_ALREADY = "{title} was in the library already."

# Library
TAB_SEARCH = "Search"
TAB_NOTES = "Notes"
TAB_PEOPLE = "People"
SEARCH = "What was said about"
SEARCH_HINT = "on-call at night, the yearly plan, …"
FILTER_PERSON = "With"
FILTER_TAG = "Tag"
FILTER_SINCE = "From"
FILTER_UNTIL = "Until"
ANYBODY = "anybody"
ANY = "any"
HITS = ("{n} passage found", "{n} passages found")
NO_HITS = "Nothing like that in the notes you keep. Try fewer words, or another person."
LIBRARY_EMPTY = "You keep no notes yet. Add files here, or keep the notes of a review."
KEPT_NOTES = "The notes you keep"
ADD_FILES = "Add files"
ADDING = "Adding {name} ({n} of {all})"
ADDED = ("{n} meeting added.", "{n} meetings added.")
KNOWN_ALREADY = ("{n} was there already.", "{n} were there already.")
DELETE = "Delete"
DELETED = "“{title}” is deleted. You can bring it back for ten minutes."
UNDO = "Bring it back"
PURGE = "Erase everything for good"
PURGE_SURE = "Erase all notes, their index and what was deleted? There is no way back."
PURGE_YES = "Erase for good"
PURGE_NO = "Keep them"
PURGED = (
    "{n} meeting erased; no file of the library holds it any more.",
    "{n} meetings erased; no file of the library holds them any more.",
)
EXPORT = "Export"
EXPORTED = ("{n} meeting, with pseudonyms, ready to save.", "{n} meetings, with pseudonyms, ready to save.")
CLOSE = "Close"

# People and their concerns
NO_PEOPLE = "Nobody yet. Keep the notes of a meeting, and everyone in it appears here with what they raised."
IN_MEETINGS = ("in {n} meeting", "in {n} meetings")
OPEN_CONCERNS = ("{n} open concern", "{n} open concerns")
TIMELINE = "What became of it"
MARKS = {
    "acknowledged": "I acknowledged it",
    "explored": "We explored it",
    "confirmed": "They feel heard",
    "integrated": "It is in the plan",
    "handled": "It is settled",
    "not_an_objection": "It is no concern",
}
REOPEN = "Open it again"
SAME_AS = "The same concern as"
JOIN = "Join them"
PERHAPS_SAME = "Perhaps the same as"
NOT_SAME = "Not the same"
KEPT_APART = "Noted: these are two, you are not asked again."
SPLIT_OFF = "This is another thing"
ANSWERED_MARKS = ("confirmed", "handled", "not_an_objection")
ANSWERED_HINT = "The notes show an answer. Whether they feel heard, the notes do not say."
DONE = ("{n} answered or settled", "{n} answered or settled")
MARKED = "Noted."
JOINED = "Joined: they are followed as one."
SPLIT_DONE = "Followed apart from now on."

# Marks on the cards of a review
CARD_MARKS = {"acknowledged": "Helpful", "not_an_objection": "Not right", "handled": "Already handled"}
MARK_GROUP = "What do you make of it?"
MARK_HELD = "Noted. It counts once you keep the notes in the library."
MARK_BACK = "Taken back."
MARK_GONE = "This review is not here any more: review the notes again, then mark the card."
MARK_FOLLOWED = {
    "acknowledged": "Noted as helpful. It is followed under Library, People.",
    "not_an_objection": "Noted as not right. It is not followed, and can become a test of the coach.",
    "handled": "Noted as handled. It is no longer open under Library, People.",
}
MARK_ALONE = {
    "acknowledged": "Noted as helpful. It can become a test of the coach.",
    "not_an_objection": "Noted as not right. It can become a test of the coach.",
    "handled": "Noted as handled.",
}

# Evals
SUITES = "Did a change make the coach better or worse?"
SUITES_HINT = "Each suite replays its cases on this machine and compares them, note by note, with its baseline."
NO_SUITES = "There are no suites in {folder}. Start the coach in a checkout that has an eval folder."
CASES = ("{n} case", "{n} cases")
BLESSED = "baseline of {date}"
NOT_BLESSED = "no baseline yet"
ENGINES = {"local": "the engine of this machine", "llm": "recorded answers of a model"}
HISTORY = "Baselines"
BLESSINGS = ("{n} baseline so far", "{n} baselines so far")
DATE = "Date"
COMMIT = "Commit"
CASES_HEAD = "Cases"
MARKED_CARDS = (
    "{n} card of your reviews is marked as helpful or not right. This makes cases of it:",
    "{n} cards of your reviews are marked as helpful or not right. This makes cases of them:",
)
RUN = "Run"
LAST_RUN = "Last run"
RUNNING = "Running {suite}"
RAN = "{case} ({n} of {all})"
RUN_STOPPED = "Stopped. What has run is kept, and the next run goes on from there."
VERDICT = "Verdict"
VERDICTS = {
    "regressed": "▼ worse",
    "improved": "▲ better",
    "unchanged": "= the same",
    "inconclusive": "? undecided",
    "unverifiable": "– can't be judged",
}
PAIRED = ("{n} case paired", "{n} cases paired")
ERRORED = ("{n} errored", "{n} errored")
BEFORE = "Before"
AFTER = "After"
COMPARE = "Compare"
THE_BASELINE = "The baseline of {date}"
THE_LAST = "The last run"
A_RUN = "The run of {date}"
METRICS = "The gated metrics"
METRIC = "Metric"
CHANGE = "Change, with its 95 % interval"
DETECTABLE = "Could have seen"
CASES_MOVED = "Cases that moved, worst first"
NO_CASES_MOVED = "No case moved."
LOST = "lost"
GAINED = "gained"
ERROR = "error"
ALL_TRIALS = ("The one trial of this run", "All {n} trials of this run")
TRIALS = "Trials"
CASE = "Case"
PASSED = "Passed"
SHOWN = "What it showed"

# Prepare
FOLLOW_UP = "Prepare the follow-up"
FOLLOW_PURPOSE = "Come back to what was left open in {title}"
FOLLOW_UNTITLED = "the last meeting"
FOLLOW_OPEN = "Last time I did not come back to everything that you said."
FOLLOW_SAID = "{name}: “{quote}”"
FOLLOW_ASK = "I would like to understand this better before we go on. What would you want me to know?"
PREPARED = "What you prepared"
GO_ON = "Go on practising"
OPEN_BRIEF = "Open the brief"
PLAN = "The next meeting"
PLAN_HINT = (
    "Say what it is for and what you plan to say. You get what was never answered, and somebody to practise with."
)
PLAN_PURPOSE = "What is it for, in one sentence?"
PLAN_PURPOSE_HINT = "Decide how we cover the nights from June"
PLAN_STAGE = "What should it reach?"
STAGES = {
    "needs": "Understand what people need",
    "possibilities": "Explore possibilities",
    "action": "Decide what to do",
}
PLAN_ATTENDEES = "Who comes?"
PLAN_OTHERS = "Others, with commas between them"
PLAN_NAMES = "Names, with commas between them"
PLAN_OPENING = "What do you plan to say first, in your own words?"
PLAN_OPENING_HINT = "From June we will …"
PLAN_FEARS = "What do you fear might happen? One thing on each line; none is an answer, too."
PLAN_LACKS = "One thing is missing: {question}"
MAKE_BRIEF = "Make the brief"
EDIT_PLAN = "Change the plan"
PRINT = "Print"
COMING = ("{n} person", "{n} people")
TIMES = "{n} times"
OPENING = "Your opening"
OPENING_YOURS = "As you wrote it"
OPENING_OTHER = "Another way to begin"
ACCEPT = "Use it"
WHO_COMES = "Who comes, and what they were never answered on"
NEVER_ANSWERED = "Never answered"
ASK_THEM = "A question that would find out"
LIKELY = ("{n} thing they may say (a guess)", "{n} things they may say (guesses)")
PRACTISE = "Practise with {name}"
TEMPERAMENT = "How they show it"
TEMPERAMENTS = {"reserved": "answers with reserve", "blunt": "answers bluntly", "worried": "answers with worry"}
STEPS = "The conversation, in three steps"
SAFE = "Safe enough to try"
SAFE_HINT = "A proposal is easier to agree to when it has a scope, an end, a way back and a review."

AFTER_MEETING = "After the meeting"
AFTER_HINT = "Paste its notes, and see which of these concerns were heard. They are read here and kept nowhere."
AFTER_NOTES = "Notes of the meeting"
AFTER_GO = "Which were heard?"
AFTER_NOTHING = "There are no notes yet: paste those of the meeting."
HEARD = {
    "heard": "heard",
    "partly": "partly heard",
    "passed_over": "passed over",
    "not_raised": "did not come up",
}

# Practice and debrief
NO_PLAN = "The plan is no longer here: make the brief again, then practise."
NO_PRACTICE = "This practice is no longer here: start it again from the brief."
PRACTISING = "Practice with {name}"
SIMULATED = "A simulation built from what they said before; the real person may say something else"
YOU = "You"
YOUR_REPLY = "What you say to {name}"
SAY = "Say it"
NUDGE = "Give me a hint"
LOOK_BACK = "End and look back"
REWIND = "Try again from here"
ATTEMPTS = ("{n} earlier attempt", "{n} earlier attempts")
TO_BRIEF = "Back to the brief"
HOW_FAR = "How far each concern has come"
LADDER = "From raised to part of the plan"
GUESSED = "a guess"
HARDENED = "Tense at the moment: something felt brushed aside."
DEBRIEF = "Looking back: {name}"
REPLIES = ("{n} reply", "{n} replies")
REPLIES_HEAD = "Replies"
LISTENED = "{n} listening and {m} dismissing moves"
QUESTIONS = ("{n} open question", "{n} open questions")
SHARE_OF_WORDS = "{n} % of the words were yours"
RESUME = "Go on practising"
TURN = "turn {n}"
TURN_HEAD = "Turn"
LADDER_CHART = "Turn by turn"
LADDER_LABEL = "How far each concern came, turn by turn. The table below has every step."
BEST = "Your best moment"
REDO = "Worth another try"
REDO_NOW = "Try it again"
PROGRESS = "Compared with other attempts"
ATTEMPT = "Attempt"
RUNGS = "Steps up"
LISTENING = "Listening"
DISMISSING = "Dismissing"
WHOLE_TALK = "The whole conversation"


def count(forms: tuple[str, str], n: int) -> str:
    """The form for one or for many, with the number filled in."""
    return forms[0 if n == 1 else 1].format(n=n)
