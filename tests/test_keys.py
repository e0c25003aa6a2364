"""Keys and addresses: what Chia writes is read, and what is mistyped is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plotrun import puzzle_hash
from plotrun.keys import address_of, contract_address, public_key

KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
GENERATOR = (
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905"
    "a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
"""The point that all keys are multiples of: the key whose secret is 1."""
HEX = "0123456789abcdef"
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


# Public keys


@pytest.mark.parametrize("text", [KEY, GENERATOR, KEY.upper(), f"0x{KEY}", f"0X{KEY}", f" {KEY}\n"])
def test_a_key_is_read_however_it_is_written(text: str) -> None:
    assert public_key(text) in (KEY, GENERATOR)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has 0 hex digits, not 96"),
        (KEY[:-2], "it has 94 hex digits, not 96"),
        (f"{KEY}00", "it has 98 hex digits, not 96"),
        (KEY.replace("8", "O"), "it has characters that are not hex digits"),
        (f"{KEY[:48]} {KEY[48:]}", "it has characters that are not hex digits"),
        (KEY.replace("5", "٥"), "it has characters that are not hex digits"),
    ],
)
def test_what_does_not_look_like_a_key_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        public_key(text)


@pytest.mark.parametrize(
    "digits",
    [
        "0" * 96,
        "f" * 96,
        "c0" + "0" * 94,  # infinity, which is nobody's key
        "80" + "0" * 94,  # on the curve, in a group of three
        "8" + "0" * 94 + "4",  # on the curve, in a group that keys are not of
        "9" + "f" * 95,  # larger than the field
        "0" + KEY[1:],  # not compressed
    ],
)
def test_a_number_that_is_nobodys_key_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match="nobody's key"):
        public_key(digits)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 95), other=st.sampled_from(HEX), key=st.sampled_from([KEY, GENERATOR]))
def test_every_mistyped_digit_of_a_key_is_found(at: int, other: str, key: str) -> None:
    typed = key[:at] + other + key[at + 1 :]
    negative = {"8": "a", "9": "b"}[key[0]] + key[1:]  # the one other number that is a key too
    if typed in (key, negative):
        assert public_key(typed) == typed
    else:
        with pytest.raises(ValueError, match="nobody's key"):
            public_key(typed)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 94))
def test_two_digits_that_change_places_are_found(at: int) -> None:
    typed = KEY[:at] + KEY[at + 1] + KEY[at] + KEY[at + 2 :]
    if typed != KEY:
        with pytest.raises(ValueError, match="nobody's key"):
            public_key(typed)


# Addresses


def polymod(values: list[int]) -> int:
    """The checksum as BIP 173 gives it."""
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit in range(5):
            generator = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)[bit]
            checksum ^= generator if top >> bit & 1 else 0
    return checksum


def address(data: bytes, prefix: str = "xch", constant: int = 0x2BC830A3) -> str:
    """A bech32m address (BIP 350), or one with another checksum."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = polymod([*expanded, *values, 0, 0, 0, 0, 0, 0]) ^ constant
    values += [checksum >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1" + "".join(CHARSET[value] for value in values)


HASHES = st.binary(min_size=32, max_size=32)
KNOWN = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
"""Of the bytes 0 to 31, as Chia's own library writes it."""


def test_an_address_that_chia_wrote() -> None:
    assert puzzle_hash(KNOWN) == bytes(range(32))
    assert address(bytes(range(32))) == KNOWN


@given(HASHES, st.sampled_from(["xch", "txch"]))
def test_every_address_is_read_back(data: bytes, prefix: str) -> None:
    assert puzzle_hash(address(data, prefix)) == data
    assert puzzle_hash(f" {address(data, prefix).upper()}\n") == data
    assert contract_address(address(data, prefix).upper()) == address(data, prefix)


@given(HASHES, st.data())
def test_every_mistyped_character_of_an_address_is_found(data: bytes, draw: st.DataObject) -> None:
    good = address(data)
    at = draw.draw(st.integers(0, len(good) - 1))
    other = draw.draw(st.characters(max_codepoint=0x17F).filter(lambda char: char != good[at]))
    typed = good[:at] + other + good[at + 1 :]
    if typed.strip().lower() != good:  # a space or a capital at the end is no other address
        with pytest.raises(ValueError, match=r"^its? "):
            puzzle_hash(typed)


@given(HASHES, st.data())
def test_a_missing_or_doubled_character_of_an_address_is_found(
    data: bytes, draw: st.DataObject
) -> None:
    good = address(data)
    at = draw.draw(st.integers(0, len(good) - 1))
    for typed in (good[:at] + good[at + 1 :], good[:at] + good[at] + good[at:]):
        with pytest.raises(ValueError, match=r"^its? "):
            puzzle_hash(typed)


@given(st.binary(max_size=60).filter(lambda data: len(data) != 32))
def test_an_address_of_another_length_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=f"it holds {len(data)} bytes, not 32"):
        puzzle_hash(address(data))


@given(HASHES)
def test_an_address_with_bitcoins_older_checksum_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="checksum"):
        puzzle_hash(address(data, constant=1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it does not begin with xch1 or txch1"),
        ("xch", "it does not begin with xch1 or txch1"),
        (address(bytes(32), "bc"), "it does not begin with xch1 or txch1"),
        (KNOWN[:-1] + "M", "it mixes upper and lower case"),
        (KNOWN[:-1] + "b", "it has characters that no address has"),
        (KNOWN[:20] + " " + KNOWN[20:], "it has characters that no address has"),
        ("xch1", "its checksum is wrong"),
        (KNOWN[:-1], "its checksum is wrong"),
    ],
)
def test_what_does_not_look_like_an_address_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        puzzle_hash(text)


@given(st.binary(min_size=32, max_size=32))
def test_an_address_stands_for_the_puzzle_hash_it_was_made_of(of: bytes) -> None:
    assert puzzle_hash(address_of(of)) == of
