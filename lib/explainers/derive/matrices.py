"""Sums and products of matrices of any shape, and their traces, in a normal form.

A product of matrices is a *word*: a sequence of letters, each a named matrix or its
transpose. A sum of products has a coefficient for each word. Expressions of the same
shape with the same words are equal for all matrices, since a product is written by
writing one word after the other, and transposed by reading it backwards. A trace stays
the same if its word is rotated or transposed.
"""

import math
from collections.abc import Callable, Iterable
from operator import mul

import sympy as sp
from sympy import Expr, MatrixSymbol
from sympy.matrices.expressions.matexpr import MatrixExpr

from explainers.derive.substitution import RefusedError

# A letter is a matrix, and whether it is transposed.
Word = tuple[tuple[MatrixSymbol, bool], ...]
Combination = dict[Word, Expr]
Entries = list[list[complex]]


def words(expr: Expr) -> Combination:
    """The words of a matrix with their coefficients, none of them 0; the identity is
    the empty word.

    Raises `RefusedError` if the shapes of factors or terms are not known to fit, and
    for anything but sums, products, transposes and powers of named matrices.
    """
    if isinstance(expr, MatrixSymbol):
        return {((expr, False),): sp.Integer(1)}
    if isinstance(expr, sp.Identity):
        return {(): sp.Integer(1)}
    if isinstance(expr, sp.ZeroMatrix):
        return {}
    if isinstance(expr, sp.Transpose):
        return {_transposed(word): weight for word, weight in words(expr.arg).items()}
    if isinstance(expr, sp.MatAdd):
        for term in expr.args[1:]:
            _require_equal(expr.args[0].shape, term.shape, expr)
        return _collected(pair for term in expr.args for pair in words(term).items())
    if isinstance(expr, sp.MatMul):
        return _product(expr.args, expr)
    if isinstance(expr, sp.MatPow) and expr.exp.is_Integer and expr.exp >= 0:
        return _product([expr.base] * int(expr.exp), expr)
    raise RefusedError(f"{expr}: {type(expr).__name__} of matrices is not supported")


def weights(expr: Expr) -> list[Expr]:
    """The coefficients of the words of a matrix, or of the matrix in a trace."""
    if isinstance(expr, sp.Trace):
        _require_equal((expr.arg.rows,), (expr.arg.cols,), expr)
        return list(words(expr.arg).values())
    return list(words(expr).values())


def _product(factors: Iterable[Expr], expr: Expr) -> Combination:
    total: Combination = {(): sp.Integer(1)}
    before = None
    for factor in factors:
        own: Combination = {(): factor}
        if is_matrix(factor):
            own = words(factor)
            if before is not None:
                _require_equal((before.cols,), (factor.rows,), expr)
            before = factor
        total = _collected(
            (left + right, a * b)
            for left, a in total.items()
            for right, b in own.items()
        )
    return total


def _collected(pairs: Iterable[tuple[Word, Expr]]) -> Combination:
    total: Combination = {}
    for word, weight in pairs:
        total[word] = sp.expand(total.get(word, 0) + weight)
    return {word: weight for word, weight in total.items() if weight != 0}


def _transposed(word: Word) -> Word:
    return tuple((matrix, not turned) for matrix, turned in reversed(word))


def is_matrix(expr: object) -> bool:
    """Whether `expr` is a matrix of symbolic shape, and not a number."""
    return isinstance(expr, MatrixExpr) and not isinstance(expr, sp.MatrixBase)


def _require_equal(left: tuple[Expr, ...], right: tuple[Expr, ...], expr: Expr) -> None:
    if any(sp.expand(a - b) != 0 for a, b in zip(left, right, strict=True)):
        raise RefusedError(
            f"{expr}: the shapes {left} and {right} are not known to be equal"
        )


def trace(matrix: Expr) -> Expr:
    """The trace of a square matrix as a combination of traces of words, each the first
    in order of its rotations and those of its transpose; that of an identity is its
    size."""
    _require_equal((matrix.rows,), (matrix.cols,), matrix)
    return sp.Add(
        *(
            weight * (_trace_of(word) if word else matrix.rows)
            for word, weight in words(matrix).items()
        )
    )


def _trace_of(word: Word) -> Expr:
    rotations = [
        turned[i:] + turned[:i]
        for turned in (word, _transposed(word))
        for i in range(len(word))
    ]
    first = min(
        rotations, key=lambda w: [(str(matrix), turned) for matrix, turned in w]
    )
    return sp.Trace(sp.MatMul(*(m.T if turned else m for m, turned in first)))


def numbers(
    matrix: Expr,
    number: Callable[[Expr], complex],
    entry: Callable[[MatrixSymbol, int, int], complex],
) -> Entries:
    """The entries of a matrix, where `number` gives the value of a scalar or a size,
    and `entry` those of a named matrix."""
    rows, cols = (round(number(size).real) for size in matrix.shape)
    total = [[0j] * cols for _ in range(rows)]
    for word, weight in words(matrix).items():
        product = [[complex(i == j) for j in range(rows)] for i in range(rows)]
        for letter, turned in word:
            product = _times(product, _letter(letter, turned, number, entry))
        for i, row in enumerate(product):
            for j, value in enumerate(row):
                total[i][j] += number(weight) * value
    return total


def _letter(
    letter: MatrixSymbol,
    turned: bool,
    number: Callable[[Expr], complex],
    entry: Callable[[MatrixSymbol, int, int], complex],
) -> Entries:
    rows, cols = (round(number(size).real) for size in letter.shape)
    values = [[entry(letter, i, j) for j in range(cols)] for i in range(rows)]
    return [list(row) for row in zip(*values, strict=True)] if turned else values


def _times(left: Entries, right: Entries) -> Entries:
    columns = list(zip(*right, strict=True))
    return [[sum(map(mul, row, column), 0j) for column in columns] for row in left]


def fingerprint(entries: Entries) -> complex:
    """One number for a matrix, in which all of its entries count differently."""
    return sum(
        (
            value / (1 + i + (1 + j) * math.sqrt(2))
            for i, row in enumerate(entries)
            for j, value in enumerate(row)
        ),
        0j,
    )
