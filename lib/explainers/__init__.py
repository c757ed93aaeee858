"""Tested implementations of the ideas in the book *Ideas That Run*.

Each chapter of the book is one module, imported by name::

    from explainers.fourier_density import FourierDensity

Importing the package itself imports none of its modules.
"""

__version__ = "0.1.0"
