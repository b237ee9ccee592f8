# An estate over three clouds, for TestRealPlan: every way in which a region
# can be given, and the joins that prices need.

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "size" {
  type    = string
  default = "m5.large"
}

variable "volumes" {
  type    = number
  default = 2
}

provider "aws" {
  region = var.region
}

provider "aws" {
  alias  = "ireland"
  region = "eu-west-1"
}

provider "azurerm" {
  features {}
  subscription_id = "00000000-0000-0000-0000-000000000000"
}

provider "google" {
  project = "stand-in"
  region  = "us-central1"
  zone    = "us-central1-a"
}

data "aws_ami" "linux" {
  most_recent = true
  owners      = ["amazon"]
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_instance" "web" {
  ami           = data.aws_ami.linux.id
  instance_type = var.size
  root_block_device {
    volume_type = "gp3"
    volume_size = 10
  }
}

resource "aws_ebs_volume" "data" {
  count             = var.volumes
  availability_zone = "${var.region}a"
  type              = "gp3"
  size              = 100
}

resource "aws_eip" "ireland" {
  provider = aws.ireland
  domain   = "vpc"
}

resource "aws_nat_gateway" "ireland" {
  provider      = aws.ireland
  allocation_id = aws_eip.ireland.id
  subnet_id     = "subnet-00000000000000000"
}

module "fleet" {
  source   = "./fleet"
  for_each = toset(["a", "b"])
  size     = "t3.micro"
}

module "app" {
  source = "./app"
  providers = {
    aws = aws.ireland
  }
}

resource "azurerm_resource_group" "main" {
  name     = "main"
  location = "East US"
}

resource "azurerm_kubernetes_cluster" "main" {
  name                = "main"
  location            = azurerm_resource_group.main.location
  resource_group_name = azurerm_resource_group.main.name
  dns_prefix          = "main"
  default_node_pool {
    name            = "default"
    vm_size         = "Standard_D2s_v3"
    node_count      = 1
    os_disk_size_gb = 128
  }
  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_kubernetes_cluster_node_pool" "more" {
  name                  = "more"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.main.id
  vm_size               = "Standard_B2s"
  node_count            = 2
  os_disk_size_gb       = 128
}

resource "google_compute_address" "web" {
  name = "web"
}

resource "google_compute_instance" "web" {
  name         = "web"
  machine_type = "n1-standard-1"
  boot_disk {
    initialize_params {
      type = "pd-ssd"
      size = 20
    }
  }
  network_interface {
    network = "default"
    access_config {
      nat_ip = google_compute_address.web.address
    }
  }
}

resource "google_storage_bucket" "files" {
  name     = "files"
  location = "EU"
}

resource "aws_ecs_task_definition" "api" {
  family                   = "api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = "[]"
}

resource "aws_ecs_service" "api" {
  name            = "api"
  task_definition = aws_ecs_task_definition.api.arn
  launch_type     = "FARGATE"
  desired_count   = 2
}

resource "azurerm_mssql_server" "main" {
  name                         = "main"
  location                     = azurerm_resource_group.main.location
  resource_group_name          = azurerm_resource_group.main.name
  version                      = "12.0"
  administrator_login          = "boss"
  administrator_login_password = "not-a-secret-1"
}

resource "azurerm_mssql_database" "main" {
  name      = "main"
  server_id = azurerm_mssql_server.main.id
  sku_name  = "P1"
}

resource "google_compute_instance_template" "fleet" {
  machine_type = "n1-standard-1"
  disk {
    disk_type    = "pd-ssd"
    disk_size_gb = 20
  }
  network_interface {
    network = "default"
  }
}

resource "google_compute_instance_group_manager" "fleet" {
  name               = "fleet"
  base_instance_name = "fleet"
  zone               = "us-central1-a"
  target_size        = 2
  version {
    instance_template = google_compute_instance_template.fleet.self_link
  }
}
