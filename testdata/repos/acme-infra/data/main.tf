data "aws_vpc" "main" {
  tags = { Name = "acme" }
}

resource "aws_security_group" "database" {
  name        = "acme-database"
  description = "PostgreSQL from the VPC"
  vpc_id      = data.aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id = aws_security_group.database.id
  description       = "PostgreSQL from the VPC"
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  cidr_ipv4         = data.aws_vpc.main.cidr_block
}

resource "aws_kms_key" "data" {
  description         = "What Acme keeps"
  enable_key_rotation = true
}

resource "aws_db_instance" "main" {
  identifier        = "acme-main"
  engine            = "postgres"
  engine_version    = "16.4"
  instance_class    = "db.t4g.medium"
  allocated_storage = 50
  storage_type      = "gp3"
  storage_encrypted = true
  kms_key_id        = aws_kms_key.data.arn

  db_name  = "acme"
  username = "acme"
  password = var.database_password

  vpc_security_group_ids  = [aws_security_group.database.id]
  backup_retention_period = 7
  deletion_protection     = true
}

resource "aws_elasticache_cluster" "sessions" {
  cluster_id      = "acme-sessions"
  engine          = "redis"
  node_type       = "cache.t4g.small"
  num_cache_nodes = 1
}

resource "aws_s3_bucket" "uploads" {
  bucket = "acme-uploads"
}

resource "aws_s3_bucket_versioning" "uploads" {
  bucket = aws_s3_bucket.uploads.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "uploads" {
  bucket = aws_s3_bucket.uploads.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
