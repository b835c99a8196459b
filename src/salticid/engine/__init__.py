"""How a network runs: sessions, model cards, measurements."""
