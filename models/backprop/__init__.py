"""One step of backpropagation by hand: every value, and the formula that gave it.

worked = backprop.worked((2, 3, 1), seed=4)
print(worked.text())
worked["delta1_2"].value

sheet = worked.sheet("deltas")
report = backprop.check(sheet, {"slope2_1": "0,22", "delta2_1": -0.148})
print(report.text())
"""

from models.backprop.example import Step, Worked, worked
from models.backprop.exercise import Answer, Report, Sheet, check

__all__ = ["Answer", "Report", "Sheet", "Step", "Worked", "check", "worked"]
