"""The window engine: a plan made from the declarations, and the state that the plan is carried out on."""
