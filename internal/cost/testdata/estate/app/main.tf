terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_db_instance" "main" {
  identifier        = "main"
  engine            = "postgres"
  instance_class    = "db.m5.large"
  allocated_storage = 100
  storage_type      = "gp3"
  multi_az          = true
  username          = "main"
  password          = "not-a-real-password"
}

resource "aws_lb" "main" {
  name = "main"
}
