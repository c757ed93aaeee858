"""What the book measures: one module for each chapter, each with its `EXPERIMENTS`."""
