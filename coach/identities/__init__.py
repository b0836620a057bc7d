"""Who is who: the forms under which people and things appear, their pseudonyms, and the encrypted ledger of both."""

from coach.identities.index import EntityType
from coach.identities.ledger import IdentityLedger
from coach.identities.value import Entity, Form, Identities, Register

__all__ = ["Entity", "EntityType", "Form", "Identities", "IdentityLedger", "Register"]
