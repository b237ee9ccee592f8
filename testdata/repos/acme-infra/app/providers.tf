provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      owner       = "web"
      environment = "production"
      repository  = "acme-infra/app"
    }
  }
}
