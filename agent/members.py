"""The people of the settings as sayso meets them: what they are called, which language they read, what they may use."""

from agent.approvals.policy import Policy
from agent.approvals.sight import Eyes
from agent.people.person import Directory, Person
from tools.contract import Asker


def asker_of(person: Person) -> Asker:
    """A person as tools know them: the rights that a read runs with."""
    return Asker(person.id, person.roles, person.language or "")


def eyes_of(reader: Person) -> Eyes:
    """A person as what is shown of actions and of the trail depends on them."""
    return Eyes(reader.id, reader.roles)


class Members:
    """Everybody in the settings, with what the policy lets them use.

    `language` is that of the house, for those who have none of their own.
    """

    def __init__(self, directory: Directory, policy: Policy, language: str) -> None:
        self.directory, self.policy, self._language = directory, policy, language

    def may_use(self, person: Person, tool: str) -> bool:
        return self.policy.may_use(tool, person.roles)

    def name(self, id_: str) -> str:
        """How a person is called; the id of somebody who is not in the settings any more."""
        return next((person.name for person in self.directory.everybody() if person.id == id_), id_)

    def locale(self, person: Person) -> str:
        """The language that this person reads."""
        return person.language or self._language

    def locale_of(self, person: str) -> str:
        """The language of a person by id; that of the house for somebody who is not in the settings any more."""
        known = (one for one in self.directory.everybody() if one.id == person)
        return next((self.locale(one) for one in known), self._language)
