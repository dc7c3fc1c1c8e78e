"""A real Unleash over a real PostgreSQL: a flag is shown, set on, checked and set back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.postgres import PostgresServer
from tests.fakes.shop import MAYA, Heard, OneGrant
from tests.fakes.standins import TOKEN, UNLEASH, absent, real_unleash
from tools.contract import BadArguments, ToolFailed, Verdict
from tools.flags.flags import SetFlag, ShowFlag
from tools.flags.unleash import Unleash
from tools.jsonserver import JsonServer
from tools.vocabulary import Vocabulary

KNOWN: dict[str, tuple[str, ...]] = {"new-checkout": (), "never-made": ()}
WORDS = Vocabulary(environments={"production": (), "test": ()})

pytestmark = pytest.mark.skipif(absent(UNLEASH) is not None, reason=str(absent(UNLEASH)))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("unleash")
    with real_unleash(folder, postgres) as url:
        yield url


def server(address: str, token: str = TOKEN) -> JsonServer:
    return JsonServer("Unleash", address, headers={"Authorization": token})


def store(address: str) -> Unleash:
    return Unleash(server(address), "default", {"test": "development"})


async def test_a_flag_lives_its_life_in_unleash(address: str) -> None:
    await server(address).ask(
        "POST", "/api/admin/projects/default/features", body={"name": "new-checkout", "type": "release"}
    )
    show, change = ShowFlag(store(address), WORDS, KNOWN), SetFlag(store(address), WORDS, KNOWN)
    seen = await show.run(show.spec.validate({"flag": "new-checkout"}), MAYA)
    assert seen.summary == "new-checkout is off in production, off in test"
    given = change.spec.validate({"flag": "new-checkout", "value": "on"})
    plan = await change.plan(given)
    assert (plan.changes[0].before, plan.changes[0].after) == ("off", "on")
    assert (await change.verify(given)).verdict is Verdict.NOT_DONE
    assert (await change.run(given, OneGrant(), Heard())).ok
    assert (await change.verify(given)).verdict is Verdict.DONE
    seen = await show.run(show.spec.validate({"flag": "new-checkout"}), MAYA)
    assert seen.summary == "new-checkout is on in production, off in test"
    assert "flexibleRollout (groupId=new-checkout, rollout=100" in seen.findings[0].text
    assert plan.undo is not None
    await change.run(change.spec.validate(plan.undo.arguments), OneGrant(), Heard())
    seen = await show.run(show.spec.validate({"flag": "new-checkout", "environment": "production"}), MAYA)
    assert seen.summary == "new-checkout is off in production"


async def test_a_flag_that_unleash_does_not_have_and_a_wrong_token_are_told(address: str) -> None:
    show = ShowFlag(store(address), WORDS, KNOWN)
    with pytest.raises(BadArguments, match="has no flag 'never-made'"):
        await show.run(show.spec.validate({"flag": "never-made"}), MAYA)
    with pytest.raises(ToolFailed, match="401"):
        await Unleash(server(address, "*:*.wrong")).get("new-checkout", "production")
