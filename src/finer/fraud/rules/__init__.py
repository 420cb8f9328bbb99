"""Pure rules of fraud: the windows it asks for, the default rule pack, evaluation, and reasons in words."""
