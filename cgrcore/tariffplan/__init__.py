"""Tariff plans: folders of CSV files that say what everything costs and who has which account."""

from cgrcore.tariffplan.files import FILES, Mistake
from cgrcore.tariffplan.load import PlanRefused, load_plan
from cgrcore.tariffplan.plan import Plan, assemble

__all__ = ["FILES", "Mistake", "Plan", "PlanRefused", "assemble", "load_plan"]
