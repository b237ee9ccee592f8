provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      owner       = "data"
      environment = "production"
      repository  = "acme-infra/data"
    }
  }
}
