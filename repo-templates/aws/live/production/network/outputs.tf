output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "public_subnet_ids" {
  description = "A public subnet for each zone."
  value       = module.network.public_subnet_ids
}

output "private_subnet_ids" {
  description = "A private subnet for each zone."
  value       = module.network.private_subnet_ids
}
