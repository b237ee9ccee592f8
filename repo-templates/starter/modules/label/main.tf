# Names and tags for what a project makes, so that they are alike everywhere.

variable "client" {
  description = "Whose infrastructure this is."
  type        = string
}

variable "environment" {
  description = "What it is for: staging, production."
  type        = string
}

variable "owner" {
  description = "Who answers for it."
  type        = string
}

variable "name" {
  description = "What is named, within its client and environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.name))
    error_message = "A name has lower-case letters, digits and hyphens."
  }
}

output "name" {
  description = "The whole name: client, environment, name."
  value       = join("-", [var.client, var.environment, var.name])
}

output "tags" {
  description = "The tags that Tidelock's bundled policies ask for, and the client."
  value = {
    Client      = var.client
    Environment = var.environment
    Owner       = var.owner
  }
}
