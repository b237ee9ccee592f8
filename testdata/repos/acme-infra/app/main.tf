data "aws_vpc" "main" {
  tags = { Name = "acme" }
}

data "aws_subnets" "private" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.main.id]
  }

  tags = { tier = "private" }
}

module "web" {
  source = "../modules/service"

  name          = "web"
  vpc_id        = data.aws_vpc.main.id
  subnet_ids    = data.aws_subnets.private.ids
  instance_type = "t3.medium"
  instances     = 2
  allowed_cidrs = [data.aws_vpc.main.cidr_block]
}

module "worker" {
  source = "../modules/service"

  name          = "worker"
  vpc_id        = data.aws_vpc.main.id
  subnet_ids    = data.aws_subnets.private.ids
  instance_type = "t3.large"
  allowed_cidrs = ["10.20.0.0/16"]
}

resource "aws_lb" "web" {
  name            = "acme-web"
  internal        = true
  subnets         = data.aws_subnets.private.ids
  security_groups = [module.web.security_group_id]
}

resource "aws_lb_target_group" "web" {
  name     = "acme-web"
  port     = 8080
  protocol = "HTTP"
  vpc_id   = data.aws_vpc.main.id

  health_check {
    path = "/healthz"
  }
}

resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}
