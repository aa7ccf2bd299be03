"""Where ``concurrency.blocking`` was before; for the modules that still look here."""

from service.concurrency.blocking import Lender, belongs_to, waiting

__all__ = ["Lender", "belongs_to", "waiting"]
