"""Before the meeting: a brief, a practice with a simulated attendee, and a debrief that scores listening."""
