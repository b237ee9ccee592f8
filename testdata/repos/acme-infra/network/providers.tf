provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      owner       = "platform"
      environment = "production"
      repository  = "acme-infra/network"
    }
  }
}
