"""What a revision declares and holds: parameters, metrics, dependencies, outputs."""
