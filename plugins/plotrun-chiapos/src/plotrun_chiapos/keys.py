"""Id and memo of a new V1 plot, as ``chia plots create`` makes them.

A farmable plot has a plot public key made of a random local key and the farmer's key; its id is
a hash over that and over the pool key or the pool contract's puzzle hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from chia_rs import AugSchemeMPL, G1Element, PrivateKey

from plotrun import puzzle_hash

_LOCAL_KEY_PATH = (12381, 8444, 3, 0)
"""EIP-2334 path of a plot's local key: BLS, Chia, "local", the first."""
PUZZLE_HASH_BYTES = 32


@dataclass(frozen=True)
class Identity:
    """What a plot is known by."""

    plot_id: bytes
    memo: bytes


def random_identity() -> Identity:
    """A plot that nobody can farm, for tests: its memo has the length of an OG plot's."""
    return Identity(secrets.token_bytes(32), secrets.token_bytes(128))


def identity(
    farmer_public_key: str, pool_public_key: str | None, pool_contract_address: str | None
) -> Identity:
    """A plot for this farmer, and for a pool key (OG) or a pool contract (portable).

    Raises:
        ValueError: a key is not a point on the curve.
    """
    memo = new_memo(farmer_public_key, pool_public_key, pool_contract_address)
    return Identity(plot_id_of(memo), memo)


def new_memo(
    farmer_public_key: str, pool_public_key: str | None, pool_contract_address: str | None
) -> bytes:
    """Pool key or puzzle hash, farmer key, and a new random master secret key.

    Raises:
        ValueError: a key is not a point on the curve.
    """
    if pool_contract_address is not None:
        pool = puzzle_hash(pool_contract_address)
    else:
        assert pool_public_key is not None
        pool = bytes(G1Element.from_bytes(bytes.fromhex(pool_public_key)))
    farmer = bytes(G1Element.from_bytes(bytes.fromhex(farmer_public_key)))
    return pool + farmer + bytes(AugSchemeMPL.key_gen(secrets.token_bytes(32)))


def pool_of(memo: bytes) -> bytes:
    """The pool public key (48 bytes) or the contract's puzzle hash (32) in a memo."""
    return memo[:-80]


def plot_public_key(memo: bytes) -> G1Element:
    """The plot's public key: of the farmer's, the plot's own, and with a contract a third."""
    farmer, master = G1Element.from_bytes(memo[-80:-32]), PrivateKey.from_bytes(memo[-32:])
    local = _local_key(master).get_g1()
    both = local + farmer
    if len(pool_of(memo)) == PUZZLE_HASH_BYTES:
        both += _taproot_key(local, farmer, both).get_g1()
    return both


def plot_id_of(memo: bytes) -> bytes:
    """The id of the V1 plot with this memo."""
    return hashlib.sha256(pool_of(memo) + bytes(plot_public_key(memo))).digest()


def _local_key(master: PrivateKey) -> PrivateKey:
    key = master
    for index in _LOCAL_KEY_PATH:
        key = AugSchemeMPL.derive_child_sk(key, index)
    return key


def _taproot_key(local: G1Element, farmer: G1Element, both: G1Element) -> PrivateKey:
    """The key that makes a portable plot's public key depend on both keys in order."""
    return AugSchemeMPL.key_gen(hashlib.sha256(bytes(both) + bytes(local) + bytes(farmer)).digest())
