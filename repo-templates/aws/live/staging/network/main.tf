terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.14"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Client      = var.client
      Environment = var.environment
      Owner       = var.owner
    }
  }
}

module "network" {
  source = "../../../modules/network"

  name  = "${var.client}-${var.environment}"
  cidr  = var.cidr
  zones = [for letter in var.zones : "${var.region}${letter}"]
}
