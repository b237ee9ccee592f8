terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "environment" {
  type = string
}

variable "node_size" {
  type = string
}

variable "node_count" {
  type = number
}

variable "database_password" {
  type      = string
  sensitive = true
  default   = "change-me-after-the-first-start"
}

locals {
  tags = {
    owner       = "platform"
    environment = var.environment
  }
}

resource "azurerm_resource_group" "main" {
  name     = "globex-${var.environment}"
  location = "westeurope"
  tags     = local.tags
}

resource "azurerm_virtual_network" "main" {
  name                = "globex-${var.environment}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  address_space       = ["10.40.0.0/16"]
  tags                = local.tags
}

resource "azurerm_subnet" "nodes" {
  name                 = "nodes"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = ["10.40.1.0/24"]
}

resource "azurerm_network_security_group" "nodes" {
  name                = "nodes"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags

  security_rule {
    name                       = "https-from-inside"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "443"
    source_address_prefix      = "10.40.0.0/16"
    destination_address_prefix = "*"
  }
}

resource "azurerm_kubernetes_cluster" "main" {
  name                = "globex-${var.environment}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  dns_prefix          = "globex-${var.environment}"
  sku_tier            = "Standard"
  tags                = local.tags

  default_node_pool {
    name           = "default"
    vm_size        = var.node_size
    node_count     = var.node_count
    vnet_subnet_id = azurerm_subnet.nodes.id
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_postgresql_flexible_server" "main" {
  name                   = "globex-${var.environment}"
  resource_group_name    = azurerm_resource_group.main.name
  location               = azurerm_resource_group.main.location
  sku_name               = "GP_Standard_D2s_v3"
  storage_mb             = 65536
  version                = "16"
  administrator_login    = "globex"
  administrator_password = var.database_password
  tags                   = local.tags
}

resource "azurerm_managed_disk" "scratch" {
  name                 = "scratch-${var.environment}"
  resource_group_name  = azurerm_resource_group.main.name
  location             = azurerm_resource_group.main.location
  storage_account_type = "Premium_LRS"
  create_option        = "Empty"
  disk_size_gb         = 128
  tags                 = local.tags
}
