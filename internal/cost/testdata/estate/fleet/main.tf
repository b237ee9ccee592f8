variable "size" {
  type = string
}

resource "aws_launch_template" "node" {
  instance_type = var.size
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type = "gp3"
      volume_size = 20
    }
  }
}

resource "aws_autoscaling_group" "nodes" {
  min_size           = 1
  max_size           = 4
  desired_capacity   = 2
  availability_zones = ["us-east-1a"]
  launch_template {
    id      = aws_launch_template.node.id
    version = "$Latest"
  }
}
