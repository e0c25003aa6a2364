"""Keys and addresses as Chia writes them: checked here, before any plotter is started."""

from __future__ import annotations

import re
from functools import lru_cache

PUBLIC_KEY_HEX_DIGITS = 96
"""A BLS12-381 G1 element, compressed: 48 bytes."""
_FIELD = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    16,
)
_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_BECH32_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32M_CONSTANT = 0x2BC830A3
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

_Point = tuple[int, int, int]
"""Jacobian coordinates; infinity where the last is 0."""


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
    if not _is_g1_element(int(digits, 16)):
        raise ValueError("it is nobody's key: a digit is mistyped")
    return digits


@lru_cache
def _is_g1_element(number: int) -> bool:
    """Whether these 48 bytes are a point that a key can be: on the curve, in the right group.

    A key has no checksum, but of all numbers only one in 2^128 passes this. A mistyped key does
    not, and plots made for it would be worthless.
    """
    if number >> 382 != 2:  # the compressed form of a point that is not infinity
        return False
    x = number & (1 << 381) - 1
    if x >= _FIELD:
        return False
    y_squared = (x * x * x + 4) % _FIELD
    y = pow(y_squared, (_FIELD + 1) // 4, _FIELD)
    if y * y % _FIELD != y_squared:
        return False
    point = (0, 1, 0)
    for bit in bin(_ORDER)[2:]:
        point = _doubled(point)
        if bit == "1":
            point = _plus(point, x, y)
    return point[2] == 0


def _doubled(point: _Point) -> _Point:
    x, y, z = point
    xx, yy = x * x % _FIELD, y * y % _FIELD
    s = 4 * x * yy % _FIELD
    m = 3 * xx
    new_x = (m * m - 2 * s) % _FIELD
    return new_x, (m * (s - new_x) - 8 * yy * yy) % _FIELD, 2 * y * z % _FIELD


def _plus(point: _Point, x: int, y: int) -> _Point:
    """The sum of *point* and the point with affine coordinates *x* and *y*."""
    x1, y1, z1 = point
    if z1 == 0:
        return x, y, 1
    zz = z1 * z1 % _FIELD
    h, r = (x * zz - x1) % _FIELD, (y * zz * z1 - y1) % _FIELD
    if h == 0:
        return _doubled(point) if r == 0 else (0, 1, 0)
    hh = h * h % _FIELD
    hhh, v = h * hh % _FIELD, x1 * hh % _FIELD
    new_x = (r * r - hhh - 2 * v) % _FIELD
    return new_x, (r * (v - new_x) - y1 * hhh) % _FIELD, z1 * h % _FIELD


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


def address_of(puzzle_hash: bytes) -> str:
    """The ``xch1…`` address of a puzzle hash of 32 bytes (BIP 350)."""
    bits = int.from_bytes(puzzle_hash, "big") << 4  # 256 bits and 4 more are 52 times 5
    data = [bits >> 5 * place & 31 for place in range(51, -1, -1)]
    expanded = [ord(c) >> 5 for c in "xch"] + [0] + [ord(c) & 31 for c in "xch"]
    checksum = _polymod(expanded + data + [0] * 6) ^ _BECH32M_CONSTANT
    data += [checksum >> 5 * place & 31 for place in range(5, -1, -1)]
    return "xch1" + "".join(_BECH32_CHARSET[value] for value in data)


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
