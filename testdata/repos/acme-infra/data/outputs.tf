output "database_endpoint" {
  value = aws_db_instance.main.endpoint
}
