# Exactly 20 resources: the unit of the benches.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      owner       = "bench"
      environment = "test"
    }
  }
}

variable "size" {
  description = "What a pull request of the benches changes."
  type        = string
  default     = "t3.small"
}

resource "aws_vpc" "main" {
  cidr_block = "10.60.0.0/16"
}

resource "aws_subnet" "main" {
  count = 3

  vpc_id     = aws_vpc.main.id
  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
}

resource "aws_security_group" "main" {
  name   = "bench"
  vpc_id = aws_vpc.main.id

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.60.0.0/16"]
  }
}

resource "aws_instance" "main" {
  count = 6

  ami                    = "ami-0123456789abcdef0"
  instance_type          = var.size
  subnet_id              = aws_subnet.main[count.index % 3].id
  vpc_security_group_ids = [aws_security_group.main.id]

  root_block_device {
    volume_type = "gp3"
    volume_size = 30
  }

  tags = { Name = "bench-${count.index}" }
}

resource "aws_ebs_volume" "main" {
  count = 3

  availability_zone = "eu-west-1a"
  type              = "gp3"
  size              = 100
}

resource "aws_volume_attachment" "main" {
  count = 3

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.main[count.index].id
  instance_id = aws_instance.main[count.index].id
}

resource "aws_db_instance" "main" {
  identifier        = "bench"
  engine            = "postgres"
  instance_class    = "db.t4g.medium"
  allocated_storage = 50
  storage_type      = "gp3"
}

resource "aws_s3_bucket" "main" {
  bucket = "bench"
}

resource "aws_cloudwatch_log_group" "main" {
  name              = "/bench"
  retention_in_days = 7
}
