terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.14.1"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
  default_tags {
    tags = { owner = "platform" }
  }
}

variable "step" {}

variable "password" {
  sensitive = true
  default   = "correct horse battery"
}

locals {
  first = var.step == "1"
}

resource "aws_instance" "web" {
  ami           = local.first ? "ami-1" : "ami-2"
  instance_type = local.first ? "t3.micro" : "t3.small"
  user_data     = "#!/bin/sh\necho hello\necho ${local.first ? "one" : "two"}\n"
  tags          = local.first ? { Name = "web", env = "dev" } : { Name = "web", env = "prod", cost = "1" }
  root_block_device {
    volume_size = local.first ? 10 : 20
    encrypted   = true
  }
  dynamic "ebs_block_device" {
    for_each = local.first ? ["b", "c"] : ["b", "c", "d"]
    content {
      device_name = "/dev/sd${ebs_block_device.value}"
      volume_size = 5
    }
  }
}

resource "aws_instance" "kept" {
  ami           = "ami-1"
  instance_type = local.first ? "t3.micro" : "t3.small"
  tags          = { Name = "kept" }
  root_block_device {
    volume_size = local.first ? 10 : 20
    encrypted   = true
  }
  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_launch_template" "t" {
  name     = "t"
  image_id = "ami-1"
  block_device_mappings {
    device_name = "/dev/sda1"
    ebs {
      volume_size = local.first ? 10 : 20
      volume_type = "gp3"
    }
  }
  dynamic "block_device_mappings" {
    for_each = local.first ? [] : ["more"]
    content {
      device_name = "/dev/sdb"
      ebs {
        volume_size = 1
      }
    }
  }
}

resource "aws_security_group" "sg" {
  name = "sg"
  ingress {
    description = "web"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_db_instance" "db" {
  identifier     = "db"
  instance_class = "db.t3.micro"
  engine         = "postgres"
  username       = "root"
  password       = local.first ? var.password : "${var.password}2"
}

resource "aws_instance" "gone" {
  count         = local.first ? 1 : 0
  ami           = "ami-1"
  instance_type = "t3.micro"
  tags          = { Name = "gone" }
  root_block_device {
    volume_size = 10
  }
}
