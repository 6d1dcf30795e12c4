"""Allocation over arrays: the rule of `warehouse.rules` for thousands of orders at once.

Imported inside functions only, since it needs NumPy. `problem` holds the arrays, `prices` what
carriage costs, `candidates` ranks the sites an order may ship from, `rounds` chooses among them,
`result` turns the choice into rows.
"""
