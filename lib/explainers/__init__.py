"""Tested implementations of the ideas in the book *Ideas That Run*.

Each chapter of the book is one module, imported by name when it is wanted::

    from explainers.fourier_density import FourierDensity

Importing the package itself loads nothing heavy.
"""

__version__ = "0.1.0"
