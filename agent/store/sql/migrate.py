"""Alembic, run on a connection that is open already; imported only where a migration is due."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from agent.store.sql.versions import SHIPPED, Scripts, mark, revision

NOTHING = "base"  # what Alembic calls a database without tables


def migrate(connection: Connection, scripts: Scripts, to: str) -> None:
    """Brings the tables up to this revision, or back down to it, within the caller's transaction.

    Down to `NOTHING` the tables are gone, with all that is in them.
    """
    config = Config()
    config.set_main_option("script_location", str(SHIPPED.folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(scripts.folder / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    if to == NOTHING:
        command.downgrade(config, to)
        return
    known = revision(connection)
    if known is None or known < to:
        command.upgrade(config, to)
    else:
        command.downgrade(config, to)
    mark(connection, to)
