output "name" {
  description = "The name that the label module made."
  value       = module.label.name
}

output "greeting" {
  description = "What stands in the state now."
  value       = terraform_data.example.output.greeting
}
