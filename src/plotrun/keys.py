"""Keys and addresses as Chia writes them: checked here, before any plotter is started."""

from __future__ import annotations

import re

PUBLIC_KEY_HEX_DIGITS = 96
"""A BLS12-381 G1 element, compressed: 48 bytes."""
_BECH32_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32M_CONSTANT = 0x2BC830A3
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def public_key(text: str) -> str:
    """The key in lower case, without a leading ``0x``.

    Raises:
        ValueError: *text* is not a public key; the message says what is wrong with it.
    """
    digits = text.strip().lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]*", digits):
        raise ValueError("it has characters that are not hex digits")
    if len(digits) != PUBLIC_KEY_HEX_DIGITS:
        raise ValueError(f"it has {len(digits)} hex digits, not {PUBLIC_KEY_HEX_DIGITS}")
    # Of a compressed G1 element the highest bit is set; 0xc0 would be the point at infinity.
    if int(digits[0], 16) < 8 or digits.startswith("c0"):
        raise ValueError("it is not a point on the curve (first hex digit below 8)")
    return digits


def contract_address(text: str) -> str:
    """The pool contract address in lower case.

    Raises:
        ValueError: *text* is no bech32m address of Chia; the message says what is wrong.
    """
    puzzle_hash(text)
    return text.strip().lower()


def puzzle_hash(address: str) -> bytes:
    """The 32 bytes that a ``xch1…`` or ``txch1…`` address stands for (BIP 350).

    Raises:
        ValueError: *address* is malformed; the message says what is wrong.
    """
    text = address.strip()
    if text != text.lower() and text != text.upper():
        raise ValueError("it mixes upper and lower case")
    prefix, separator, data = text.lower().rpartition("1")
    if not separator or prefix not in ("xch", "txch"):
        raise ValueError("it does not begin with xch1 or txch1")
    if any(char not in _BECH32_CHARSET for char in data):
        raise ValueError("it has characters that no address has")
    values = [_BECH32_CHARSET.index(char) for char in data]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    if _polymod(expanded + values) != _BECH32M_CONSTANT:
        raise ValueError("its checksum is wrong: a character is missing or mistyped")
    decoded = _eight_bit(values[:-6])
    if len(decoded) != 32:
        raise ValueError(f"it holds {len(decoded)} bytes, not 32")
    return decoded


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def _eight_bit(values: list[int]) -> bytes:
    number = 0
    for value in values:
        number = number << 5 | value
    surplus = len(values) * 5 % 8
    if surplus >= 5 or number & ((1 << surplus) - 1):
        raise ValueError("its last character is wrong")
    return (number >> surplus).to_bytes(len(values) * 5 // 8, "big")
