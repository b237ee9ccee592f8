// Command tidelock is a GitHub App that plans Terraform and OpenTofu on pull
// requests and applies on merge exactly what was reviewed.
//
// One file holds one subcommand. serve.go holds all the wiring; config*.go
// reads the server's configuration, which no other package does.
//
// Exit codes: 0 done; 1 the command failed, or doctor found a fault; 2 the
// command line or the configuration is wrong.
package main
