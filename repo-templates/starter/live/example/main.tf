# A project that needs no provider and no account. Its one resource exists in
# the state alone.

terraform {
  required_version = ">= 1.5"
}

module "label" {
  source = "../../modules/label"

  client      = var.client
  environment = var.environment
  owner       = var.owner
  name        = "example"
}

resource "terraform_data" "example" {
  input = {
    name     = module.label.name
    tags     = module.label.tags
    greeting = var.greeting
  }
}
