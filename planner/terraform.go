package planner

const backendOverride = "tidelock_backend_override.tf"
