"""The outside world, one folder or module per thing; adapters know the domain and nothing else."""
