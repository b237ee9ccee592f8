output "web_address" {
  value = aws_lb.web.dns_name
}
