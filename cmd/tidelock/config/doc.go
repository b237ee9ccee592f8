// Package config reads the configuration of a Tidelock server: one file in HCL,
// over it the TIDELOCK_… variables of the environment, and the files that hold
// secrets.
//
// A setting is a field of Config and a row of the table in settings.go. From the
// row follow what the file may hold, the variable's name, the check of the value,
// `tidelock config show` and docs/configuration.md; the default stands in
// Default. Blocks that may stand in the file many times (gates, secrets, wrapping
// keys, budgets and their like) have a file here each.
//
// It promises that all problems are told at once, each with its file and line or
// its variable and with how to mend it, and that no secret is shown: in no
// problem, and by nothing that prints a Config.
//
// It opens nothing: what is made out of a Config is made in package parts and by
// the server. The one thing that it writes is the file of the encryption key,
// which LoadEncryptionKey makes at a server's first start.
package config
