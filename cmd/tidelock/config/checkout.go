package config

import (
	"fmt"
	"net/url"
	"time"
)

// Checkout says what of a repository becomes a work tree.
type Checkout struct {
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

// Mirrors says how long copies of repositories are kept, and how many.
type Mirrors struct {
	MaxAge  time.Duration // since the last use
	MaxSize int           // MiB of all together
}
