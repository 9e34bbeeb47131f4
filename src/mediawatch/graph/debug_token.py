"""What Meta tells of an access token: until when it is good.

Source: Meta, "Access Token Debugging" (v25.0). A token is asked about with itself; where Meta wants
the app's own token for that, or does not answer at all, nothing is known. Only the Facebook login
has it: whether tokens of the Instagram login may be asked about is not documented.
"""

from __future__ import annotations

from pydantic import BaseModel, SecretStr

from mediawatch.graph.client import Caller, Exchange, GraphClient


class _Data(BaseModel):
    expires_at: float | None = None
    data_access_expires_at: float | None = None


class _Answer(BaseModel):
    data: _Data


async def expires_at(client: GraphClient, account_id: str, token: SecretStr) -> float | None:
    """When the token ends, in seconds since the epoch; None if it never does, or if that is not
    told. Raises GraphProblem."""
    caller = Caller(account_id, token, _not_kept)
    answer = await client.get(
        "debug_token", caller, {"input_token": token.get_secret_value()}, essential=False
    )
    try:
        told = _Answer.model_validate(answer).data
    except ValueError:
        return None
    ends = [end for end in (told.expires_at, told.data_access_expires_at) if end]
    return min(ends, default=None)


def _not_kept(_: Exchange) -> None:
    """The exchange holds the token, and belongs to no post."""
