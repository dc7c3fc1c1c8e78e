"""How the tools are made that act beside what runs: tickets and feature flags."""

from collections.abc import Callable, Mapping

from agent.settings import Settings
from agent.whitelist.forging import Forging
from tools.contract import Tool
from tools.vocabulary import Vocabulary


def beside(forging: Forging, settings: Settings, words: Vocabulary) -> Mapping[str, Callable[[], Tool]]:
    """Each by its name."""

    def tickets() -> Tool:
        from tools.tickets.tickets import Tickets

        store, places = forging.tickets()
        return Tickets(store, words, places)

    def opening() -> Tool:
        from tools.tickets.open import TicketOpen

        store, places = forging.tickets()
        return TicketOpen(store, words, places)

    def comment() -> Tool:
        from tools.tickets.comment import TicketComment

        store, places = forging.tickets()
        return TicketComment(store, words, places)

    def close() -> Tool:
        from tools.tickets.close import TicketClose

        store, places = forging.tickets()
        return TicketClose(store, words, places)

    def reopen() -> Tool:
        from tools.tickets.close import TicketReopen

        store, places = forging.tickets()
        return TicketReopen(store, words, places)

    def flag() -> Tool:
        from tools.flags.flags import ShowFlag

        return ShowFlag(forging.flags(), words, settings.tools.flags.flags)

    def flag_set() -> Tool:
        from tools.flags.flags import SetFlag

        return SetFlag(forging.flags(), words, settings.tools.flags.flags, settings.tools.flags.values)

    return {
        "tickets": tickets,
        "ticket_open": opening,
        "ticket_comment": comment,
        "ticket_close": close,
        "ticket_reopen": reopen,
        "flag": flag,
        "flag_set": flag_set,
    }
