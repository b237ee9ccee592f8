terraform {
  required_providers {
    evil = {
      source  = "evil/evil"
      version = "1.0.0"
    }
  }
}

resource "evil_thing" "a" {}
