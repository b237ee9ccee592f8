package main

import (
	"fmt"
	"net/url"
)

// CheckoutConfig says what of a repository becomes a work tree.
type CheckoutConfig struct {
	Submodules     bool     // fetched for repositories that ask for it
	SubmoduleHosts []string // that they may come from besides GitHub's
}

// hosts accepts names of hosts, with a port where that is not the usual one.
func hosts(of func(*Config) []string) func(*Config) string {
	return func(c *Config) string {
		for _, h := range of(c) {
			if u, err := url.Parse("https://" + h); err != nil || u.Host != h || u.Hostname() == "" || u.Path != "" {
				return fmt.Sprintf("holds %q, which is not the name of a host such as `gitlab.com`.", h)
			}
		}
		return ""
	}
}
