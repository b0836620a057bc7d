"""Unheard: a conversation coach that hears what a meeting did not."""

__version__ = "0.1.0"
