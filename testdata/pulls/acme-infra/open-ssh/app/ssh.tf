# How to get at the worker when everything else is down.
resource "aws_security_group_rule" "worker_ssh" {
  security_group_id = module.worker.security_group_id
  type              = "ingress"
  description       = "SSH"
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}

provider "aws" {
  alias  = "archive"
  region = "eu-central-1"
}

resource "aws_s3_bucket" "ssh_sessions" {
  provider = aws.archive

  bucket = "acme-ssh-sessions"
}
