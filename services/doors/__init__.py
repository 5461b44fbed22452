"""What the services' doors have in common: problems, health, headers, leaving in good order; no service's own work."""
