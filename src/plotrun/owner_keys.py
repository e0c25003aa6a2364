"""Whose plots a plotter makes: keys of a job that most plotters read, and what they must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from plotrun.plotter import KeyProblem
from plotrun.settings.types import ContractAddress, Help, PublicKey


@dataclass(frozen=True, kw_only=True)
class OwnerKeys:
    """The owner of the plots, for a plotter that must be told."""

    farmer_public_key: Annotated[PublicKey, Help("Farmer public key.")]
    pool_public_key: Annotated[
        PublicKey | None, Help("Pool public key, for plots of the old kind (OG).")
    ] = None
    pool_contract_address: Annotated[
        ContractAddress | None, Help("Pool contract address, for portable plots.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class OptionalOwnerKeys:
    """The owner of the plots, for a plotter that can make some for tests, which nobody owns."""

    farmer_public_key: Annotated[PublicKey | None, Help("Farmer public key.")] = None
    pool_public_key: Annotated[
        PublicKey | None, Help("Pool public key, for plots of the old kind (OG).")
    ] = None
    pool_contract_address: Annotated[
        ContractAddress | None, Help("Pool contract address, for portable plots.")
    ] = None


def one_pool(keys: OwnerKeys) -> Iterator[KeyProblem]:
    """A plot belongs to a pool key or to a contract: one of them must be given."""
    if bool(keys.pool_public_key) == bool(keys.pool_contract_address):
        expected = "either pool_public_key or pool_contract_address"
        yield KeyProblem("pool_contract_address", expected)


def whole_owner(keys: OptionalOwnerKeys) -> Iterator[KeyProblem]:
    """All keys of a plot that can be farmed, or none for a test plot."""
    pool, contract = keys.pool_public_key, keys.pool_contract_address
    if pool and contract:
        expected = "either pool_public_key or pool_contract_address, not both"
        yield KeyProblem("pool_contract_address", expected)
    elif bool(keys.farmer_public_key) != bool(pool or contract):
        key = "pool_contract_address" if keys.farmer_public_key else "farmer_public_key"
        expected = "farmer_public_key together with a pool key or contract, or none of them"
        yield KeyProblem(key, expected)
