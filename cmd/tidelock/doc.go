// Command tidelock is a GitHub App that plans Terraform and OpenTofu on pull
// requests and applies on merge exactly what was reviewed.
//
// One file holds one subcommand. server*.go hold the wiring of the server. Package
// config below reads its configuration, which no other package does; parts makes
// out of it what several commands need; doctor holds the checks of
// `tidelock doctor`.
//
// Exit codes: 0 done; 1 the command failed, or doctor found a fault; 2 the
// command line or the configuration is wrong.
package main
